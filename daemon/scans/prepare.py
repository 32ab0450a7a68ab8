"""From a quiet file in a hot folder to a checked copy in the spool that only lacks its place in the store."""

import asyncio
import errno
import os
from collections.abc import Callable

import msgspec

from torhaus.daemon.scans.check import Check, CheckUnavailable
from torhaus.daemon.scans.checker import Verdict
from torhaus.daemon.scans.config import Station
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.folder import Entry, Identity, identity_of
from torhaus.daemon.scans.spool import Draft, Spool, TooLarge
from torhaus.daemon.scans.states import Reason


class Seen(msgspec.Struct):
    """What is known of an entry that is not taken yet. `since_ns` (boot time): when it was first seen as it is."""

    identity: Identity
    since_ns: int
    failed: Reason | None = None
    told: str = ""


class Quiet(msgspec.Struct, frozen=True):
    """An entry that stood still for long enough. `give_up`: for so long that it is taken even if it does not pass."""

    entry: Entry
    seen: Seen
    give_up: bool


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """One file's copy and what the check says. `is_kept`: the copy has its name in the spool; else it is gone again."""

    draft: Draft
    verdict: Verdict
    is_kept: bool


class Preparation:
    """Copies and checks for one station; several files may be under way at a time."""

    def __init__(self, station: Station, spool: Spool, check: Check, disk: Disk) -> None:
        self._station = station
        self._spool = spool
        self._check = check
        self._disk = disk

    async def prepare(self, entry: Entry, *, take_bad: bool, is_known: Callable[[str], bool]) -> Prepared | None:
        """Copy, check, and keep the copy if the file is good or `take_bad` says so.

        Not kept is what `is_known` by its hash. None: changed, vanished or replaced while it was read. Raises OSError,
        CheckUnavailable.
        """
        draft = await asyncio.to_thread(self._copy, entry)
        if draft is None:
            return None
        try:
            verdict = self._judge(await self._check.check(draft.path, codes=self._station.cover_sheets != "off"))
            is_kept = (verdict.reason is None or take_bad) and not is_known(draft.sha256)
            await asyncio.to_thread(self._spool.publish if is_kept else self._spool.discard, draft)
        except (OSError, CheckUnavailable):
            await asyncio.to_thread(self._spool.discard, draft)
            raise
        return Prepared(draft, verdict, is_kept)

    def _judge(self, verdict: Verdict) -> Verdict:
        """The station's own rules on top of the check's findings."""
        if verdict.reason is Reason.UNKNOWN_TYPE and self._station.unknown_types == "pass":
            return Verdict(verdict.media_type, None, 0, ("unchecked",))
        if verdict.reason is None and "encrypted" in verdict.flags and self._station.encrypted == "quarantine":
            return msgspec.structs.replace(verdict, reason=Reason.ENCRYPTED)
        return verdict

    def _copy(self, entry: Entry) -> Draft | None:
        """Copy into the spool; None when the file was not the same before and after. Blocks."""
        try:
            fd = self._disk.open_read(entry.path)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ELOOP, errno.EINVAL, errno.ENXIO}:
                return None  # gone, or a link or device by now
            raise
        try:
            draft = self._spool.draft(fd, self._station.max_bytes)
            same = identity_of(os.fstat(fd)) == entry.identity and draft.size_bytes == entry.identity.size_bytes
        except TooLarge:
            return None
        finally:
            os.close(fd)
        if not same:
            self._spool.discard(draft)
            return None
        return draft
