"""How a script's file becomes text."""

from pathlib import Path

from torhaus.daemon.scripts.protocol import MAX_SOURCE_BYTES


def read_source(path: Path) -> str:
    """A script's text. Raises OSError, and ValueError when it is larger than MAX_SOURCE_BYTES."""
    with path.open("rb") as file:
        data = file.read(MAX_SOURCE_BYTES + 1)
    if len(data) > MAX_SOURCE_BYTES:
        raise ValueError(f"{path}: larger than {MAX_SOURCE_BYTES} bytes")
    return decode_source(data)


def decode_source(data: bytes) -> str:
    """UTF-8, with or without BOM, else Windows-1252, in which older editors wrote their degree signs."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
