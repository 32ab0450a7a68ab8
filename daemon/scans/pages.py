"""The scan queue's calls on the local socket: list, show, retry, targets, cover sheets, pull."""

from collections.abc import Sequence

import msgspec
from aiohttp import web

from torhaus.codecs.cover_sheet import CoverSheet
from torhaus.codecs.sidecar import Told
from torhaus.daemon.evidence.pages import EvidencePages
from torhaus.daemon.evidence.who import account_of
from torhaus.daemon.httpd import Route, reply_json
from torhaus.daemon.scans.check import CheckUnavailable
from torhaus.daemon.scans.db import Scan
from torhaus.daemon.scans.evidence import Entry
from torhaus.daemon.scans.names import display_name
from torhaus.daemon.scans.queue import ScanQueue
from torhaus.daemon.scans.release.pages import ReleasePages
from torhaus.daemon.scans.sheets.desk import BLANK, MAX_AT_ONCE
from torhaus.daemon.scans.states import State
from torhaus.daemon.scans.targets.base import NotNow, Pending, Refused, TargetDown
from torhaus.daemon.scans.uploads.pages import TokenPages


class Row(msgspec.Struct, kw_only=True):
    """A scan as it is listed."""

    id: str
    station: str
    name: str
    state: str
    reason: str | None
    target: str | None
    sha256: str
    size_bytes: int
    pages: int
    media_type: str
    duplicate_of: str | None
    arrived_ns: int
    changed_ns: int
    tries: int
    batch: str | None = None
    told: Told = Told()  # by its sidecar
    derived_from: str | None = None  # the stack that it was split from


class Part(msgspec.Struct, kw_only=True):
    """A document that a stack became, and how it stands. Pages are those of the stack, from 1."""

    id: str
    part: int
    first_page: int
    last_page: int
    state: str
    reason: str | None
    target: str | None


class CutFrom(msgspec.Struct, kw_only=True):
    """The stack that a document was split from: it is the `part`-th of `parts`. Pages are those of the stack."""

    id: str
    part: int
    parts: int
    first_page: int
    last_page: int


class Shown(msgspec.Struct, kw_only=True):
    """A scan with everything that happened to it; of a stack what it became, of a part of one the stack."""

    scan: Row
    entries: list[Entry]
    parts: list[Part] = []
    stack: CutFrom | None = None


def shown(scan: Scan, entries: Sequence[Entry], parts: Sequence[Scan]) -> Shown:
    """`parts`: what it became, if it is a stack that was split. Which pages is in the journal."""
    cuts = [entry.data for entry in entries if entry.event == "post.split"]
    places = {str(cut.get("into")): cut for cut in cuts}
    became = [
        msgspec.convert(places[p.id] | {"id": p.id, "state": p.state, "reason": p.reason, "target": p.target}, Part)
        for p in parts
        if p.id in places
    ]
    cut_from = [msgspec.convert(cut | {"id": cut["of"]}, CutFrom) for cut in cuts if "of" in cut]
    return Shown(scan=row(scan), entries=list(entries), parts=became, stack=next(iter(cut_from), None))


def row(s: Scan) -> Row:
    """What people get to see of a scan."""
    return Row(
        id=s.id,
        station=s.station,
        name=display_name(s.name),
        state=s.state.value,
        reason=s.reason.value if s.reason else None,
        target=s.target,
        sha256=s.sha256,
        size_bytes=s.size_bytes,
        pages=s.pages,
        media_type=s.media_type,
        duplicate_of=s.duplicate_of,
        arrived_ns=s.arrived_ns,
        changed_ns=s.changed_ns,
        tries=s.tries,
        batch=s.batch,
        told=s.told,
        derived_from=s.derived_from,
    )


