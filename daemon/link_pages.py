"""The control socket's call for `torhaus link open`: a driver leaves its line to somebody else for a while."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from torhaus.daemon.httpd import Route, reply_json

TICK_S: Final = 2.0
"""An empty line goes out so often: whoever holds the line and has gone is noticed."""
TURN_S: Final = 8.0
"""A talk that is under way is waited for so long, which is less than the command line waits for an answer."""
LONGEST_S: Final = 4 * 3600.0
"""Then the driver has its line back: a terminal that was forgotten must not cost a night's readings."""


class LinkPages:
    """The answers."""

    def __init__(self, drivers: Mapping[str, Any], tick_s: float = TICK_S, longest_s: float = LONGEST_S) -> None:
        self._drivers = drivers
        self._tick_s = tick_s
        self._longest_s = longest_s

    def routes(self) -> list[tuple[str, str, Route]]:
        """For the control socket."""
        return [("GET", "/links/{driver}", self.hold)]

    async def hold(self, request: web.Request) -> web.StreamResponse:
        """The line is the asker's until the answer ends: empty lines, until the asker has gone."""
        name = request.match_info["driver"]
        driver = self._drivers.get(name)
        if driver is None:
            return reply_json({"error": "no driver has this name"}, 404)
        if not hasattr(driver, "taken"):
            return reply_json({"error": "this driver has no line"}, 409)
        context = driver.taken()
        try:
            async with asyncio.timeout(TURN_S):
                await context.__aenter__()
        except TimeoutError:
            return reply_json({"error": "a device is being read at this moment: try again"}, 503)
        try:
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(max(1, int(self._longest_s / self._tick_s))):
                await response.write(b"\n")
                await asyncio.sleep(self._tick_s)
            await response.write_eof()
        except ConnectionResetError:  # the asker has gone, which is how most of them end
            return response
        finally:
            await context.__aexit__(None, None, None)
        return response
