"""A network, its joins and an outbox of sessions in memory; and a whole App between a gateway and a network server."""

import msgspec

from tests.daemon.clocks import FakeClock
from tests.daemon.lora_device import OtaaDevice
from torhaus.codecs.lorawan.downlink import After, Downlink, Immediately, TxItem
from torhaus.codecs.model import Frame, Radio, Reception
from torhaus.daemon.lora.join_book import JoinBook
from torhaus.daemon.lora.joins import Joiner, Joins
from torhaus.daemon.lora.network import Device, Network, Uplink
from torhaus.daemon.lora.roots import Roots
from torhaus.daemon.outbox.flush import Flush
from torhaus.daemon.outbox.joins import DeviceJoins
from torhaus.daemon.outbox.state import Session

GATEWAY, OTHER = "aa555a0000000101", "aa555a0000000102"


def roots_of(it: OtaaDevice) -> Roots:
    return Roots(it.dev_eui, it.join_key, it.app_key if it.is_1_1 else None)


class JoinScene:
    """Restarted with `again`: what was not saved is gone, as after a kill."""

    def __init__(self, *known: OtaaDevice, without_keys: tuple[Device, ...] = ()) -> None:
        self.known = known
        self.without_keys = without_keys
        self.clock = FakeClock()
        self.stored: dict[str, DeviceJoins] = {}
        self.counters: dict[str, Session] = {}
        self.saves = 0
        self.tmst = 1000
        self._begin()

    def _begin(self) -> None:
        devices = [Device(it.name, it.eui, "elsys") for it in self.known]
        self.network = Network([*devices, *self.without_keys], "EU868")
        self.book = JoinBook(self.clock.wall_ns)
        joiners = [Joiner(d, roots_of(it)) for d, it in zip(devices, self.known, strict=True)]
        self.joins = Joins(self.network, joiners, self.book, self.clock, self.save)
        self.joins.restore(self.stored)
        self.network.restore(list(self.counters.values()))

    def again(self) -> None:
        self._begin()

    async def save(self) -> None:
        self.saves += 1
        flush = Flush()
        self.network.save(flush)
        self.joins.save(flush)
        wire = msgspec.json.encode(flush.joins)  # as it is kept
        self.stored |= msgspec.json.decode(wire, type=dict[str, DeviceJoins])
        self.counters |= {s.dev_eui: s for s in flush.sessions}

    def heard(self, phy: bytes, gateway: str = GATEWAY) -> Uplink:
        """Through a gateway; the frame's counter is on disk at once."""
        self.tmst += 1
        radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [Reception(gateway, tmst_us=self.tmst, crc=1)])
        it = self.network.receive(Frame("roof", phy, self.clock.stamp(), radio))
        if it.advance is not None:
            self.network.settle([it.advance], stored=True)
        return it

    def context(self) -> bytes:
        """Of the reception that was heard last."""
        return self.tmst.to_bytes(4, "big")

    async def down(
        self, phy: bytes, gateway: str = GATEWAY, context: bytes | None = None, *, now: bool = False
    ) -> None:
        """A downlink of the network server passes, in both windows."""
        at = self.context() if context is None else context
        delays = (5_000_000, 6_000_000)
        items = [
            TxItem(phy, 868_100_000, "LORA", "SF7BW125", Immediately() if now else After(delay, at)) for delay in delays
        ]
        await self.joins.passing(Downlink(gateway, tuple(items)))

    def results(self) -> dict[str, int]:
        return dict(self.book.results)
