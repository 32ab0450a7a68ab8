"""The control socket's calls for `torhaus queue`: dead letters one by one or all at once, and replay."""

from collections.abc import Callable
from functools import partial

import msgspec
from aiohttp import web

from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.render import render
from torhaus.daemon.forward.replay import replay
from torhaus.daemon.httpd import Route, reply_json
from torhaus.daemon.outbox.letters import dead_letter, drop_all, retry_all
from torhaus.daemon.outbox.state import DeadLetter
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.outbox.when import known_wall_ns
from torhaus.daemon.status import Letter, Survey, letter

MAX_POSITION = 1 << 62


class WholeLetter(Letter, kw_only=True):
    """A dead letter with everything there is of its record, as a person needs it to decide."""

    received_ns: int  # as the clock said it
    known_ns: int | None  # as it is known by now
    boot_ns: int
    boot: str
    raw_hex: str
    message: Message


def whole(dead: DeadLetter, site: str, boots: dict[str, int]) -> WholeLetter:
    """A dead letter with its record; the message is the one that the far side is sent."""
    short, s = letter(dead, site), dead.stored
    return WholeLetter(
        **msgspec.structs.asdict(short),
        received_ns=s.at.wall_ns,
        known_ns=known_wall_ns(s.at, s.boot, boots),
        boot_ns=s.at.boot_ns,
        boot=s.boot,
        raw_hex=(s.record.raw or b"").hex(),
        message=render(s, site, boots, kind=s.record.kind, late=True),
    )


class QueuePages:
    """The answers."""

    def __init__(self, survey: Survey, outbox: Outbox, wall_ns: Callable[[], int]) -> None:
        self._survey = survey
        self._outbox = outbox
        self._wall_ns = wall_ns

    def routes(self) -> list[tuple[str, str, Route]]:
        """For the control socket."""
        return [
            ("GET", "/dead-letters/{number:[0-9]{1,18}}", self.show),
            ("POST", "/dead-letters/retry", self.retry_all),
            ("DELETE", "/dead-letters", self.drop_all),
            ("POST", "/forwarders/{name}/replay", self.replay),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """One dead letter, whole."""
        number = int(request.match_info["number"])
        found = await self._outbox.on_state(partial(dead_letter, number=number))
        if found is None:
            return reply_json({"error": "no such dead letter, or it was damaged on disk"}, 404)
        return reply_json(whole(found, self._outbox.site, self._outbox.boots))

    async def retry_all(self, request: web.Request) -> web.Response:
        """Try all dead letters again, or one forwarder's."""
        name, now = request.query.get("forwarder"), self._wall_ns()
        count: int = await self._outbox.on_state(lambda s: retry_all(s, name, now))
        await self._count_again()
        return reply_json({"records": count})

    async def drop_all(self, request: web.Request) -> web.Response:
        """Delete all dead letters, or one forwarder's: a person's decision."""
        name = request.query.get("forwarder")
        count: int = await self._outbox.on_state(lambda s: drop_all(s, name))
        await self._count_again()
        return reply_json({"records": count})

    async def _count_again(self) -> None:
        for _, runner in self._survey.runners.values():
            await runner.books.load()

    async def replay(self, request: web.Request) -> web.Response:
        """Have a stretch of the log sent again to one forwarder."""
        found = self._survey.runners.get(request.match_info["name"])
        if found is None:
            return reply_json({"error": "no such forwarder, or it is not enabled"}, 404)
        start, end = _position(request, "start"), _position(request, "end")
        if start is None or end is None:
            return reply_json({"error": "start and end must be positions of the log"}, 400)
        dry_run = request.query.get("dry_run") == "1"
        return reply_json(await replay(self._outbox, found[1], start, end, dry_run=dry_run))


def _position(request: web.Request, key: str) -> int | None:
    text = request.query.get(key, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    return min(int(text), MAX_POSITION)
