"""Uploads in pieces on disk: begun, added to, checked, put together, finished, given up.

An offset is written down, and told, after its bytes are flushed. One request at a time adds to an upload; a second one
hears 423. A question where it stands (HEAD), which is what a client asks after its line was cut, ends the old request,
whose line may look alive for minutes.
"""

import asyncio
import hmac
import sqlite3
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager, closing, contextmanager, suppress
from typing import Final

import msgspec
from aiohttp import web

from torhaus.codecs.tus import ALGORITHMS, parse_checksum, parse_metadata
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.spool import Draft
from torhaus.daemon.scans.threads import to_end
from torhaus.daemon.scans.uploads import ledger
from torhaus.daemon.scans.uploads.becoming import Becoming
from torhaus.daemon.scans.uploads.body import Cut, TooLong, batches, is_coded, let_come
from torhaus.daemon.scans.uploads.config import HttpStation
from torhaus.daemon.scans.uploads.flow import Flow
from torhaus.daemon.scans.uploads.ledger import Files, Upload
from torhaus.daemon.scans.uploads.part import Mark, Part, Shorter
from torhaus.daemon.scans.uploads.problem import CHECKSUM_MISMATCH, Problem
from torhaus.daemon.scans.uploads.sites import Sites
from torhaus.daemon.scans.uploads.taking import Taking

CONTENT_TYPE: Final = "application/offset+octet-stream"
MAX_MARKS: Final = 64
"""Uploads whose hash so far is kept in memory; of others the bytes are read again when they go on."""
TAKE_OVER_S: Final = 5.0


