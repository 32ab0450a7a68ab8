"""Puts the parts of joining together: devices with root keys, what the store has of their sessions, the way down."""

from aiohttp import web

from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.load import Loaded
from torhaus.daemon.httpd import Route, reply_json
from torhaus.daemon.lora.counters import Counters
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.join_book import JoinBook
from torhaus.daemon.lora.joins import Joiner, Joins
from torhaus.daemon.lora.network import Device, Network
from torhaus.daemon.lora.roots import roots_of
from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.store import Outbox


class Joining:
    """One for a daemon. `network` is there once `begin` has been called."""

    def __init__(self, outbox: Outbox, downlinks: Downlinks, clock: Clock) -> None:
        self.book = JoinBook(clock.wall_ns)
        self.network: Network | None = None
        self._outbox = outbox
        self._downlinks = downlinks
        self._clock = clock

    async def begin(self, loaded: Loaded, devices: list[Device], network: Network) -> Counters:
        """Have `network` know the sessions of all devices, and as many of their counters as can be had at once."""
        outbox, self.network = self._outbox, network
        joins = Joins(network, joiners_of(loaded, devices), self.book, self._clock, outbox.save)
        stored, damaged = await outbox.on_state(State.joins)
        joins.restore(stored)
        for dev_eui in damaged:
            logs.warning("the session of a device was changed on disk: it has to join again", dev_eui=dev_eui)
        counters = await Counters.load(outbox, network)
        outbox.before_flush += [network.save, joins.save]
        self._downlinks.passing = joins.passing
        return counters

    def routes(self) -> list[tuple[str, str, Route]]:
        """For the control socket."""
        return [("GET", "/lora/joins", self.joins)]

    async def joins(self, _: web.Request) -> web.StreamResponse:
        """The attempts that are remembered, oldest first, as a JSON array of Attempts."""
        return reply_json(self.book.attempts())


def joiners_of(loaded: Loaded, devices: list[Device]) -> list[Joiner]:
    """The devices that have the root keys they need."""
    found = []
    for config, device in zip(loaded.devices, devices, strict=True):
        roots = roots_of(config, loaded.keys.get(config.name))
        if roots is not None:
            found.append(Joiner(device, roots, config.allow_half_mic, config.join_eui))
    return found
