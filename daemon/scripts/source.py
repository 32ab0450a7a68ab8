"""How a script's file becomes text, and the scripts that the host knows."""

import hashlib
from pathlib import Path
from typing import Final

from torhaus.daemon.scripts.protocol import MAX_SOURCE_BYTES

MAX_SCRIPTS: Final = 512
MAX_SOURCES_BYTES: Final = 32 << 20
"""All registered sources together; the process holds them, too."""


class Sources(dict[str, str]):
    """Texts of scripts by their hash, bounded in number and size."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0

    def add(self, text: str) -> str:
        """Take a script; returns its hash. ValueError when it is too large or there are too many."""
        data = text.encode()
        source_hash = hashlib.sha256(data).hexdigest()
        if source_hash in self:
            return source_hash
        if len(data) > MAX_SOURCE_BYTES:
            raise ValueError(f"a script of {len(data)} bytes; at most {MAX_SOURCE_BYTES} are taken")
        if len(self) >= MAX_SCRIPTS or self._bytes + len(data) > MAX_SOURCES_BYTES:
            raise ValueError(f"more than {MAX_SCRIPTS} scripts or {MAX_SOURCES_BYTES} bytes of them")
        self[source_hash] = text
        self._bytes += len(data)
        return source_hash

    def forget(self, source_hash: str) -> None:
        """Drop a script; one that is not there is no mistake."""
        self._bytes -= len(self.pop(source_hash, "").encode())


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
