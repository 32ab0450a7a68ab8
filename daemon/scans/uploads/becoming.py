"""An upload whose bytes are all there becomes a scan: what is known of it, and what is written down with it."""

import msgspec

from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.spool import Draft
from torhaus.daemon.scans.uploads import ledger
from torhaus.daemon.scans.uploads.ledger import Upload
from torhaus.daemon.scans.uploads.sites import Coming


class Becoming:
    """`used`: the uploads that are needed no more. `coming`: what another torhaus says of the document."""

    def __init__(self, upload: Upload, draft: Draft, used: list[str], coming: Coming | None) -> None:
        self._draft = draft
        self._used = used
        self._coming = coming
        self._upload = upload
        self._size = draft.size_bytes

    def done(self, scan: Scan) -> Upload:
        """The upload when it is that scan."""
        return msgspec.structs.replace(self._upload, state="done", scan=scan.seq, length=self._size, offset=self._size)

    def known(self, tx: Tx) -> Scan | None:
        """It is one already, or another torhaus has delivered the document before."""
        row = ledger.get(tx, self._upload.id, self._upload.station)
        if row is not None and row.scan is not None:
            return tx.get(row.scan)
        before = self._coming.known(tx) if self._coming is not None else None
        if before is not None and before.sha256 == self._draft.sha256:
            self._write(tx, before)
        return before

    def also(self, tx: Tx, scan: Scan) -> None:
        """It is a new one."""
        if self._coming is not None:
            self._coming.enter(tx, scan)
        self._write(tx, scan)

    def _write(self, tx: Tx, scan: Scan) -> None:
        if self._upload.kind == "final":
            ledger.remove(tx, self._used)
            ledger.add(tx, self.done(scan))
        else:
            ledger.change(tx, self.done(scan))