class ScanPages:
    """Answers from the running queue; 503 while its store is not open."""

    def __init__(self, queue: ScanQueue) -> None:
        self._queue = queue

    def routes(self) -> list[tuple[str, str, Route]]:
        """Method, path, answer."""
        pages: list[tuple[str, str, Route]] = [
            ("GET", "/scans", self.listing),
            ("GET", "/scans/show", self.show),
            ("POST", "/scans/retry", self.retry),
            ("GET", "/scans/targets", self.targets),
            ("POST", "/scans/try", self.probe),
            ("POST", "/scans/sheets", self.sheets),
            ("POST", "/scans/pull", self.pull),
            ("GET", "/scans/pull", self.pulled),
        ]
        pages += TokenPages(self._queue.reception).pages()
        pages += EvidencePages(self._queue).routes() + ReleasePages(self._queue).routes()
        return [(method, path, self._when_open(page)) for method, path, page in pages]

    def _when_open(self, page: Route) -> Route:
        async def answer(request: web.Request) -> web.StreamResponse:
            if not self._queue.is_open:
                return reply_json({"error": "the scan store is not open: see torhaus status"}, 503)
            return await page(request)

        return answer

    async def listing(self, request: web.Request) -> web.Response:
        """The newest scans, all or in one state."""
        try:
            states = tuple(State(s) for s in request.query.getall("state", [])) or tuple(State)
        except ValueError:
            return reply_json({"error": f"state must be one of {', '.join(State)}"}, 400)
        return reply_json([row(s) for s in await self._queue.list(states, limit=1000)])

    async def show(self, request: web.Request) -> web.Response:
        """One scan and its evidence."""
        try:
            scan, entries = await self._queue.show(request.query.get("id", ""))
        except KeyError:
            return reply_json({"error": "no such scan"}, 404)
        return reply_json(shown(scan, entries, await self._queue.parts(scan.id)))

    async def retry(self, request: web.Request) -> web.Response:
        """Let a held scan go on, or have a quarantined one checked again."""
        try:
            scan_id, target = request.query.get("id", ""), request.query.get("target")
            return reply_json(row(await self._queue.retry(scan_id, target, account_of(request))))
        except KeyError:
            return reply_json({"error": "no such scan"}, 404)
        except ValueError as e:
            return reply_json({"error": str(e)}, 409)
        except (CheckUnavailable, OSError) as e:
            return reply_json({"error": f"cannot be checked just now: {e}"}, 503)

    async def targets(self, _: web.Request) -> web.Response:
        """How each target stands."""
        return reply_json(self._queue.standings())

    async def probe(self, request: web.Request) -> web.Response:
        """Whether documents could go to a target."""
        try:
            return reply_json(await self._queue.probe(request.query.get("target", "")))
        except KeyError:
            return reply_json({"error": "no such target"}, 404)
        except (TargetDown, NotNow, Refused, Pending) as e:
            return reply_json({"error": str(e)}, 503)

    async def sheets(self, request: web.Request) -> web.Response:
        """Texts for new cover sheets that say the same."""
        q = request.query
        try:
            count, pages = int(q.get("count", "1")), int(q["pages"]) if "pages" in q else None
            sheet = CoverSheet(q.get("department", ""), BLANK, q.get("class"), pages, q.get("batch"))
        except ValueError as e:
            return reply_json({"error": str(e)}, 400)
        if not 1 <= count <= MAX_AT_ONCE:
            return reply_json({"error": f"count: 1 to {MAX_AT_ONCE}"}, 400)
        return reply_json(await self._queue.order_sheets(sheet, count))

    async def pull(self, request: web.Request) -> web.Response:
        """Start a job at a scanner that is asked for its pages."""
        try:
            return reply_json(self._queue.pulls.start(request.query.get("station", ""), account_of(request)))
        except KeyError:
            return reply_json({"error": "no such station, or none of type escl or sane"}, 404)
        except ValueError as e:
            return reply_json({"error": str(e)}, 409)

    async def pulled(self, request: web.Request) -> web.Response:
        """How a station's last job stands."""
        last = self._queue.pulls.now(request.query.get("station", ""))
        return reply_json({"error": "no job was started there"}, 404) if last is None else reply_json(last)
