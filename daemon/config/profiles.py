"""Profiles: what `profile = "vendor/model"` at a device stands for. The device's own keys go before its profile's.

A profile is `profiles/<vendor>/<model>.toml` in the folder of decoders, else one of those that ship with torhaus; a
model with a native codec and no file has a profile of that codec alone.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import msgspec

from torhaus.codecs.models import native
from torhaus.daemon.config.codec_names import LAYOUT, codec_fault
from torhaus.daemon.config.document import ConfigFaults, Fault, Tree, parse, read_text
from torhaus.daemon.config.expect import did_you_mean, quote
from torhaus.daemon.config.sample import samples_folder
from torhaus.daemon.config.validate import Validator

FOLDER: Final = "profiles"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}/[a-z0-9][a-z0-9-]{0,63}\Z")

Line = Annotated[
    str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]{0,200}\Z", description="one line of at most 200 characters")
]
FPort = Annotated[int, msgspec.Meta(ge=1, le=255, description="an FPort from 1 to 255")]
Interval = Annotated[float, msgspec.Meta(gt=0, le=2_678_400, description="seconds, at most 31 days")]


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What people call the model."""

    de: Line = ""
    en: Line = ""


class Battery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The field that says how the battery is, and below what it is low."""

    field: Line
    low: float | None = None


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model.

    `codec`: as at a device; None: the native codec of vendor and model. `encoder`: a script for downlinks, where it is
    another. `fports`: payloads on others are not decoded. `interval_s`: how often it sends, for who is overdue.
    `licence` and `source`: of an imported script.
    """

    codec: Line | None = None
    encoder: Line | None = None
    name: Names = Names()
    fports: tuple[FPort, ...] = ()
    interval_s: Interval | None = None
    battery: Battery | None = None
    licence: Line = ""
    source: Line = ""


class NoProfile(ValueError):  # noqa: N818 - what a name is
    """There is no profile of this name; the text says what would be right."""


def find(name: str, scripts: Path) -> Profile:
    """The profile, with its codec. NoProfile when there is none; ConfigFaults when it has faults."""
    vendor, _, model = name.partition("/")
    if not is_name(name):
        raise NoProfile(f"is {quote(name)}, must be vendor/model in lower case, such as elsys/ers-co2")
    files = (folder / FOLDER / vendor / f"{model}.toml" for folder in (scripts, samples_folder()))
    path = next((file for file in files if file.is_file()), None)
    profile = Profile() if path is None else read(path, scripts)
    if profile.codec is not None:
        return profile
    codec = native(vendor, model)
    if codec is None:
        text = f"is {quote(name)}, but there is no such profile in {scripts / FOLDER} and no native codec for it"
        raise NoProfile(text + did_you_mean(name, [n for n, _ in every(scripts)]))
    return msgspec.structs.replace(profile, codec=codec)


def is_name(name: str) -> bool:
    """Whether it may name a profile."""
    return _NAME.match(name) is not None


def read(path: Path, scripts: Path) -> Profile:
    """A profile's file. ConfigFaults with every fault, each with its line."""
    shown = str(path)
    tree = Tree()
    tree.add(parse(read_text(path, shown), shown))
    check = Validator(path.parent)
    profile = check.struct(tree.data, Profile)
    if profile is not None:
        for key, codec in (("codec", profile.codec), ("encoder", profile.encoder)):
            text = codec_fault(codec, scripts) if codec is not None else None
            if text:
                check.fault((key,), text)
    if profile is None or check.faults:
        raise ConfigFaults([tree.fault(place, text) for place, text in check.faults.items()])
    if profile.codec is not None and profile.codec.endswith(LAYOUT):
        from torhaus.daemon.config.layouts import read_layout

        read_layout(scripts / profile.codec)
    return profile


def every(scripts: Path) -> Iterator[tuple[str, Path]]:
    """Every profile that has a file, by name; a site's own hide those that ship with torhaus."""
    found: dict[str, Path] = {}
    for folder in (samples_folder() / FOLDER, scripts / FOLDER):
        for path in folder.glob("*/*.toml"):
            found[path.relative_to(folder).with_suffix("").as_posix()] = path
    yield from sorted(found.items())


class Profiles:
    """The profiles of one list of devices: each is read once."""

    def __init__(self, scripts: Path) -> None:
        self.faults: list[Fault] = []
        self._find = partial(find, scripts=scripts)
        self._found: dict[str, Profile | str | None] = {}

    def get(self, name: str) -> Profile | str | None:
        """The profile; what is wrong with its name; None when its file has faults, which are among `faults`."""
        if name not in self._found:
            self._found[name] = self._look(name)
        return self._found[name]

    def _look(self, name: str) -> Profile | str | None:
        try:
            return self._find(name)
        except NoProfile as e:
            return str(e)
        except ConfigFaults as e:
            self.faults += e.faults
            return None
