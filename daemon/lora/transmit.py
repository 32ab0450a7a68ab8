"""One frame down to a device, by the gateways that heard it, the best one first: in RX1 and RX2, or at once."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from torhaus.codecs.lorawan.downlink import Downlink, TxItem, TxStatus
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import Reception
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.network import Network
from torhaus.daemon.lora.plan import Receive
from torhaus.daemon.lora.rounds import Round
from torhaus.daemon.lora.windows import Window, always_open, best_first, windows

TAKEN: Final = frozenset({TxStatus.OK, TxStatus.NO_ANSWER})
"""The device may have it, and nothing more is sent."""
_GATEWAYS: Final = 2
"""So many are tried: there is a second until RX1."""


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
            ways = [(g, item(g, phy, airtime=airtime)) for g in gateways[:_GATEWAYS]]
            return await self._through(ways, dev_eui)

        def has_airtime(size: int) -> bool:
            return any(item(g, bytes(size), airtime=True) for g in gateways[:_GATEWAYS])

        return Way(window.room_bytes, has_airtime, send)

    def has_airtime(self, this: Round, size: int, receive: Receive) -> bool:
        """Whether a gateway may send a frame of so many bytes in one of the windows, as far as its duty cycle goes."""
        return any(
            self._items(rx.gateway, self._windows(this, rx, receive), bytes(size), airtime=True) for rx in _best(this)
        )

    async def send(
        self, this: Round, phy: bytes, receive: Receive, dev_eui: str | None, *, airtime: bool = False
    ) -> Sent:
        """In the windows after an uplink. Those for which the frame is too long are left out.

        With `airtime` only where the duty cycle has room for it, whether that is enforced for everything or not.
        """
        ways = [
            (rx.gateway, self._items(rx.gateway, self._windows(this, rx, receive), phy, airtime=airtime))
            for rx in _best(this)
        ]
        return await self._through(ways, dev_eui)

    async def _through(self, ways: list[tuple[str, tuple[TxItem, ...]]], dev_eui: str | None) -> Sent:
        result = Sent(TxStatus.NO_GATEWAY)
        for gateway, items in ways:
            if not items:
                continue
            got = await self._downlinks.send(Downlink(gateway, items, dev_eui=dev_eui))
            tried = [a.status for a in got if a.status is not TxStatus.IGNORED]
            taken = next((s for s in tried if s in TAKEN), None)
            result = Sent(taken or (tried[-1] if tried else TxStatus.NO_GATEWAY), gateway)
            if taken is not None:
                break
        return result

    def _windows(self, this: Round, rx: Reception, receive: Receive) -> tuple[Window, ...]:
        radio = this.frame.radio
        assert radio is not None
        return windows(self._region, rx, radio.freq_hz, self._network.data_rate(radio), receive)

    def _items(self, gateway: str, found: tuple[Window, ...], phy: bytes, *, airtime: bool) -> tuple[TxItem, ...]:
        items = tuple(w.item(phy) for w in found if w.fits(phy))
        return self._downlinks.with_airtime(gateway, items) if airtime else items


def _best(this: Round) -> list[Reception]:
    return best_first(this.receptions)[:_GATEWAYS]
