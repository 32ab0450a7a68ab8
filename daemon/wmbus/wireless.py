"""Puts the parts of wireless metering together: the own meters, what each receiver hears, and the list of all."""

from aiohttp import web

from torhaus.daemon.config.load import Loaded
from torhaus.daemon.httpd import Route, reply_json
from torhaus.daemon.status import Survey
from torhaus.daemon.wmbus.book import Book
from torhaus.daemon.wmbus.ear import Ear, Repeats
from torhaus.daemon.wmbus.meters import Meters
from torhaus.drivers.wmbus import Wmbus


class Wireless:
    """One for a daemon."""

    def __init__(self, loaded: Loaded) -> None:
        self.meters = Meters(loaded.devices, loaded.keys)
        self.book = Book()
        self.ears: list[Ear] = []
        self._repeats = Repeats()

    def add(self, driver: Wmbus) -> None:
        """Have a receiver know the own meters."""
        driver.directory = ear = Ear(driver.config, self.meters, self.book, self._repeats)
        driver.decoders = self.meters.decoders
        self.ears.append(ear)

    def routes(self) -> list[tuple[str, str, Route]]:
        """For the control socket."""
        return [("GET", "/wmbus/meters", self.listed)]

    async def listed(self, _: web.Request) -> web.StreamResponse:
        """Every meter that was heard, own ones first, as a JSON array of Entries."""
        return reply_json(self.book.entries())


def join(survey: Survey, loaded: Loaded, driver: Wmbus) -> list[tuple[str, str, Route]]:
    """Have a receiver know the own meters; what the control socket gets with the first one."""
    routes: list[tuple[str, str, Route]] = []
    if survey.wireless is None:
        survey.wireless = Wireless(loaded)
        routes = survey.wireless.routes()
    survey.wireless.add(driver)
    return routes
