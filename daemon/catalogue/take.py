"""A catalogue's models into the folder of decoders: script, examples and profile of each. Nothing of them is run here.

`<vendor>/<script>.js` (a folder where the script has files of its own), `<vendor>/<model>.examples.jsonl`,
`profiles/<vendor>/<model>.toml`. What is there already and says something else stays as it is.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from torhaus.codecs.models import native
from torhaus.daemon.catalogue.model import Entry, Line, Skipped, slug
from torhaus.daemon.config.profiles import FOLDER
from torhaus.daemon.scripts.source import Package, read_package

MAX_MODELS: Final = 5000
_PLAIN_NAMES: Final = frozenset({"index", "main", "codec", "decoder"})
"""Names of scripts that say nothing: their folder's is taken instead."""


class Choice(msgspec.Struct, frozen=True):
    """What of a catalogue is wanted. `only`: vendors, or vendor/model; `replace` what is there already.

    `with_native`: also models that torhaus decodes itself; their profile then names the script.
    """

    only: tuple[str, ...] = ()
    replace: bool = False
    with_native: bool = False

    def has(self, entry: Entry) -> bool:
        """Whether a model is wanted."""
        return not self.only or entry.vendor in self.only or f"{entry.vendor}/{entry.model}" in self.only


class Taken(msgspec.Struct, frozen=True):
    """One model that was taken. `codec`: as a device names it; `examples`: lines for `torhaus codecs test`."""

    profile: str
    codec: str
    licence: str
    examples: tuple[Line, ...]


class _There(Exception):  # noqa: N818 - a state of the folder
    """A file of that name says something else."""


def take(entries: Iterable[Entry | Skipped], scripts: Path, choice: Choice) -> list[Taken | Skipped]:
    """Take them into the folder `scripts`. Raises OSError when it cannot be written."""
    found: list[Taken | Skipped] = []
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        if len(found) >= MAX_MODELS:
            found.append(Skipped("the rest", f"more than {MAX_MODELS} models"))
            break
        if isinstance(entry, Skipped):
            vendor = entry.what.partition("/")[0]
            if not choice.only or any(only.partition("/")[0] == slug(vendor) for only in choice.only):
                found.append(entry)
        elif choice.has(entry) and (entry.vendor, entry.model) not in seen:  # the device, not its codec of that name
            seen.add((entry.vendor, entry.model))
            found.append(_one(entry, scripts, choice))
    return found


def _one(entry: Entry, scripts: Path, choice: Choice) -> Taken | Skipped:
    name = f"{entry.vendor}/{entry.model}"
    codec = native(entry.vendor, entry.model)
    if codec is not None and not choice.with_native:
        return Skipped(name, f"decoded by torhaus itself ({codec}); --with-native takes the script")
    try:
        codec = _script(entry.script, entry.vendor, scripts, replace=choice.replace)
        encoder = _script(entry.encoder, entry.vendor, scripts, replace=choice.replace) if entry.encoder else None
        examples = tuple(_named(line, codec, encoder) for line in entry.examples)
        if examples:
            lines = b"".join(msgspec.json.encode(line) + b"\n" for line in examples)
            _write(scripts / f"{name}.examples.jsonl", lines, replace=True)
        text = profile_text(entry, codec, encoder)
        _write(scripts / FOLDER / f"{name}.toml", text.encode(), replace=choice.replace)
    except (_There, ValueError) as e:
        return Skipped(name, str(e))
    return Taken(name, codec, entry.licence, examples)


def _named(line: Line, codec: str, encoder: str | None) -> Line:
    other = encoder if "codec_path" in line else None
    return {**line, "codec_path": other or codec}


def _script(path: Path, vendor: str, scripts: Path, *, replace: bool) -> str:
    """Copy a script and its package; returns its name as a codec. ValueError when it cannot be one."""
    package = read_package(path)
    stem = slug(path.parent.name if path.stem in _PLAIN_NAMES else path.stem)
    if not package.files:
        _write(scripts / vendor / f"{stem}.js", package.text.encode(), replace=replace)
        return f"{vendor}/{stem}.js"
    folder = scripts / vendor / stem
    _write(folder / "package.json", _manifest(package), replace=replace)  # the bound of what it may ask for
    for name, text in {package.main: package.text, **package.files}.items():
        if name != "package.json":
            _write(folder / name, text.encode(), replace=replace)
    return f"{vendor}/{stem}/{package.main}"


def _manifest(package: Package) -> bytes:
    return package.files.get("package.json", f'{{"main": "{package.main}"}}\n').encode()


def profile_text(entry: Entry, codec: str, encoder: str | None = None) -> str:
    """The profile's file."""
    lines = ["# Taken from a catalogue (torhaus codecs import). Edit it as you like: it is not written over.", ""]
    lines.append(f"codec = {_quoted(codec)}")
    if encoder is not None:
        lines.append(f"encoder = {_quoted(encoder)}")
    if entry.keeps_state:
        lines.append("# By the catalogue this decoder keeps something of a device's earlier messages: torhaus gives it")
        lines.append("# back with the next one, until torhaus is started anew.")
    if entry.name:
        lines.append(f"name = {{ en = {_quoted(entry.name)} }}")
    lines.append(f"licence = {_quoted(entry.licence)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """One line as a TOML string, which JSON's are."""
    line = "".join(c for c in " ".join(text.split()) if c.isprintable())
    return msgspec.json.encode(line[:200]).decode()


def _write(path: Path, data: bytes, *, replace: bool) -> None:
    """Write a file whole or not at all. _There when there is one that says something else."""
    if path.is_symlink() or (path.exists() and not replace):
        if path.is_symlink() or path.read_bytes() != data:
            raise _There(f"{path} is there already and says something else (--replace writes over it)")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(data)
    draft.replace(path)
