"""Where requests for the page come in. All behind it is loaded when the first one comes: READY need not wait for it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web

from torhaus.daemon.page.access import Access
from torhaus.daemon.page.tally import PageTally
from torhaus.daemon.supervise import Told

if TYPE_CHECKING:
    from torhaus.daemon.page.serving import Serving
    from torhaus.daemon.page.sources import Sources


class Door:
    """`sources`: makes what the views look at."""

    def __init__(self, sources: "Callable[[], Sources]", access: Access, tally: PageTally, told: Told) -> None:
        self._sources = sources
        self._access = access
        self._tally = tally
        self._told = told
        self._serving: Serving | None = None

    @property
    def serving(self) -> "Serving":
        """What answers."""
        if self._serving is None:
            from torhaus.daemon.page.serving import Serving

            self._serving = Serving(self._sources(), self._access, self._tally, self._told)
        return self._serving

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request for the page."""
        return await self.serving.handle(request)

    def may_look(self, request: web.Request) -> bool:
        """Whether the state of the site may be shown as JSON, too: to whoever may look at the page."""
        if not self._access.knows_host(request) or self._access.is_embedded(request):
            return False
        return self._access.is_near(request) or self.serving.signing.who(request)[1] is not None
