"""Puts the parts of sending together: what the store has of the queue, who may be sent to, and the ways in."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Final

from torhaus.codecs.lorawan.region import region
from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.load import Loaded
from torhaus.daemon.httpd import Route
from torhaus.daemon.lora.network import Device
from torhaus.daemon.lora.order_encode import ScriptEncoder
from torhaus.daemon.lora.order_pages import OrderPages
from torhaus.daemon.lora.orders import Orders
from torhaus.daemon.lora.queue import DownlinkQueue
from torhaus.daemon.lora.queue_events import Teller
from torhaus.daemon.lora.roots import roots_of
from torhaus.daemon.outbox.queued import Changes
from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.scripts.host import ScriptHost

PASSIVE: Final = 'nothing is sent from here: [lorawan] mode is "passive", and the network server elsewhere sends'
NO_KEYS: Final = "torhaus does not send to this device: neither root keys nor session keys are in the keys file"


class Sending:
    """One for a daemon. Made by `begin`, when the outbox is open."""

    def __init__(self, loaded: Loaded, devices: list[Device], outbox: Outbox, clock: Clock) -> None:
        names = {d.dev_eui: d.name for d in devices if d.dev_eui is not None}
        self._outbox = outbox
        self._is_failing = False
        self.queue = DownlinkQueue(clock, self._write, outbox.boots)
        self.orders = Orders(self.queue, region(loaded.lorawan.region), names, refusals(loaded))
        self.teller = Teller(self.queue, outbox, clock, names)
        self.orders.on_refused = self.teller.refused
        self._devices = devices
        self._known = names.keys() - refusals(loaded).keys()

    @classmethod
    async def begin(cls, loaded: Loaded, devices: list[Device], outbox: Outbox, clock: Clock) -> "Sending":
        """With what waited when the daemon ended. Raises sqlite3.Error."""
        it = cls(loaded, devices, outbox, clock)
        stored, damaged = await outbox.on_state(State.downlinks)
        if damaged:
            logs.warning("downlinks were changed on disk, and are not sent", count=len(damaged))
            it.queue.lost(damaged)
        it.queue.restore(stored, it._known)
        return it

    def use(self, host: ScriptHost) -> None:
        """Have scripts encode what is given as JSON."""
        self.orders.encode = ScriptEncoder(host, self._devices).encode

    def parts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What is to be run, by name."""
        return {"downlink queue": self.teller.run} if self._known or self.queue.untold() else {}

    async def _write(self, changes: Changes) -> None:
        """On disk when it returns. Raises sqlite3.Error, told once until it works again."""
        try:
            await self._outbox.on_state(lambda state: state.save_downlinks(changes))
        except sqlite3.Error as e:
            if not self._is_failing:
                logs.warning("the queue of downlinks cannot be written", detail=str(e))
            self._is_failing = True
            raise
        self._is_failing = False

    def routes(self) -> list[tuple[str, str, Route]]:
        """For the control socket."""
        return OrderPages(self.orders).routes()


def refusals(loaded: Loaded) -> dict[str, tuple[str, str]]:
    """Devices to which nothing is sent, by DevEUI, with the reason as a label and in words."""
    found = {}
    for device in loaded.devices:
        if device.dev_eui is None:
            continue
        if loaded.lorawan.mode == "passive":
            found[device.dev_eui] = "passive", PASSIVE
        elif roots_of(device, keys := loaded.keys.get(device.name)) is None and (keys is None or keys.session is None):
            found[device.dev_eui] = "no_keys", NO_KEYS
    return found
