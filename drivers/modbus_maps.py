"""Where maps of registers come from: those that ship with torhaus, and files of one's own."""

import tomllib
from pathlib import Path
from typing import Final

import msgspec

from torhaus.codecs.framing.modbus_blocks import merge
from torhaus.codecs.meter.modbus_map import Map

MAX_MAP_BYTES: Final = 1 << 20


def maps_folder() -> Path:
    """`config/modbus` of the source tree, or where an installed package has its samples."""
    root = Path(__file__).resolve().parents[1]
    packaged = root / "daemon" / "samples" / "modbus"
    return packaged if packaged.is_dir() else root / "config" / "modbus"


def names() -> list[str]:
    """The maps that ship with torhaus."""
    return sorted(path.stem for path in maps_folder().glob("*.toml"))


def built_in(name: str) -> Map:
    """A map that ships with torhaus. ValueError with the names there are."""
    if name not in names():
        raise ValueError(f'"{name}" is no map that comes with torhaus; there are {", ".join(names())}')
    return read_map(maps_folder() / f"{name}.toml")


def read_map(path: Path) -> Map:
    """A map from a file. ValueError says what is wrong with it and where."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_MAP_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    if len(text) > MAX_MAP_BYTES:
        raise ValueError(f"{path}: is larger than {MAX_MAP_BYTES} bytes")
    try:
        found = msgspec.convert(tomllib.loads(text.decode("utf-8")), Map)
        merge(found.spans(), found.max_gap, found.max_registers)
    except (ValueError, msgspec.ValidationError, RecursionError) as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())[:300]}") from error
    return found
