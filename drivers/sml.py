"""Meters that push SML telegrams over their optical or wired interface, mostly once a second.

Framing: torhaus.codecs.framing.sml_transport. Nothing is sent to the meter. A frame's data is the whole transport
telegram as received; its time is that of the last byte's arrival here.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec

from torhaus.codecs.framing.sml_transport import SmlFramer
from torhaus.codecs.model import Frame, Reject
from torhaus.drivers.base import DriverGone, Host, LinkChanged
from torhaus.drivers.link import open_link, parse_link
from torhaus.drivers.window import Window

MAX_OUTSTANDING: Final = 64
"""Telegrams and refused stretches that may be handed over and not on disk yet; then reading stops until some are."""

Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type.

    `interval_s`: at most one telegram is delivered in each stretch of so many seconds since boot: the first to arrive,
    and of several that arrive at once the newest. 0: every telegram. `idle_s`: a meter that is silent for so long is
    taken for lost (0: never).
    """

    name: str
    type: Literal["sml"] = "sml"
    link: str
    device: Annotated[str, msgspec.Meta(min_length=1)]
    interval_s: Seconds = 0
    idle_s: Seconds = 60

    def __post_init__(self) -> None:
        parse_link(self.link)


def open(config: Config) -> "Sml":  # noqa: A001 - the door every driver module has
    """The driver; the link is opened when it is run."""
    return Sml(config)


class Sml:
    """One meter on one link."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._spec = parse_link(config.link)
        self._interval_ns = int(config.interval_s * 1e9)
        self._slot = -1  # the interval that has had its telegram
        self._window = Window(MAX_OUTSTANDING)

    async def run(self, host: Host) -> None:
        """Receive until cancelled. Raises DriverGone when the link is lost or cannot be opened."""
        framer = SmlFramer()
        try:
            async with await open_link(self._spec, self.config.idle_s) as link:
                host.event(LinkChanged(up=True))
                while True:
                    await self._window.room()
                    self._hand_over(framer.feed(await link.read()), host)
        except DriverGone as gone:
            self._hand_over(framer.reset(), host)
            host.event(LinkChanged(up=False, detail=str(gone)))
            raise

    def _hand_over(self, pieces: Sequence[bytes | Reject], host: Host) -> None:
        """Give what one read brought to the host."""
        at, device = host.stamp(), self.config.device
        telegrams = self._thin([piece for piece in pieces if isinstance(piece, bytes)], at.boot_ns)
        frames = [Frame(self.config.name, data, at, device=device) for data in telegrams]
        rejects = [Reject(r.data, r.reason, r.detail, device) for r in pieces if isinstance(r, Reject)]
        if frames or rejects:
            host.deliver(frames, rejects, self._window.taken(len(frames) + len(rejects)))

    def _thin(self, telegrams: list[bytes], boot_ns: int) -> list[bytes]:
        """Those to be delivered."""
        if not telegrams or not self._interval_ns:
            return telegrams
        slot = boot_ns // self._interval_ns
        if slot == self._slot:
            return []
        self._slot = slot
        return telegrams[-1:]
