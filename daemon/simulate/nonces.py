"""What simulated devices keep from run to run, as real ones do in their flash: the DevNonce and JoinNonce used last."""

from pathlib import Path
from typing import Final

import msgspec

NONCES: Final = "simulated-nonces.json"
_MAX_BYTES: Final = 8 << 20


class Nonces:
    """In a file beside the lists of devices; without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def read(self) -> dict[str, tuple[int, int]]:
        """By DevEUI; none where there is no such file. Raises ValueError for one that is something else, OSError."""
        if self._path is None or not self._path.exists():
            return {}
        with self._path.open("rb") as file:
            return msgspec.json.decode(file.read(_MAX_BYTES), type=dict[str, tuple[int, int]])

    def write(self, nonces: dict[str, tuple[int, int]]) -> None:
        """Keep them, with those of devices that were not simulated this time. Raises OSError, ValueError."""
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        new.write_bytes(msgspec.json.format(msgspec.json.encode(self.read() | nonces), indent=1))
        new.replace(self._path)
