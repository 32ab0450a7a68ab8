"""Quality control and release on the local socket: lots, release lists, what people say."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from torhaus.daemon.evidence.pages import PSEUDONYM
from torhaus.daemon.evidence.who import account_of
from torhaus.daemon.httpd import Route, reply_json
from torhaus.daemon.scans.queue import ScanQueue
from torhaus.daemon.scans.release.papers import Result


class ReleasePages:
    """Answers from the running queue, while its store is open: `ScanPages` sees to that."""

    def __init__(self, queue: ScanQueue) -> None:
        self._desk = queue.release

    def routes(self) -> list[tuple[str, str, Route]]:
        """Method, path, answer."""
        pages: list[tuple[str, str, Callable[[web.Request], Awaitable[object]]]] = [
            ("GET", "/scans/lots", self.lots),
            ("GET", "/scans/release", self.listing),
            ("POST", "/scans/release", self.release),
            ("POST", "/scans/quality", self.quality),
            ("POST", "/scans/feedback", self.feedback),
            ("POST", "/scans/replaced", self.replaced),
            ("POST", "/scans/settled", self.settled),
            ("POST", "/scans/discard", self.discard),
        ]
        return [(method, path, self._answer(page)) for method, path, page in pages]

    def _answer(self, page: Callable[[web.Request], Awaitable[object]]) -> Route:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return reply_json(await page(request))
            except KeyError:
                return reply_json({"error": "no such scan, or no such closed batch: see torhaus scans lots"}, 404)
            except ValueError as e:
                return reply_json({"error": str(e)}, 409)
            except OSError as e:
                return reply_json({"error": f"the disk refuses: {e.strerror or e}"}, 503)

        return answer

    async def lots(self, _: web.Request) -> object:
        """Those that were closed last."""
        return await self._desk.lots()

    async def listing(self, request: web.Request) -> object:
        """A lot's release list."""
        return await self._desk.papers(request.query.get("batch", ""))

    async def release(self, request: web.Request) -> object:
        """A person frees the paper of a lot."""
        return await self._desk.release(request.query.get("batch", ""), _by(request), account_of(request))

    async def quality(self, request: web.Request) -> object:
        """Somebody has looked at a document, or at all the rest of a lot."""
        result, by, account = _result(request), _by(request), account_of(request)
        if "batch" in request.query:
            return {"count": await self._desk.say_of_rest(request.query["batch"], result, by, account)}
        await self._desk.say("quality", request.query.get("id", ""), result, by, account)
        return {"count": 1}

    async def feedback(self, request: web.Request) -> object:
        """The department has looked at a document."""
        taken_back = await self._desk.say(
            "feedback", request.query.get("id", ""), _result(request), _by(request), account_of(request)
        )
        return {"count": 1, "withdrawn": int(taken_back)}

    async def replaced(self, request: web.Request) -> object:
        """A bad document was scanned again."""
        q = request.query
        await self._desk.replaced(q.get("id", ""), q.get("new", ""), _by(request), account_of(request))
        return {"count": 1}

    async def settled(self, request: web.Request) -> object:
        """What was wrong with a document is settled without a new scan."""
        await self._desk.settled(request.query.get("id", ""), _by(request), account_of(request))
        return {"count": 1}

    async def discard(self, request: web.Request) -> object:
        """A person throws away what waits for one."""
        scan = await self._desk.discard(request.query.get("id", ""), _by(request), account_of(request))
        return {"id": scan.id, "state": scan.state.value}


def _by(request: web.Request) -> str:
    by = request.query.get("by", "")
    if not PSEUDONYM.fullmatch(by):
        raise ValueError("by: a pseudonym of 1 to 32 letters, digits, '.', '_' and '-'")
    return by


def _result(request: web.Request) -> Result:
    try:
        return Result(request.query.get("result", ""))
    except ValueError:
        raise ValueError(f"result: one of {', '.join(Result)}") from None
