"""One request's bytes on their way into an upload's file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from torhaus.daemon.scans.threads import to_end
from torhaus.daemon.scans.uploads import ledger
from torhaus.daemon.scans.uploads.body import BATCH_NS
from torhaus.daemon.scans.uploads.config import HttpStation
from torhaus.daemon.scans.uploads.ledger import Upload
from torhaus.daemon.scans.uploads.part import Part
from torhaus.daemon.scans.uploads.taking import Taking

if TYPE_CHECKING:
    from hashlib import _Hash

SYNC_BYTES: Final = 16 << 20
"""So much may have to be sent again after a crash."""
SYNC_NS: Final = 5 * BATCH_NS


class Flow:
    """Writes, and from time to time flushes and writes down how far it has come.

    With `digest` only at the end: before, nobody knows whether the bytes are good.
    """

    def __init__(
        self, taking: Taking, station: HttpStation, upload: Upload, part: Part, digest: "_Hash | None"
    ) -> None:
        self._taking = taking
        self._station = station
        self._upload = upload
        self._part = part
        self.digest = digest
        self._kept_bytes = part.size_bytes
        self._kept_ns = taking.clock.boot_ns()

    async def add(self, pieces: Sequence[bytes]) -> None:
        """Some more. Raises OSError, sqlite3.Error."""
        await to_end(self._write, pieces)
        if self.digest is None and (
            self._part.size_bytes - self._kept_bytes >= SYNC_BYTES
            or self._taking.clock.boot_ns() - self._kept_ns >= SYNC_NS
        ):
            await self.keep()

    def _write(self, pieces: Sequence[bytes]) -> None:
        self._taking.spool.check_room(sum(map(len, pieces)))
        if self.digest is not None:
            for piece in pieces:
                self.digest.update(piece)
        self._part.append(pieces)

    async def keep(self) -> Upload:
        """What came is on disk, and the ledger says so. Raises OSError, sqlite3.Error."""
        await to_end(self._part.sync)
        expires_ns = self._taking.clock.wall_ns() + int(self._station.expires_s * 1e9)
        upload = msgspec.structs.replace(self._upload, offset=self._part.size_bytes, expires_ns=expires_ns)
        await self._taking.db.run(lambda tx: ledger.change(tx, upload))
        self._kept_bytes, self._kept_ns = self._part.size_bytes, self._taking.clock.boot_ns()
        return upload
