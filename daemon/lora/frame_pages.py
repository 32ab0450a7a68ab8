"""The control socket's call for `torhaus lora watch`: the last frames, then the next ones as they come."""

from collections.abc import Callable
from typing import Final

import msgspec
from aiohttp import web

from torhaus.codecs.lorawan.eui import format_eui64, parse_eui64
from torhaus.codecs.model import DecodeError
from torhaus.daemon.httpd import Route, reply_json
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.frame_log import MAX_HISTORY, FrameLog, Tally, Viewer
from torhaus.daemon.outbox.store import Outbox

TICK_S: Final = 2.0
"""An empty line goes out when nothing else does: a viewer that has gone is noticed, and one that is there can draw."""
_AT_ONCE: Final = 200
_MAX_NAME: Final = 200
_encode: Final = msgspec.json.Encoder().encode


class FramePages:
    """The answers."""

    def __init__(
        self,
        outbox: Outbox,
        tally: Tally,
        wall_ns: Callable[[], int],
        downlinks: Downlinks,
        tick_s: float = TICK_S,
    ) -> None:
        self.log = FrameLog(outbox, tally, wall_ns)
        self._tick_s = tick_s
        downlinks.told = self.log.sent

    def routes(self) -> list[tuple[str, str, Route]]:
        """For the control socket."""
        return [("GET", "/lora/frames", self.frames)]

    def end(self) -> None:
        """Finish the answers that are under way."""
        self.log.end()

    async def frames(self, request: web.Request) -> web.StreamResponse:
        """JSON lines, each a Seen: `count` of the past, then with `follow=1` what comes.

        `gateway` and `device` leave others out. A line `{"skipped": n}` says how many a slow reader has missed.
        """
        query = request.query
        try:
            count = _count(query.get("count", "100"))
            gateway = format_eui64(parse_eui64(query["gateway"])) if "gateway" in query else None
        except DecodeError as e:
            return reply_json({"error": f"gateway: {e.detail}"}, 400)
        except ValueError as e:
            return reply_json({"error": str(e)}, 400)
        viewer = self.log.enter(gateway, query.get("device", "")[:_MAX_NAME] or None)
        if viewer is None:
            return reply_json({"error": "too many are watching already"}, 503)
        try:
            past = await self.log.history(viewer, count)
            response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
            await response.prepare(request)
            try:
                await response.write(b"".join(_encode(s) + b"\n" for s in past))
                if query.get("follow") == "1":
                    await self._follow(viewer, response)
                await response.write_eof()
            except ConnectionResetError:  # the viewer has gone, which is how most of them end
                return response
            return response
        finally:
            self.log.leave(viewer)

    async def _follow(self, viewer: Viewer, response: web.StreamResponse) -> None:
        while not self.log.is_over:
            items = await viewer.take(_AT_ONCE, self._tick_s)
            lines = [_encode(s) for item in items if (s := self.log.seen(item)) is not None]
            if viewer.skipped:
                lines.insert(0, _encode({"skipped": viewer.skipped}))
                viewer.skipped = 0
            await response.write(b"\n".join(lines) + b"\n")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= MAX_HISTORY):
        raise ValueError(f"count must be 0 to {MAX_HISTORY}")
    return int(text)
