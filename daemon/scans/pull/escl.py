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
from torhaus.daemon.scans.disk import CHUNK_BYTES, Disk
from torhaus.daemon.scans.pull.base import Pulled, PullRefused
from torhaus.daemon.scans.pull.job import JobFolder
from torhaus.daemon.scans.stations import EsclStation

POLL_S: Final = 1.0
CONNECT_S: Final = 10.0
ENDINGS: Final = {"pdf": ("application/pdf", "pdf"), "jpeg": ("image/jpeg", "jpg")}
_NO_MORE: Final = frozenset({404, 410})
_ENDED_BADLY: Final = frozenset({"Aborted", "Canceled"})


class _Trouble(Exception):  # noqa: N818 - a fact
    """The job cannot go on."""


class EsclScanner:
    """One network scanner."""

    def __init__(self, station: EsclStation, disk: Disk, clock: Clock) -> None:
        self._station = station
        self._disk = disk
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
                raise PullRefused(f"the scanner does not answer ({type(error).__name__})") from None
            except DecodeError as error:
                raise PullRefused(f"the scanner's answer is not understood: {error.detail}") from None
            try:
                return await self._fetch_all(session, job, folder)
            except _Trouble as trouble:
                return Pulled(None, str(trouble))
            except (aiohttp.ClientError, TimeoutError) as error:
                return Pulled(None, f"the connection broke ({type(error).__name__})")
            except DecodeError as error:
                return Pulled(None, f"the scanner's answer is not understood: {error.detail}")
            finally:
                await self._give_up(session, job)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        verify: ssl.SSLContext | bool = True
        if self._station.ca_file is not None:
            verify = await asyncio.to_thread(ssl.create_default_context, cafile=self._station.ca_file)
        timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_S, sock_read=self._station.page_s)
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
            raise PullRefused(f"the scanner does not make {media_type}, only {', '.join(sorted(caps.formats))}")
        if caps.colors and escl.color_mode(s.color) not in caps.colors:
            raise PullRefused(f"the scanner does not scan in {s.color}")
        if caps.resolutions and s.resolution_dpi not in caps.resolutions:
            known = ", ".join(map(str, sorted(caps.resolutions)))
            raise PullRefused(f"the scanner does not scan at {s.resolution_dpi} dpi, only at {known}")
        body = escl.scan_settings(s.source, s.color, media_type, s.resolution_dpi, duplex=s.duplex, caps=caps)
        for _ in range(max(1, int(s.ready_s / POLL_S))):
            async with session.post(
                f"{self._base}/ScanJobs", data=body, headers={"Content-Type": "text/xml"}, allow_redirects=False
            ) as response:
                if response.status == 201:
                    return escl.path_of(response.headers.get("Location", ""))
                if response.status != 503:
                    raise PullRefused(f"the scanner refuses the job: {response.status}")
            await self._clock.sleep(POLL_S)
        raise PullRefused("the scanner is busy")

    async def _until_idle(self, session: aiohttp.ClientSession) -> None:
        status = await self._status(session)
        for _ in range(int(self._station.ready_s / POLL_S)):
            if status.state == "Idle":
                break
            await self._clock.sleep(POLL_S)
            status = await self._status(session)
        if status.state != "Idle":
            raise PullRefused(f"the scanner is not ready: {status.state or 'it does not say what it does'}")
        if self._station.source == "feeder" and status.adf is not None and status.adf != "ScannerAdfLoaded":
            raise PullRefused(f"the feeder is not ready: {_words(status.adf)}")

    async def _fetch_all(self, session: aiohttp.ClientSession, job: str, folder: JobFolder) -> Pulled:
        """Raises _Trouble and what aiohttp raises; what came is in the folder."""
        waited_s = 0.0
        while True:
            async with session.get(f"{self._host}{job}/NextDocument", allow_redirects=False) as response:
                status = response.status
                if status == 200:
                    await self._save(response, folder)
            if status == 200:
                waited_s = 0.0
                if folder.count > 1 and await asyncio.to_thread(folder.same_as_before):
                    raise _Trouble(f"pages {folder.count - 1} and {folder.count} are the same to the last bit")
                if folder.count >= self._station.max_pages:
                    raise _Trouble(f"more than max_pages ({self._station.max_pages})")
                continue
            if status != 503 and status not in _NO_MORE:
                raise _Trouble(f"the scanner answers {status} instead of a page")
            if status in _NO_MORE and (ended := await self._ended(session, job, folder)) is not None:
                return ended
            if waited_s >= self._station.page_s:
                raise _Trouble("the scanner has more pages, and does not give them")
            waited_s += POLL_S
            await self._clock.sleep(POLL_S)

    async def _save(self, response: aiohttp.ClientResponse, folder: JobFolder) -> None:
        ending = ENDINGS["jpeg" if response.content_type == "image/jpeg" else self._station.format][1]
        with folder.page(ending) as fd:
            size = 0
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                size += len(chunk)
                if size > self._station.max_bytes:
                    raise _Trouble("a page is larger than max_bytes")
                await asyncio.to_thread(self._disk.write, fd, chunk)

    async def _ended(self, session: aiohttp.ClientSession, job: str, folder: JobFolder) -> Pulled | None:
        """How the job ended; None when it has not. Raises _Trouble."""
        status = await self._status(session)
        if status.adf not in {None, "ScannerAdfLoaded", "ScannerAdfEmpty", "ScannerAdfProcessing"}:
            raise _Trouble(f"the feeder stopped: {_words(status.adf)}")
        info = status.jobs.get(job)
        if info is None:
            raise _Trouble("the scanner does not say how the job ended")
        if info.state in _ENDED_BADLY:
            raise _Trouble(f"the job was {info.state.lower()} by the scanner{_because(info.reasons)}")
        if info.state != "Completed" or info.images_to_transfer:
            return None
        if info.images_completed is None:
            raise _Trouble("the scanner does not say how many pages it scanned")
        if folder.count == 0:
            raise _Trouble("the scanner ended the job without a page")
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


def _words(state: str | None) -> str:
    """ScannerAdfPaperJam as a person would say it."""
    known = {"ScannerAdfEmpty": "it is empty", "ScannerAdfJam": "paper jam", "ScannerAdfDoorOpen": "its door is open"}
    return known.get(state or "", (state or "").removeprefix("ScannerAdf")[:40])


def _because(reasons: tuple[str, ...]) -> str:
    return f" ({', '.join(reasons)[:100]})" if reasons else ""
