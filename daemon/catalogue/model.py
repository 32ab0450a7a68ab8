"""What is found in a catalogue of devices, whichever form it has."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from torhaus.daemon.scripts.source import read_source

Line = dict[str, Any]
"""An example in the form that `torhaus codecs test` takes."""

_LICENCE: Final = re.compile(
    r"(?i)(SPDX-License-Identifier:\s*\S+|copyright\b.{0,60}|licen[cs]ed? under.{0,60}|\bMIT\b.{0,20})"
)
_HEADER: Final = 2000


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One model of one vendor. `vendor` and `model` in lower case, words joined by hyphens.

    `script` is its decoder; `encoder` another script for downlinks, where there is one. `examples` are the catalogue's
    own, with a `codec_path` only where they are for the encoder. `keeps_state`: the catalogue says that the script
    needs the context of earlier messages.
    """

    vendor: str
    model: str
    name: str = ""
    script: Path
    encoder: Path | None = None
    examples: tuple[Line, ...] = ()
    licence: str = "not stated"
    keeps_state: bool = False


class Skipped(msgspec.Struct, frozen=True):
    """Something that cannot be used, and why."""

    what: str
    why: str


Found = Iterator[Entry | Skipped]
Reader = Callable[[Path], Found]
"""Everything that a catalogue in this folder has. Raises OSError."""


def slug(text: object) -> str:
    """A vendor or a model as in a profile's name: `EM300-TH (v2)` becomes `em300-th-v2`."""
    return re.sub(r"[^a-z0-9]+", "-", str(text).lower()).strip("-")[:64]


def hexed(value: object) -> str:
    """Bytes of an example, a list of numbers or hexadecimal, as hexadecimal. ValueError when they are neither."""
    if isinstance(value, str):
        return bytes.fromhex(value).hex()
    if isinstance(value, list) and all(isinstance(b, int) for b in value):
        return bytes(value).hex()
    raise ValueError("an example without bytes")


def licence_of(script: Path, stated: object = None, root: Path | None = None) -> str:
    """What a catalogue or the script's own header says of its licence, in one line; else the file at its `root`."""
    if isinstance(stated, str) and stated.strip():
        return " ".join(stated.split())[:100]
    try:
        found = _LICENCE.search(read_source(script)[:_HEADER])
    except (OSError, ValueError):
        return "not stated"
    if found:
        return " ".join(found[0].split())[:100].strip("*/ ")
    return "not stated" if root is None else _of_all(root)


def _of_all(root: Path) -> str:
    """The head of a catalogue's LICENSE file."""
    for name in ("LICENSE", "LICENSE.md", "LICENSE.txt", "COPYING"):
        try:
            with (root / name).open("rb") as file:
                text = file.read(_HEADER).decode("utf-8", "replace")
        except OSError:
            continue
        head = next((" ".join(line.split()) for line in text.splitlines() if line.strip()), "")
        return f"{head[:60].strip('# ')} ({name} of the catalogue)" if head else "not stated"
    return "not stated"
