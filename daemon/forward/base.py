"""What a forwarder is: it sends a batch once and says for each item what became of it.

A forwarder module has `Config` (frozen msgspec struct), `open_forwarder(config, context) -> Forwarder`, a sample in
`config/forwarders/<type>.toml` and one line in `registry.py`. Retry, batching, lanes and settlement live in
`runner.py` and nowhere else: a forwarder has no loop that sends again and no back-off. What a relay has besides, which
passes raw LoRaWAN frames on to a network server: `relay.py`.
"""

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from torhaus.daemon.clock import Clock, SystemClock
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.windows import Window
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.outbox.record import Record


class Unavailable(Exception):  # noqa: N818 - a state of the far side, not a defect
    """The far side cannot be reached or does not take anything at present. Everything is kept; the runner backs off.

    The text is one short line for status and log: no secrets, no payload.
    """


class Item(msgspec.Struct, gc=False):
    """One record to be sent. `tries` counts earlier attempts that this very item failed (0 the first time)."""

    message: Message
    tries: int = 0


class Outcome(msgspec.Struct, gc=False):
    """What became of a batch, by index into it. An index that is in no list is kept, never accepted.

    accepted: the far side has proved receipt.  rejected: refused for good, with the reason (dead letter).
    kept: refused for now, with the reason (tried again later).
    dropped: not sent, by a rule, since it would do harm by now; with the reason (a metric label: few, fixed), counted.
    """

    accepted: list[int] = []
    rejected: dict[int, str] = {}
    kept: dict[int, str] = {}
    dropped: dict[int, str] = {}


class Forwarder(Protocol):
    """One far side. `max_batch` is the most items `send` takes; `concurrency` how many sends may run at once.

    `note` is what a person should know although records go out: one short line for the status, None when all is well.
    """

    max_batch: int
    concurrency: int
    note: str | None

    async def open(self) -> None:
        """Connect. May be called again after a failure or a close. Raises Unavailable."""
        ...

    async def send(self, batch: list[Item]) -> Outcome:
        """Send each item at most once and wait for its receipt.

        Raises Unavailable when the connection is lost before any receipt of this batch came; otherwise returns what
        is known, and the rest is kept.
        """
        ...

    async def gone(self) -> None:
        """Wait until the connection is lost, also when nothing is being sent. Raises Unavailable then."""
        ...

    async def close(self) -> None:
        """Disconnect in order. Never raises."""
        ...


class Context(msgspec.Struct, frozen=True):
    """What a forwarder is opened with, besides its own config. `downlinks` is the way down through the gateways."""

    site: str
    version: str
    downlinks: Downlinks | None = None
    clock: Clock = msgspec.field(default_factory=SystemClock)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What every forwarder has, whatever its type. Empty `devices` means all.

    `order`: `live_first` sends the newest at once and the backlog beside it; `device` keeps the order of each device
    whatever the far side refuses for now, `strict` that of the whole log. `wants`: which records of those, if not all;
    `is_relay`: devices are told apart by their DevAddr, and several gateways' copies of one frame go out together.
    """

    name: str
    kinds: frozenset[str] = frozenset({"reading"})
    devices: frozenset[str] = frozenset()
    backfill_per_s: float = 1000.0
    order: Literal["live_first", "device", "strict"] = "live_first"
    windows: tuple[Window, ...] = ()
    wants: Callable[[Record], bool] | None = None
    is_relay: bool = False
