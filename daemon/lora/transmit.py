"""One frame down to a device, by gateways that heard it: in RX1 by the best and by the next, then in RX2; or at once.

A gateway that answers one device in RX2 of EU868 is busy for nearly two seconds, and misses the first windows of all
others meanwhile. So another gateway's RX1 goes before it, where that one heard the device well enough. Gateways that
are known to be sending then are passed over.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import msgspec

from torhaus.codecs.lorawan.downlink import Downlink, TxItem, TxStatus
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import Reception
from torhaus.daemon.lora.adr import snr_floor_db
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.network import Network
from torhaus.daemon.lora.plan import Receive
from torhaus.daemon.lora.rounds import Round
from torhaus.daemon.lora.windows import Window, always_open, best_first, windows

TAKEN: Final = frozenset({TxStatus.OK, TxStatus.NO_ANSWER})
"""The device may have it, and nothing more is sent."""
MARGIN_DB: Final = 3.0
"""By how much more than needed a gateway other than the best has to have heard a device that it is to reach."""
_GATEWAYS: Final = 4
"""So many are tried: there is a second until RX1."""
_AT_ONCE: Final = 2

Try = tuple[str, tuple[TxItem, ...]]
"""A gateway, and what it is asked to send: one of the items, in their order."""


class Sent(msgspec.Struct, frozen=True, gc=False):
    """What became of a frame, and the gateway that was tried last."""

    status: TxStatus
    gateway: str | None = None

    @property
    def is_taken(self) -> bool:
        """Whether a gateway has sent it, or may have."""
        return self.status in TAKEN


class Way(msgspec.Struct, frozen=True):
    """How a device can be reached now. `room_bytes`: N of its larger window."""

    room_bytes: int
    has_airtime: Callable[[int], bool]
    """Whether the duty cycle has room for a frame of so many bytes."""
    send: Callable[[bytes, bool], Awaitable[Sent]]
    """Put a frame on the air; the second argument says whether only where there is airtime."""


class Transmit:
    """One for a daemon."""

    def __init__(self, region: Region, network: Network, downlinks: Downlinks) -> None:
        self._region = region
        self._network = network
        self._downlinks = downlinks

    def answering(self, this: Round, receive: Receive, dev_eui: str | None) -> Way:
        """In the windows after an uplink."""

        async def send(phy: bytes, airtime: bool) -> Sent:
            return await self.send(this, phy, receive, dev_eui, airtime=airtime)

        best = _best(this)
        room = max((w.room_bytes for w in self._windows(this, best[0], receive)), default=0) if best else 0
        return Way(room, lambda size: self.has_airtime(this, size, receive), send)

    def at_once(self, gateways: list[str], receive: Receive, dev_eui: str | None) -> Way:
        """To a device of class C, by the gateways that heard it last, in turn until one can."""
        window = always_open(self._region, receive)

        def item(gateway: str, phy: bytes, *, airtime: bool) -> tuple[TxItem, ...]:
            return self._items(gateway, (window,), phy, airtime=airtime)

        async def send(phy: bytes, airtime: bool) -> Sent:
            return await self._through(((g, item(g, phy, airtime=airtime)) for g in gateways[:_AT_ONCE]), dev_eui)

        def has_airtime(size: int) -> bool:
            return any(item(g, bytes(size), airtime=True) for g in gateways[:_AT_ONCE])

        return Way(window.room_bytes, has_airtime, send)

    def has_airtime(self, this: Round, size: int, receive: Receive) -> bool:
        """Whether a gateway may send a frame of so many bytes in one of the windows, as far as its duty cycle goes."""
        return any(items for _, items in self._tries(this, bytes(size), receive, airtime=True))

    async def send(
        self, this: Round, phy: bytes, receive: Receive, dev_eui: str | None, *, airtime: bool = False
    ) -> Sent:
        """In the windows after an uplink. Those for which the frame is too long are left out.

        With `airtime` only where the duty cycle has room for it, whether that is enforced for everything or not.
        """
        return await self._through(self._tries(this, phy, receive, airtime=airtime), dev_eui)

    async def _through(self, tries: Iterator[Try], dev_eui: str | None) -> Sent:
        result = Sent(TxStatus.NO_GATEWAY)
        for gateway, items in tries:
            if not items:
                continue
            free = tuple(item for item in items if not self._downlinks.is_busy(gateway, item))
            if not free:
                result = Sent(TxStatus.COLLISION_PACKET, gateway)
                continue
            got = await self._downlinks.send(Downlink(gateway, free, dev_eui=dev_eui))
            tried = [a.status for a in got if a.status is not TxStatus.IGNORED]
            taken = next((s for s in tried if s in TAKEN), None)
            result = Sent(taken or (tried[-1] if tried else TxStatus.NO_GATEWAY), gateway)
            if taken is not None:
                break
        return result

    def _tries(self, this: Round, phy: bytes, receive: Receive, *, airtime: bool) -> Iterator[Try]:
        """The ways in which it is tried, in their order."""
        first: list[Try] = []
        later: list[Try] = []
        for n, rx in enumerate(_best(this)):
            *rx1, rx2 = self._windows(this, rx, receive)
            near = [w for w in rx1 if n == 0 or _hears(rx, w)]
            far = [rx2] if n == 0 or _hears(rx, rx2) else []
            if self._downlinks.tells_refusals(rx.gateway):
                first.append((rx.gateway, self._items(rx.gateway, tuple(near), phy, airtime=airtime)))
                later.append((rx.gateway, self._items(rx.gateway, tuple(far), phy, airtime=airtime)))
                continue
            # what this one makes of RX1 is known when it is over: both windows at once, unless it is busy in the first
            both = self._items(rx.gateway, (*near, *far), phy, airtime=airtime)
            can = bool(near) and bool(both) and not self._downlinks.is_busy(rx.gateway, both[0])
            (first if can else later).append((rx.gateway, both))
        if len(first) == 1 and [g for g, _ in later] == [first[0][0]]:  # one alone is told all there is at once
            return iter([(first[0][0], first[0][1] + later[0][1])])
        return iter([*first, *later])

    def _windows(self, this: Round, rx: Reception, receive: Receive) -> tuple[Window, ...]:
        radio = this.frame.radio
        assert radio is not None
        return windows(self._region, rx, radio.freq_hz, self._network.data_rate(radio), receive)

    def _items(self, gateway: str, found: tuple[Window, ...], phy: bytes, *, airtime: bool) -> tuple[TxItem, ...]:
        items = tuple(w.item(phy) for w in found if w.fits(phy))
        return self._downlinks.with_airtime(gateway, items) if airtime else items


def _best(this: Round) -> list[Reception]:
    return best_first(this.receptions)[:_GATEWAYS]


def _hears(rx: Reception, window: Window) -> bool:
    """Whether a device that was heard so can be expected to hear an answer in this window.

    The way down is about as good as the way up: device and gateway send with similar power.
    """
    floor = snr_floor_db(window.rate.datarate)
    return floor is None or rx.snr_db is None or rx.snr_db >= floor + MARGIN_DB
