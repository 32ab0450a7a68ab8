"""Who carries downlinks: the words are those of `torhaus.codecs.lorawan.downlink`."""

from typing import Protocol

from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer


class Transmitter(Protocol):
    """A driver that can send down: it has this beside `run`.

    One whose gateways do not say what they have not sent has `tells_refusals = False` as well: until it is known that
    they have not, it is too late for anything else.
    """

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """Send through one of its gateways; one answer for each item, in order. Never raises for a gateway's faults.

        Items are handed over at once and in order; it returns as soon as it is known what became of all of them.
        """
        ...
