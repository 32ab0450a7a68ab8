"""A network scanner that speaks eSCL strictly, and misbehaves on command as scanners in the field do."""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

from aiohttp import web

from torhaus.codecs.tree import from_xml, value_of

XMLNS = 'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"'


def capabilities() -> bytes:
    profile = (
        "<scan:SettingProfiles><scan:SettingProfile><scan:ColorModes><scan:ColorMode>RGB24</scan:ColorMode>"
        "<scan:ColorMode>Grayscale8</scan:ColorMode></scan:ColorModes><scan:DocumentFormats>"
        "<pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat><scan:DocumentFormatExt>application/pdf</scan:DocumentFormatExt>"
        "<scan:DocumentFormatExt>image/jpeg</scan:DocumentFormatExt></scan:DocumentFormats><scan:SupportedResolutions>"
        "<scan:DiscreteResolutions><scan:DiscreteResolution><scan:XResolution>200</scan:XResolution></scan:DiscreteResolution>"
        "<scan:DiscreteResolution><scan:XResolution>300</scan:XResolution></scan:DiscreteResolution>"
        "</scan:DiscreteResolutions></scan:SupportedResolutions></scan:SettingProfile></scan:SettingProfiles>"
    )
    size = "<scan:MaxWidth>2550</scan:MaxWidth><scan:MaxHeight>3508</scan:MaxHeight>"
    return (
        f'<?xml version="1.0"?><scan:ScannerCapabilities {XMLNS}><pwg:Version>2.63</pwg:Version>'
        f"<scan:Platen><scan:PlatenInputCaps>{size}{profile}</scan:PlatenInputCaps></scan:Platen>"
        f"<scan:Adf><scan:AdfSimplexInputCaps>{size}{profile}</scan:AdfSimplexInputCaps></scan:Adf>"
        "</scan:ScannerCapabilities>"
    ).encode()


def status(state: str, adf: str | None, jobs: Sequence[tuple[str, str, int | None, int | None]]) -> bytes:
    def counter(name: str, value: int | None) -> str:
        return "" if value is None else f"<pwg:{name}>{value}</pwg:{name}>"

    infos = "".join(
        f"<scan:JobInfo><pwg:JobUri>{uri}</pwg:JobUri><pwg:JobState>{job}</pwg:JobState>"
        f"{counter('ImagesCompleted', done)}{counter('ImagesToTransfer', left)}</scan:JobInfo>"
        for uri, job, done, left in jobs
    )
    feeder = "" if adf is None else f"<scan:AdfState>{adf}</scan:AdfState>"
    return (
        f'<?xml version="1.0"?><scan:ScannerStatus {XMLNS}><pwg:Version>2.63</pwg:Version>'
        f"<pwg:State>{state}</pwg:State>{feeder}<scan:Jobs>{infos}</scan:Jobs></scan:ScannerStatus>"
    ).encode()


class Scanner:
    """Serves `pages` (bytes of one file each) for one job. Attributes are its bad manners."""

    def __init__(self, pages: list[bytes], media_type: str = "application/pdf") -> None:
        self.pages = pages
        self.media_type = media_type
        self.images: int | None = len(pages)  # as it counts
        self.adf: str | None = "ScannerAdfLoaded"
        self.adf_after: str | None = "ScannerAdfEmpty"
        self.state = "Idle"
        self.host = "http://[fe80::1:80"  # a host that nobody can reach, and that is none
        self.no_more = 404
        self.early = 0  # so many "no more" before each page
        self.busy = 0  # so many 503 before each page
        self.busy_order = 0
        self.repeats_last = False
        self.forgets = False
        self.jams_after: int | None = None
        self.cuts_after: int | None = None  # breaks off within this page
        self.stalls = ""  # where it says "100 Continue" and nothing more
        self.gate: asyncio.Event | None = None  # the second page waits for it
        self.deleted = 0
        self.asked: list[str] = []
        self.settings: Any = None
        self._over = asyncio.Event()
        self._sent = 0
        self._put_off = 0
        self._left: int | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/eSCL/ScannerCapabilities", self._capabilities)
        app.router.add_get("/eSCL/ScannerStatus", self._status)
        app.router.add_post("/eSCL/ScanJobs", self._order)
        app.router.add_get("/eSCL/ScanJobs/7/NextDocument", self._next)
        app.router.add_delete("/eSCL/ScanJobs/7", self._delete)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/eSCL/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await self._runner.cleanup()

    @property
    def _is_over(self) -> bool:
        return self._sent >= len(self.pages) or self._is_jammed

    @property
    def _is_jammed(self) -> bool:
        return self.jams_after is not None and self._sent >= self.jams_after

    async def _capabilities(self, _: web.Request) -> web.Response:
        return web.Response(body=capabilities(), content_type="text/xml")

    async def _stall(self, request: web.Request, where: str) -> None:
        if self.stalls == where:
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self._over.wait()

    async def _status(self, request: web.Request) -> web.Response:
        await self._stall(request, "status")
        if self.settings is None:
            return web.Response(body=status(self.state, self.adf, []), content_type="text/xml")
        job = "Aborted" if self._is_jammed else "Completed" if self._is_over else "Processing"
        left = None if self._left is None else self._left
        jobs = [] if self.forgets else [(f"{self.host}/eSCL/ScanJobs/7", job, self.images, left)]
        adf = "ScannerAdfJam" if self._is_jammed else self.adf_after if self._is_over else self.adf
        return web.Response(body=status("Idle", adf, jobs), content_type="text/xml")

    async def _order(self, request: web.Request) -> web.Response:
        if self.busy_order:
            self.busy_order -= 1
            return web.Response(status=503)
        tree = from_xml(await request.read())
        self.settings = {
            name: value_of(tree, ["ScanSettings", name]) for name in ("InputSource", "ColorMode", "DocumentFormatExt")
        }
        if self.settings["InputSource"] not in {"Feeder", "Platen"} or not request.content_type.endswith("xml"):
            return web.Response(status=400)
        self._put_off = self.early + self.busy
        return web.Response(status=201, headers={"Location": f"{self.host}/eSCL/ScanJobs/7"})

    async def _next(self, request: web.Request) -> web.StreamResponse:
        await self._stall(request, "page")
        if self._is_over and not self.repeats_last:
            return web.Response(status=self.no_more)
        if self._put_off:
            self._put_off -= 1
            return web.Response(status=503 if self._put_off < self.busy else self.no_more)
        self._put_off = self.early + self.busy
        page = self.pages[min(self._sent, len(self.pages) - 1)]
        if self._sent == self.cuts_after:
            cut = web.StreamResponse(headers={"Content-Length": str(len(page))})
            await cut.prepare(request)
            await cut.write(page[: len(page) // 2])
            assert request.transport is not None
            request.transport.close()
            return cut
        if self._sent and self.gate is not None:
            await self.gate.wait()
        self._sent += 1
        return web.Response(body=page, content_type=self.media_type)

    async def _delete(self, _: web.Request) -> web.Response:
        self.deleted += 1
        return web.Response(status=200)
