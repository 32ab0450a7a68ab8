"""One frame down to a device of class A, by the gateways that heard it: the best one first, RX1 before RX2."""

from typing import Final

from torhaus.codecs.lorawan.downlink import Downlink, TxItem, TxStatus
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import Reception
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.network import Network
from torhaus.daemon.lora.rounds import Round
from torhaus.daemon.lora.windows import best_first, windows

TAKEN: Final = frozenset({TxStatus.OK, TxStatus.NO_ANSWER})
"""The device may have it, and nothing more is sent."""
_GATEWAYS: Final = 2
"""So many are tried: there is a second until RX1."""


class Transmit:
    """One for a daemon."""

    def __init__(self, region: Region, network: Network, downlinks: Downlinks) -> None:
        self._region = region
        self._network = network
        self._downlinks = downlinks

    def has_airtime(self, this: Round, size: int, delay_s: int) -> bool:
        """Whether a gateway may send a frame of so many bytes in one of the windows, as far as its duty cycle goes."""
        return any(self._items(this, rx, bytes(size), delay_s, airtime=True) for rx in _best(this))

    async def send(
        self, this: Round, phy: bytes, delay_s: int, dev_eui: str | None, *, airtime: bool = False
    ) -> tuple[TxStatus, str | None]:
        """What became of it, and the gateway that was tried last. `delay_s`: from the uplink to RX1.

        With `airtime` only where the duty cycle has room for it, whether that is enforced for everything or not.
        """
        status, gateway = TxStatus.NO_GATEWAY, None
        for rx in _best(this):
            items = self._items(this, rx, phy, delay_s, airtime=airtime)
            if not items:
                continue
            got = await self._downlinks.send(Downlink(rx.gateway, items, dev_eui=dev_eui))
            tried = [a.status for a in got if a.status is not TxStatus.IGNORED]
            gateway = rx.gateway
            status = tried[-1] if tried else TxStatus.NO_GATEWAY
            if any(s in TAKEN for s in tried):
                return next(s for s in tried if s in TAKEN), gateway
        return status, gateway

    def _items(self, this: Round, rx: Reception, phy: bytes, delay_s: int, *, airtime: bool) -> tuple[TxItem, ...]:
        radio = this.frame.radio
        assert radio is not None
        items = windows(self._region, phy, rx, radio.freq_hz, self._network.data_rate(radio), delay_s)
        return self._downlinks.with_airtime(rx.gateway, items) if airtime else items


def _best(this: Round) -> list[Reception]:
    return best_first(this.receptions)[:_GATEWAYS]