class Pieces:
    """All stations' uploads."""

    def __init__(self, files: Files, taking: Taking, idle_s: float, sites: Sites) -> None:
        self.files = files
        self.taking = taking
        self._idle_s = idle_s
        self._sites = sites
        self._marks: OrderedDict[str, Mark] = OrderedDict()
        self._busy: dict[str, tuple[web.Request | None, asyncio.Event]] = {}

    def expires_ns(self, station: HttpStation) -> int:
        """When an upload is given up to which something was added now."""
        return self.taking.clock.wall_ns() + int(station.expires_s * 1e9)

    @asynccontextmanager
    async def hold(
        self, station: HttpStation, request: web.Request, *, take_over: bool = False
    ) -> AsyncIterator[Upload]:
        """The upload that the request is about, for nobody else meanwhile. Raises Problem (404, 410, 423)."""
        upload_id = request.match_info["upload"]
        if take_over and upload_id in self._busy:
            other, ended = self._busy[upload_id]
            if other is not None and other.transport is not None:
                other.transport.abort()
            try:
                async with asyncio.timeout(TAKE_OVER_S):
                    await ended.wait()
            except TimeoutError:
                raise Problem(423, "another request adds to this upload") from None
        with self.claimed(upload_id, None if take_over else request):
            yield await self._get(station, upload_id)

    @contextmanager
    def claimed(self, upload_id: str, request: web.Request | None = None) -> Iterator[None]:
        """Nobody else has this upload meanwhile. Raises Problem (423)."""
        if upload_id in self._busy:
            raise Problem(423, "another request adds to this upload")
        self._busy[upload_id] = (request, asyncio.Event())
        try:
            yield
        finally:
            self._busy.pop(upload_id)[1].set()

    async def _get(self, station: HttpStation, upload_id: str) -> Upload:
        upload = await self.taking.db.run(lambda tx: ledger.get(tx, upload_id, station.name))
        if upload is None:
            raise Problem(404, "there is no such upload")
        if upload.state == "bad" or upload.expires_ns <= self.taking.clock.wall_ns():
            raise Problem(410, "this upload was given up: begin anew")
        return upload

    async def begin(self, station: HttpStation, upload: Upload) -> None:
        """Make its file and write it down. Raises Problem (429, 503, 507)."""

        def make() -> None:
            Part.create(self.taking.disk, self.files.path(upload.id)).close()
            self.files.settle()

        def work(tx: Tx) -> bool:
            if ledger.open_ones(tx, station.name) >= station.max_open:
                return False
            ledger.add(tx, upload)
            return True

        is_begun = False
        try:
            await to_end(make)
            is_begun = await self.taking.db.run(work)
        except (OSError, sqlite3.Error) as error:
            raise self.taking.trouble(station, error) from error
        finally:
            if not is_begun:
                with suppress(OSError):
                    await asyncio.to_thread(self.files.unlink, upload.id)
        if is_begun:
            return
        self.taking.leave(station, "quota")
        raise Problem(429, f"{station.max_open} uploads are under way: end or delete some", {"Retry-After": "60"})

    async def receive(self, request: web.Request, station: HttpStation, upload: Upload) -> Upload:
        """Add the body; with the last byte it becomes a scan. Raises Problem, DecodeError."""
        checksum = request.headers.get("Upload-Checksum")
        wanted = parse_checksum(checksum) if checksum is not None else None
        limit = (station.max_bytes if upload.length is None else upload.length) - upload.offset
        if is_coded(request):
            raise Problem(415, "send the document's own bytes: not compressed")
        if (request.content_length or 0) > limit:
            raise Problem(413, "more bytes than Upload-Length says, or than a document may have")
        await let_come(request)
        try:
            part = await to_end(self._open, upload, undo=Part.close)
        except (FileNotFoundError, Shorter):
            raise Problem(410, "this upload's bytes are gone: begin anew") from None
        except OSError as error:
            raise self.taking.trouble(station, error) from error
        before = part.mark()
        digest = ALGORITHMS[wanted.algorithm](usedforsecurity=False) if wanted is not None else None
        flow = Flow(self.taking, station, upload, part, digest)
        try:
            await self._flow(request, flow, limit)
            is_good = digest is None or wanted is None or hmac.compare_digest(digest.digest(), wanted.digest)
            if not is_good:
                await to_end(part.back_to, before)
                self.taking.leave(station, "checksum")
                raise Problem(CHECKSUM_MISMATCH, "the bytes that came have another checksum: they were discarded")
            upload = await flow.keep()
        except (OSError, sqlite3.Error) as error:
            raise self.taking.trouble(station, error) from error
        finally:
            self._remember(upload.id, part.mark())
            part.close()
        if upload.kind == "whole" and upload.is_whole:
            return await self.finish(station, upload)
        return upload

    async def _flow(self, request: web.Request, flow: Flow, limit: int) -> None:
        try:
            async with aclosing(batches(request, limit, self._idle_s, self.taking.clock)) as found:
                async for pieces in found:
                    await flow.add(pieces)
        except Cut:
            if flow.digest is None:  # else it is not known whether they are good
                await flow.keep()
            raise Problem(408, "the body ended too early, or came too slowly") from None
        except TooLong:
            raise Problem(413, "more bytes than Upload-Length says, or than a document may have") from None

    def _open(self, upload: Upload) -> Part:
        known = self._marks.get(upload.id)
        return Part.reopen(self.taking.disk, self.files.path(upload.id), upload.offset, known)

    def _remember(self, upload_id: str, mark: Mark) -> None:
        self._marks[upload_id] = mark
        self._marks.move_to_end(upload_id)
        if len(self._marks) > MAX_MARKS:
            self._marks.popitem(last=False)

    async def finish(self, station: HttpStation, upload: Upload) -> Upload:
        """All bytes are there: a scan, if they have the hash that the sender said. Raises Problem."""
        try:
            part = await to_end(self._open, upload, undo=Part.close)
            sha256 = part.sha256
            part.close()
            if upload.sha256 not in {None, sha256}:
                await self._give_up(station, upload)
            spool, path = self.taking.spool, self.files.path(upload.id)
            draft = await to_end(spool.adopt, path, sha256, upload.offset, undo=spool.discard)
            if draft.sha256 != sha256:  # the disk gave back other bytes than were flushed to it
                await asyncio.to_thread(spool.discard, draft)
                await self._give_up(station, upload)
        except Shorter:
            await self._give_up(station, upload)
        except (OSError, sqlite3.Error) as error:
            raise self.taking.trouble(station, error) from error
        return await self._become(station, upload, draft, [upload.id])

    async def _become(self, station: HttpStation, upload: Upload, draft: Draft, used: list[str]) -> Upload:
        """A scan. `used`: the files that are needed no more."""
        coming = self._sites.by_metadata(station, parse_metadata(upload.metadata))
        becoming = Becoming(upload, draft, used, coming)
        scan, _ = await self.taking.take(station, upload.name, draft, becoming.known, becoming.also)
        if coming is not None:
            self._sites.tell(station, coming)
        if scan.sha256 != draft.sha256:
            await self._give_up(station, upload)
        for upload_id in used:
            self._marks.pop(upload_id, None)
            await asyncio.to_thread(self.files.unlink, upload_id)
        return becoming.done(scan)

    async def _give_up(self, station: HttpStation, upload: Upload) -> None:
        """The whole is not what the sender said: never a scan."""
        at_ns = self.taking.clock.wall_ns()

        def work(tx: Tx) -> None:
            ledger.change(tx, msgspec.structs.replace(upload, state="bad"))
            tx.enter("fault.upload_sha256", at_ns, where=station.name)

        await self.taking.db.run(work)
        await asyncio.to_thread(self.files.unlink, upload.id)
        self.taking.leave(station, "digest")
        raise Problem(CHECKSUM_MISMATCH, "the whole has another SHA-256 than Upload-Metadata says: begin anew")

    async def concatenate(self, station: HttpStation, upload: Upload, ids: Sequence[str]) -> Upload:
        """A scan from complete parts, in this order; then they are gone. Once more: the same scan. Raises Problem."""
        if len(set(ids)) != len(ids):
            raise Problem(400, "Upload-Concat names a part twice")
        with ExitStack() as claims:
            for upload_id in ids:
                claims.enter_context(self.claimed(upload_id))
            before = await self.taking.db.run(lambda tx: ledger.made_of(tx, station.name, ids))
            if before is not None and before.expires_ns > self.taking.clock.wall_ns():  # its answer was lost
                if upload.sha256 not in {None, before.sha256}:
                    raise Problem(CHECKSUM_MISMATCH, "the whole has another SHA-256 than Upload-Metadata says")
                return before
            parts = [await self._get(station, upload_id) for upload_id in ids]
            if not all(p.kind == "partial" and p.is_whole for p in parts):
                raise Problem(400, "Upload-Concat names an upload that is no part, or not complete")
            size = sum(p.offset for p in parts)
            if size > station.max_bytes:
                self.taking.leave(station, "too_large")
                raise Problem(413, f"a document of this station has at most {station.max_bytes} bytes")
            try:
                draft = await to_end(self._join, parts, size, undo=self.taking.spool.discard)
            except OSError as error:
                raise self.taking.trouble(station, error) from error
            if upload.sha256 not in {None, draft.sha256}:
                await asyncio.to_thread(self.taking.spool.discard, draft)
                self.taking.leave(station, "digest")
                raise Problem(CHECKSUM_MISMATCH, "the whole has another SHA-256 than Upload-Metadata says")
            return await self._become(station, upload, draft, list(ids))

    def _join(self, parts: Sequence[Upload], size: int) -> Draft:
        """The parts' bytes in one draft, flushed to disk. Leaves nothing if it fails. Blocks; raises OSError."""
        self.taking.spool.check_room(size)
        path = self.taking.spool.new_path()
        whole = self.taking.spool.writer(path)
        try:
            for upload in parts:
                begun = whole.size_bytes
                with closing(self._open(upload)) as part:
                    while chunk := part.read(whole.size_bytes - begun):
                        whole.append([chunk])
            whole.sync()
        except OSError:
            self.taking.spool.discard(Draft(path, "", 0))
            raise
        finally:
            whole.close()
        return self.taking.spool.drafted(path, whole)

    async def drop(self, ids: list[str]) -> None:
        """Forget uploads and their bytes. Scans stay."""
        await self.taking.db.run(lambda tx: ledger.remove(tx, ids))
        for upload_id in ids:
            self._marks.pop(upload_id, None)
            await asyncio.to_thread(self.files.unlink, upload_id)

    async def tend(self, stations: dict[str, HttpStation]) -> None:
        """Give up what has expired; make scans of what is complete and was interrupted. Raises sqlite3.Error, OSError.

        What cannot be finished now has its turn the next time.
        """
        at_ns = self.taking.clock.wall_ns()
        gone = await self.taking.db.run(lambda tx: ledger.expired(tx, at_ns))
        await self.drop([u.id for u in gone if u.id not in self._busy])
        for upload in await self.taking.db.run(ledger.unfinished):
            station = stations.get(upload.station)
            if station is None or upload.id in self._busy:
                continue
            with suppress(Problem), self.claimed(upload.id):  # a problem is reported where it arises
                await self.finish(station, upload)
