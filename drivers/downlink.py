"""Who carries downlinks, and channels: the words are those of `torhaus.codecs.lorawan.downlink` and `chirpstack_gw`."""

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer

if TYPE_CHECKING:  # loaded where there is a relay to ChirpStack
    from torhaus.codecs.framing.chirpstack_gw.commands import GatewayConfiguration


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


class Configured(msgspec.Struct, frozen=True, gc=False):
    """What became of a gateway's channels; `why` says more.

    `refused`: not allowed, or not possible. `again`: it was given some a short time ago. `no_gateway`: there was nobody
    to take it. `no_answer`: it was handed over, and nothing came back.
    """

    result: Literal["handed_over", "refused", "again", "no_gateway", "no_answer"]
    why: str = ""


class Configurable(Protocol):
    """A driver whose gateways can be told what to listen on has this as well."""

    async def configure(self, configuration: "GatewayConfiguration") -> Configured:
        """Hand it to the gateway that it names. Never raises for a gateway's faults."""
        ...
