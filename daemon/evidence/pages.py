"""The evidence journal's calls on the local socket: its key, notes, what people state, exports."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from torhaus.daemon.evidence.note import Unstatable
from torhaus.daemon.evidence.who import account_of
from torhaus.daemon.httpd import Route, reply_json
from torhaus.daemon.scans.queue import ScanQueue

PSEUDONYM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


class EvidencePages:
    """Answers from the running queue, while its store is open: `ScanPages` sees to that."""

    def __init__(self, queue: ScanQueue) -> None:
        self._desk = queue.evidence

    def routes(self) -> list[tuple[str, str, Route]]:
        """Method, path, answer."""
        pages: list[tuple[str, str, Callable[[web.Request], Awaitable[object]]]] = [
            ("GET", "/evidence/key", self.key),
            ("POST", "/evidence/export", self.export),
            ("GET", "/scans/note", self.note),
            ("POST", "/scans/state", self.state),
        ]
        return [(method, path, self._answer(page)) for method, path, page in pages]

    def _answer(self, page: Callable[[web.Request], Awaitable[object]]) -> Route:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return reply_json(await page(request))
            except KeyError:
                return reply_json({"error": "no such scan or batch"}, 404)
            except Unstatable as e:
                return reply_json({"error": str(e)}, 400)

        return answer

    async def key(self, _: web.Request) -> object:
        """The public key."""
        return {"key": self._desk.signer.public}

    async def export(self, request: web.Request) -> object:
        """What proves a document; that it was asked for is in the journal."""
        return await self._desk.export(request.query.get("id", ""), account_of(request))

    async def note(self, request: web.Request) -> object:
        """Of a document, or of a batch."""
        if "batch" in request.query:
            return await self._desk.batch_note(request.query["batch"])
        return await self._desk.note(request.query.get("id", ""))

    async def state(self, request: web.Request) -> object:
        """A person says something of a document or a batch."""
        query = request.query
        by, statements = query.get("by", ""), query.getall("field", [])
        if not PSEUDONYM.fullmatch(by):
            raise Unstatable("by: a pseudonym of 1 to 32 letters, digits, '.', '_' and '-'")
        if not statements:
            raise Unstatable("field: says nothing")
        if "batch" in query:
            return await self._desk.state_batch(query["batch"], statements, by, account_of(request))
        return await self._desk.state(query.get("id", ""), statements, by, account_of(request))
