"""What a driver is: code that talks to one kind of device or gateway and hands frames to its host.

A driver module has `Config` (a frozen msgspec struct with `name` and `type`), `open(config) -> Driver`, a sample in
`config/drivers/<type>.toml`, and one line in `registry.py`. Checking a config never touches the device.
"""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from torhaus.codecs.model import Frame, Reject, RejectReason, Stamp
from torhaus.drivers.said import Telling

Done = Callable[[bool], None]
"""Called once on the event loop when the frames of one delivery are on disk (True) or could not be stored (False)."""

Tickets = list[Any]
"""What a driver knows deliveries by that it wants to hear of."""

Answer = Callable[[Tickets, bool], None]
"""`Done` for many deliveries: each ticket is named once, with others or alone."""


class DriverGone(Telling):
    """The device or link is gone for now; the supervisor runs the driver again after a while."""


class LinkChanged(msgspec.Struct, frozen=True, gc=False):
    """The link to the device came up or went down; `detail` is a text, or Said (said.py)."""

    up: bool
    detail: str = ""


class GatewaySeen(msgspec.Struct, frozen=True, gc=False):
    """A gateway spoke to us, for the first time or from another address; `peer` is where it speaks from.

    `known`: it may speak, from there. `listed`: the configuration names it, so that it may be a metric's label.
    """

    gateway: str
    peer: str
    protocol: str
    known: bool
    listed: bool = False


class GatewayReachable(msgspec.Struct, frozen=True, gc=False):
    """A gateway that may speak opened its way down, or keeps it open: downlinks go to `address` from now on."""

    gateway: str
    address: str


class GatewayLeft(msgspec.Struct, frozen=True, gc=False):
    """A gateway's connection ended; `detail` says why. Protocols without connections have no such event."""

    gateway: str
    detail: str = ""


class GatewayRefused(msgspec.Struct, frozen=True, gc=False):
    """A gateway, or somebody who wants to be one, did not get what it asked for; `detail` says why, never a secret.

    `peer` and `gateway` are empty and None where they are not known yet, as in a TLS handshake that fails.
    """

    peer: str
    detail: str
    gateway: str | None = None


class GatewayStats(msgspec.Struct, frozen=True, gc=False):
    """A gateway's own report: numbers and texts by their GWMP names. Stored as an event record."""

    gateway: str
    values: dict[str, float | int | str]
    at: Stamp
    stranger: RejectReason | None = None


class DeviceChanged(msgspec.Struct, frozen=True, gc=False):
    """A device that is asked over a bus answers again, or no longer; `detail` says what it does instead."""

    device: str
    up: bool
    detail: str = ""


Delivery = tuple[list[Frame], list[Reject], Any, GatewayStats | None]
"""One of several that are handed over together; the third is its ticket, None where no answer is wanted."""

Event = LinkChanged | DeviceChanged | GatewaySeen | GatewayReachable | GatewayLeft | GatewayRefused


class Host(Protocol):
    """What the daemon gives a driver."""

    def stamp(self) -> Stamp:
        """The time now."""
        ...

    def boot_ns(self) -> int:
        """Nanoseconds since boot: what durations are measured with."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; the time is that of `boot_ns`."""
        ...

    def deliver(
        self, frames: list[Frame], rejects: list[Reject], done: Done | None = None, stats: GatewayStats | None = None
    ) -> None:
        """Hand over what was received. Everything, also what was refused, is stored; then `done` is called."""
        ...

    def deliver_all(self, deliveries: list[Delivery], answer: Answer) -> None:
        """`deliver` for each, in order, for less: what came in one turn of the loop. `answer` tells of tickets."""
        ...

    def event(self, event: Event) -> None:
        """Tell the daemon about a change of state."""
        ...

    def acked(self, seconds: float, count: int = 1) -> None:
        """So many acknowledgements left for the device side, this long after their data came (and after the commit)."""
        ...

    def ack_withheld(self) -> None:
        """No acknowledgement was sent, because the data could not be stored."""
        ...


class Driver(Protocol):
    """One running driver.

    One whose configuration says what its devices' bytes mean also has `decoders`: device to a function as codecs are.
    One with a line has `spec`, and `taken()`: a context in which somebody else may use it.
    """

    async def run(self, host: Host) -> None:
        """Work until cancelled. Raises DriverGone when the device is lost; anything else is a defect."""
        ...
