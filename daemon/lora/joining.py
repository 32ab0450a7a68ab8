"""Puts the parts of joining together: devices with root keys, what the store has of their sessions, the way down."""

import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from torhaus.codecs.lorawan.keys import Version
from torhaus.codecs.model import Frame
from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.load import Loaded
from torhaus.daemon.httpd import Route, reply_json
from torhaus.daemon.lora.counters import Counters
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.join_book import JoinBook
from torhaus.daemon.lora.joins import Joiner, Joins
from torhaus.daemon.lora.network import Device, Network
from torhaus.daemon.lora.past_links import past_links
from torhaus.daemon.lora.rejoins import Rejoins
from torhaus.daemon.lora.roots import roots_of
from torhaus.daemon.lora.rounds import Defect, no_defect
from torhaus.daemon.lora.sending import Sending
from torhaus.daemon.outbox.joins import DeviceJoins
from torhaus.daemon.outbox.mac_state import Mac
from torhaus.daemon.outbox.record import Record
from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.store import MAIN, Outbox
from torhaus.daemon.pipeline import RECORD_BYTES
from torhaus.daemon.scripts.host import ScriptHost

ON_MAINS: Final = 0
BATTERY_UNKNOWN: Final = 255
"""Of DevStatusAns (LoRaWAN 1.0.4 section 5.5): between them 1 is empty and 254 is full."""
_COUNTING: Final = {"1.0.4", "1.1"}
"""Versions whose DevNonces rise from join to join (LoRaWAN 1.0.4 section 6.2.5); before that they are random."""


if TYPE_CHECKING:  # imported where the configuration asks for it
    from torhaus.daemon.lora.central.sessions import Central
    from torhaus.daemon.lora.standalone import Standalone


