"""One job of an eSCL scanner: order it, fetch its pages, and believe the end only when the scanner's counters agree.

Scanners in the field say 404 (no more pages) too early, give a job's address with a host that nobody can reach, answer
410 for 404, forget their jobs, or give the last page for ever. So "no more" is a question to ScannerStatus: it is the
end when the job is Completed and nothing is left to transfer; all else is waited for, or is trouble.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from torhaus.codecs import escl
from torhaus.codecs.model import DecodeError
from torhaus.daemon.clock import Clock
from torhaus.daemon.scans.disk import CHUNK_BYTES
from torhaus.daemon.scans.pull.base import Pulled
from torhaus.daemon.scans.pull.faults import Fault, PullRefused, Stopped, Trouble
from torhaus.daemon.scans.pull.job import JobFolder
from torhaus.daemon.scans.stations import EsclStation
from torhaus.daemon.scans.threads import to_end

POLL_S: Final = 1.0
CONNECT_S: Final = 10.0
ENDINGS: Final = {"pdf": ("application/pdf", "pdf"), "jpeg": ("image/jpeg", "jpg")}
_NO_MORE: Final = frozenset({404, 410})
_ENDED_BADLY: Final = frozenset({"Aborted", "Canceled"})


class EsclScanner:
    """One network scanner."""

    def __init__(self, station: EsclStation, clock: Clock) -> None:
        self._station = station
        self._clock = clock
        self._base = station.url.rstrip("/")
        parts = urlsplit(self._base)
        self._host = f"{parts.scheme}://{parts.netloc}"

    async def pull(self, folder: JobFolder) -> Pulled:
        """Run one job. Raises PullRefused, OSError of our own disk."""
        async with self._session() as session:
            try:
                job = await self._order(session)
            except (aiohttp.ClientError, TimeoutError) as error:
                name = type(error).__name__
                raise PullRefused(Fault.NO_ANSWER, f"the scanner does not answer ({name})", name) from None
            except DecodeError as error:
                unread = _unread(error)
                raise PullRefused(unread.fault, unread.text, unread.detail) from None
            try:
                return await self._fetch_all(session, job, folder)
            except Stopped as stopped:
                return Pulled(None, stopped.trouble)
            except (aiohttp.ClientError, TimeoutError) as error:
                name = type(error).__name__
                return Pulled(None, Trouble(Fault.BROKEN_OFF, f"the connection broke ({name})", name))
            except DecodeError as error:
                return Pulled(None, _unread(error))
            finally:
                await self._give_up(session, job)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        verify: ssl.SSLContext | bool = True
        if self._station.ca_file is not None:
            verify = await asyncio.to_thread(ssl.create_default_context, cafile=self._station.ca_file)
        page_s = self._station.page_s
        timeout = aiohttp.ClientTimeout(total=CONNECT_S + page_s, sock_connect=CONNECT_S, sock_read=page_s)
        connector = aiohttp.TCPConnector(ssl=verify, limit=1)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
            yield session

    async def _get(self, session: aiohttp.ClientSession, url: str) -> bytes:
        """A small answer. Raises aiohttp.ClientError, TimeoutError, DecodeError."""
        async with session.get(url, allow_redirects=False, raise_for_status=True) as response:
            data = b""
            async for chunk in response.content.iter_chunked(1 << 16):
                data += chunk
                if len(data) > escl.MAX_BYTES:
                    break  # refused by the parser
            return data

    async def _status(self, session: aiohttp.ClientSession) -> escl.Status:
        return escl.parse_status(await self._get(session, f"{self._base}/ScannerStatus"))

    async def _order(self, session: aiohttp.ClientSession) -> str:
        """Start the job: its path. Raises PullRefused and what `_get` raises."""
        s = self._station
        await self._until_idle(session)
        found = await self._get(session, f"{self._base}/ScannerCapabilities")
        caps = escl.parse_capabilities(found, s.source, duplex=s.duplex)
        media_type = ENDINGS[s.format][0]
        if caps.formats and media_type not in caps.formats:
            known = ", ".join(sorted(caps.formats))
            raise _setting(f"the scanner does not make {media_type}, only {known}", media_type, known)
        if caps.colors and escl.color_mode(s.color) not in caps.colors:
            raise _setting(f"the scanner does not scan in {s.color}", s.color, ", ".join(sorted(caps.colors)))
        if caps.resolutions and s.resolution_dpi not in caps.resolutions:
            known = ", ".join(map(str, sorted(caps.resolutions)))
            wanted = f"{s.resolution_dpi} dpi"
            raise _setting(f"the scanner does not scan at {wanted}, only at {known}", wanted, known)
        body = escl.scan_settings(s.source, s.color, media_type, s.resolution_dpi, duplex=s.duplex, caps=caps)
        for _ in range(max(1, int(s.ready_s / POLL_S))):
            async with session.post(
                f"{self._base}/ScanJobs", data=body, headers={"Content-Type": "text/xml"}, allow_redirects=False
            ) as response:
                if response.status == 201:
                    return escl.path_of(response.headers.get("Location", ""))
                if response.status != 503:
                    code = str(response.status)
                    raise PullRefused(Fault.REFUSED, f"the scanner refuses the job: {code}", code)
            await self._clock.sleep(POLL_S)
        raise PullRefused(Fault.BUSY, "the scanner is busy")

    async def _until_idle(self, session: aiohttp.ClientSession) -> None:
        status = await self._status(session)
        for _ in range(int(self._station.ready_s / POLL_S)):
            if status.state == "Idle":
                break
            await self._clock.sleep(POLL_S)
            status = await self._status(session)
        if status.state != "Idle":
            state = status.state or "it does not say what it does"
            raise PullRefused(Fault.NOT_READY, f"the scanner is not ready: {state}", status.state or "?")
        if self._station.source == "feeder" and status.adf is not None and status.adf != "ScannerAdfLoaded":
            fault, words = _feeder(status.adf)
            raise PullRefused(fault, f"the feeder is not ready: {words}", words)

    async def _fetch_all(self, session: aiohttp.ClientSession, job: str, folder: JobFolder) -> Pulled:
        """Raises Stopped and what aiohttp raises; what came is in the folder."""
        waited_s = 0.0
        while True:
            async with await self._next(session, job) as response:
                status = response.status
                if status == 200:
                    await self._save(response, folder)
            if status == 200:
                waited_s = 0.0
                if folder.count > 1 and await asyncio.to_thread(folder.same_as_before):
                    last, same = f"{folder.count - 1}, {folder.count}", f"{folder.count - 1} and {folder.count}"
                    raise Stopped(Fault.SAME_PAGES, f"pages {same} are the same to the last bit", last)
                if folder.count >= self._station.max_pages:
                    most = str(self._station.max_pages)
                    raise Stopped(Fault.TOO_MANY, f"more than max_pages ({most})", most)
                continue
            if status != 503 and status not in _NO_MORE:
                raise Stopped(Fault.REFUSED, f"the scanner answers {status} instead of a page", str(status))
            if status in _NO_MORE and (ended := await self._ended(session, job, folder)) is not None:
                return ended
            if waited_s >= self._station.page_s:
                raise Stopped(Fault.WITHHELD, "the scanner has more pages, and does not give them")
            waited_s += POLL_S
            await self._clock.sleep(POLL_S)

    async def _next(self, session: aiohttp.ClientSession, job: str) -> aiohttp.ClientResponse:
        """How a page begins. How long all of it takes is not bounded: it can be a whole stack."""
        timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_S, sock_read=self._station.page_s)
        url = f"{self._host}{job}/NextDocument"
        async with asyncio.timeout(CONNECT_S + self._station.page_s):  # sock_read counts no more behind "100 Continue"
            return await session.get(url, allow_redirects=False, timeout=timeout)

    async def _save(self, response: aiohttp.ClientResponse, folder: JobFolder) -> None:
        ending = ENDINGS["jpeg" if response.content_type == "image/jpeg" else self._station.format][1]
        with folder.page(ending) as fd:
            size, chunks = 0, response.content.iter_chunked(CHUNK_BYTES)
            while True:
                async with asyncio.timeout(self._station.page_s):
                    chunk = await anext(chunks, b"")
                if not chunk:
                    break
                size += len(chunk)
                if size > self._station.max_bytes:
                    raise Stopped(Fault.TOO_LARGE, "a page is larger than max_bytes")
                await to_end(folder.write, fd, chunk)

    async def _ended(self, session: aiohttp.ClientSession, job: str, folder: JobFolder) -> Pulled | None:
        """How the job ended; None when it has not. Raises Stopped."""
        status = await self._status(session)
        if status.adf not in {None, "ScannerAdfLoaded", "ScannerAdfEmpty", "ScannerAdfProcessing"}:
            fault, words = _feeder(status.adf)
            raise Stopped(fault, f"the feeder stopped: {words}", words)
        info = status.jobs.get(job)
        if info is None:
            raise Stopped(Fault.END_UNKNOWN, "the scanner does not say how the job ended")
        if info.state in _ENDED_BADLY:
            reasons = ", ".join(info.reasons)[:100]
            because = f" ({reasons})" if reasons else ""
            raise Stopped(Fault.ABORTED, f"the job was {info.state.lower()} by the scanner{because}", reasons or "?")
        if info.state != "Completed" or info.images_to_transfer:
            return None
        if info.images_completed is None:
            raise Stopped(Fault.NOT_COUNTED, "the scanner does not say how many pages it scanned")
        if folder.count == 0:
            raise Stopped(Fault.NO_PAGE, "the scanner ended the job without a page")
        if self._station.format == "jpeg" and folder.count < info.images_completed:
            return None  # one picture a page: some are still to come
        return Pulled(info.images_completed, None)

    async def _give_up(self, session: aiohttp.ClientSession, job: str) -> None:
        """Tell the scanner to forget the job. Whether it does changes nothing for us."""
        try:
            async with session.delete(f"{self._host}{job}", timeout=aiohttp.ClientTimeout(total=CONNECT_S)):
                pass
        except (aiohttp.ClientError, TimeoutError):
            return


def _unread(error: DecodeError) -> Trouble:
    return Trouble(Fault.NOT_UNDERSTOOD, f"the scanner's answer is not understood: {error.detail}", error.detail or "?")


def _setting(text: str, wanted: str, known: str) -> PullRefused:
    return PullRefused(Fault.SETTING, text, f"{wanted} ({known})")


def _feeder(state: str | None) -> tuple[Fault, str]:
    """ScannerAdfPaperJam as a person would say it."""
    known = {
        "ScannerAdfEmpty": (Fault.FEEDER_EMPTY, "it is empty"), "ScannerAdfJam": (Fault.JAM, "paper jam"),
        "ScannerAdfDoorOpen": (Fault.COVER_OPEN, "its door is open"),
    }  # fmt: skip
    return known.get(state or "", (Fault.FEEDER, (state or "").removeprefix("ScannerAdf")[:40]))
