"""From a quiet file in a hot folder to a checked copy in the spool that only lacks its place in the store."""

import asyncio
import errno
import os
from collections.abc import Callable

import msgspec

from torhaus.codecs.sidecar import Told
from torhaus.daemon.scans.check import Check, CheckUnavailable
from torhaus.daemon.scans.checker import Verdict
from torhaus.daemon.scans.config import Station
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.folder import Entry, Identity, beneath, identity_of
from torhaus.daemon.scans.spool import Draft, Spool, TooLarge
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.uploads.config import HttpStation


class Seen(msgspec.Struct):
    """What is known of an entry that is not taken yet. `since_ns` (boot time): when it was first seen as it is."""

    identity: Identity
    since_ns: int
    failed: Reason | None = None
    told: str = ""


class Quiet(msgspec.Struct, frozen=True):
    """An entry that is finished. `give_up`: it stood still for so long that it is taken even if it does not pass.

    `told` is what its sidecar says; `beside` goes when the document has gone.
    """

    entry: Entry
    seen: Seen
    give_up: bool
    told: Told = Told()
    hold: Reason | None = None
    beside: tuple[Entry, ...] = ()


class Together(msgspec.Struct, frozen=True):
    """Documents that become scans in one transaction, or not at all: a batch, or what shares a sidecar.

    `batch` is its name; None where they are only neighbours. `hold`: they wait for a person, and why.
    """

    files: tuple[Quiet, ...]
    batch: str | None
    hold: Reason | None
    give_up: bool


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """One file's copy and what the check says. `is_kept`: the copy has its name in the spool; else it is gone again."""

    draft: Draft
    verdict: Verdict
    is_kept: bool


def judged(station: Station | HttpStation, verdict: Verdict) -> Verdict:
    """The station's own rules on top of the check's findings."""
    if verdict.reason is Reason.UNKNOWN_TYPE and station.unknown_types == "pass":
        return Verdict(verdict.media_type, None, 0, ("unchecked",))
    if verdict.reason is None and "encrypted" in verdict.flags and station.encrypted == "quarantine":
        return msgspec.structs.replace(verdict, reason=Reason.ENCRYPTED)
    return verdict


class Preparation:
    """Copies and checks for one station; several files may be under way at a time."""

    def __init__(self, station: Station, spool: Spool, check: Check, disk: Disk) -> None:
        self._station = station
        self._spool = spool
        self._check = check
        self._disk = disk

    async def prepare(
        self, entry: Entry, *, take_bad: bool, is_known: Callable[[str], bool], is_last: bool = True
    ) -> Prepared | None:
        """Copy, check, and keep the copy if the file is good or `take_bad` says so.

        Not kept is what `is_known` by its hash. None: changed, vanished or replaced while it was read. Unless this
        `is_last`, a copy that is kept has no name yet: `publish` or `discard` follows. Raises OSError,
        CheckUnavailable.
        """
        draft = await asyncio.to_thread(self._copy, entry)
        if draft is None:
            return None
        try:
            verdict = judged(
                self._station,
                await self._check.check(self._spool.content_of(draft), codes=self._station.cover_sheets != "off"),
            )
            is_kept = (verdict.reason is None or take_bad) and not is_known(draft.sha256)
            if is_last or not is_kept:
                await asyncio.to_thread(self._spool.publish if is_kept else self._spool.discard, draft)
        except (OSError, CheckUnavailable):
            await asyncio.to_thread(self._spool.discard, draft)
            raise
        return Prepared(draft, verdict, is_kept)

    async def publish(self, prepared: list[Prepared]) -> None:
        """Give copies that are kept their names. Raises OSError; those without a name are gone then."""
        try:
            await asyncio.gather(*(asyncio.to_thread(self._spool.publish, p.draft) for p in prepared))
        except OSError:
            await self.discard(prepared)
            raise

    async def discard(self, prepared: list[Prepared]) -> None:
        """These copies are not wanted after all."""
        for p in prepared:
            await asyncio.to_thread(self._spool.discard, p.draft)

    def _copy(self, entry: Entry) -> Draft | None:
        """Copy into the spool; None when the file was not the same before and after. Blocks."""
        try:
            with beneath(entry) as path:
                fd = self._disk.open_read(path)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EINVAL, errno.ENXIO}:
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