class Joining:
    """One for a daemon. `network` and `sending` are there once `begin` has been called."""

    def __init__(self, outbox: Outbox, downlinks: Downlinks, clock: Clock, defect: Defect = no_defect) -> None:
        self.book = JoinBook(clock.wall_ns)
        self.network: Network | None = None
        self.standalone: Standalone | None = None
        self.sending: Sending | None = None
        self.central: Central | None = None
        self.rejoins: Rejoins | None = None  # those that pass; of a site of its own: standalone.accepts
        self._joins: Joins | None = None
        self._outbox = outbox
        self._downlinks = downlinks
        self._clock = clock
        self._defect = defect

    async def begin(self, loaded: Loaded, devices: list[Device], network: Network) -> Counters:
        """Have `network` know the sessions of all devices, and as many of their counters as can be had at once."""
        outbox, self.network = self._outbox, network
        joins = Joins(network, joiners_of(loaded, devices), self.book, self._clock, partial(outbox.save, rest=False))
        stored, damaged = await outbox.on_state(State.joins)
        joins.restore(stored)
        for dev_eui in damaged:
            logs.warning("the session of a device was changed on disk: it has to join again", dev_eui=dev_eui)
        counters = await Counters.load(outbox, network)
        outbox.before_flush += [network.save, joins.save]
        self._downlinks.passing = joins.passing
        self._joins = joins
        self.sending = await Sending.begin(loaded, devices, outbox, self._clock)
        self._downlinks.orders = self.sending.orders
        if loaded.lorawan.mode == "standalone":
            self._answer(loaded, devices, network, joins, stored)
        else:
            self.rejoins = Rejoins(network, joins)
        await self._ask_elsewhere(loaded, devices, network, joins)
        return counters

    async def _ask_elsewhere(self, loaded: Loaded, devices: list[Device], network: Network, joins: Joins) -> None:
        """Have the sessions of devices whose keys are at a server."""
        config = loaded.lorawan.chirpstack
        both = zip(loaded.devices, devices, strict=True)
        theirs = [(one, device) for one, device in both if one.keys == "chirpstack"]
        if config is None or not theirs:
            return
        from torhaus.daemon.lora.central.chirpstack import Client
        from torhaus.daemon.lora.central.sessions import Central

        counted = {session.dev_eui: session for session in (await self._outbox.on_state(State.sessions))[0]}
        self.central = Central(Client(config), config.poll_s, theirs, network, self._clock, counted)
        joins.elsewhere = self.central.joins

    def _answer(
        self,
        loaded: Loaded,
        devices: list[Device],
        network: Network,
        joins: Joins,
        stored: dict[str, DeviceJoins],
    ) -> None:
        """This site is its own network server."""
        from torhaus.daemon.lora.personal import Personal
        from torhaus.daemon.lora.standalone import Standalone

        personal = Personal(d for d in devices if joins.of(d) is None)
        personal.restore(stored, self._clock.wall_ns())
        self._outbox.before_flush.append(personal.save)
        configs = {d.name: d for d in loaded.devices}
        parts = loaded.lorawan, network, joins, self._downlinks, self._clock
        queue = self.sending.queue if self.sending is not None else None
        more = configs, personal, self._defect
        self.standalone = Standalone(*parts, self._save, queue, *more)
        self.standalone.mac.on_status = self._status

    def _status(self, device: Device, frame: Frame, mac: Mac) -> None:
        """A device has told of its battery: an event for central services, as network servers have it."""
        if mac.battery is None or mac.margin_db is None or not self._outbox.has_room():
            return
        event: dict[str, float | int | str] = {"event": "status", "margin_db": mac.margin_db}
        event["external_power"] = int(mac.battery == ON_MAINS)
        if ON_MAINS < mac.battery < BATTERY_UNKNOWN:
            event["battery_percent"] = round((mac.battery - 1) / 253 * 100, 2)
        record = Record("event", frame.driver, device.name, device.dev_eui, event=event)
        self._outbox.put(MAIN, [(self._clock.stamp(), record)], RECORD_BYTES)
        self._outbox.commit(None)

    def parts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What is to be run, by name."""
        found: dict[str, Callable[[], Awaitable[None]]] = {}
        if self.standalone is not None:
            found["joins and answers"] = self.standalone.run
        if self.central is not None:
            found["session keys"] = self.central.run
        return found if self.sending is None else found | self.sending.parts()

    def downlinks(self) -> dict[str, int]:
        """How many wait, and what happened since the start; nothing where nothing is sent."""
        queue = self.sending.queue if self.sending is not None else None
        if queue is None or (not queue.count() and not queue.results):
            return {}
        return {"waiting": queue.count(), **queue.results}

    def encode_with(self, host: ScriptHost) -> None:
        """Have scripts make the bytes of downlinks that are given as JSON."""
        if self.sending is not None:
            self.sending.use(host)

    async def _save(self, dev_eui: str) -> bool:
        """Whether all that is known of a device's joins is on disk."""
        await self._outbox.save(rest=False)
        return dev_eui not in self._outbox.flush.joins

    def routes(self) -> list[tuple[str, str, Route]]:
        """For the control socket, once `begin` has been called."""
        mine: list[tuple[str, str, Route]] = [
            ("GET", "/lora/joins", self.joins),
            ("POST", "/lora/joins/allow", self.allow),
            ("POST", "/lora/joins/again", self.again),
            ("GET", "/lora/radio", self.radio),
        ]
        return mine if self.sending is None else mine + self.sending.routes()

    async def radio(self, _: web.Request) -> web.StreamResponse:
        """How devices are heard, as a JSON array of RadioViews. 503 where the log cannot be read just now."""
        if self.standalone is not None:
            return reply_json(self.standalone.mac.views())
        try:
            return reply_json(await past_links(self._outbox))
        except sqlite3.OperationalError as e:
            return reply_json({"error": f"the log cannot be read just now: {e}"}, 503)

    async def joins(self, _: web.Request) -> web.StreamResponse:
        """The attempts that are remembered, oldest first, as a JSON array of Attempts."""
        return reply_json(self.book.attempts())

    async def allow(self, request: web.Request) -> web.StreamResponse:
        """`device` was reset: it may use DevNonces again. 404 for one that cannot join here, 503 if it is not saved."""
        name = request.query.get("device", "")
        if self.standalone is None or self._joins is None:
            return reply_json({"error": 'joins are not answered here: [lorawan] mode is "passive"'}, 404)
        dev_eui = self._joins.forget_nonces(name)
        if dev_eui is None:
            return reply_json({"error": "no device of this name has root keys"}, 404)
        if not await self._save(dev_eui):
            return reply_json({"error": "it cannot be written to disk"}, 503)
        return reply_json({"device": name})

    async def again(self, request: web.Request) -> web.StreamResponse:
        """`device` is to rejoin with the next answer it gets, `type` 0 or 2. Errors as with `allow`."""
        name, kind = request.query.get("device", ""), 2 if request.query.get("type") == "2" else 0
        if self.standalone is None or self._joins is None:
            return reply_json({"error": 'joins are not answered here: [lorawan] mode is "passive"'}, 404)
        device = self._joins.present(name)
        if device is None or device.join is None or device.session is None or not device.join.is_ours:
            return reply_json({"error": "no device of this name has a session that it joined here"}, 404)
        if device.session.keys.version is not Version.V1_1:
            return reply_json(
                {"error": "only LoRaWAN 1.1 has rejoins; another device joins anew when it is reset"}, 404
            )
        self._joins.change(device, mac=msgspec.structs.replace(device.join.mac, force_rejoin=kind))
        if not await self._save(device.dev_eui or ""):
            return reply_json({"error": "it cannot be written to disk"}, 503)
        return reply_json({"device": name})


def joiners_of(loaded: Loaded, devices: list[Device]) -> list[Joiner]:
    """The devices that have the root keys they need."""
    found = []
    for config, device in zip(loaded.devices, devices, strict=True):
        roots = roots_of(config, loaded.keys.get(config.name))
        if roots is not None:
            counts = config.lorawan in _COUNTING
            found.append(Joiner(device, roots, config.allow_half_mic, config.join_eui, counts))
    return found
