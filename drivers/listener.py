"""Devices that speak by themselves: what comes over the link is cut into telegrams, and those become frames.

A frame's data is a whole telegram as received; its time is that of the last byte's arrival here.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec

from torhaus.codecs.framing.base import Framer
from torhaus.codecs.model import Fields, Frame, Reject, Stamp
from torhaus.drivers.base import DriverGone, Host, LinkChanged
from torhaus.drivers.link import LinkSpec, open_link
from torhaus.drivers.own_line import OwnLine
from torhaus.drivers.thinning import Thinning
from torhaus.drivers.window import Window

MAX_OUTSTANDING: Final = 64
"""Telegrams and refused stretches that may be handed over and not on disk yet; then reading stops until some are."""

Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]


class Listener(OwnLine):
    """One device on one link.

    `thinning`: which telegrams are delivered; None: all. `idle_s`: a device that is silent for so long is taken for
    lost (0: never). `derive`: values that follow from a telegram and its time. `decoders`: by device, where the
    configuration says what its bytes mean.
    """

    def __init__(
        self,
        name: str,
        device: str,
        spec: LinkSpec,
        framer: Callable[[], Framer],
        thinning: Thinning | None = None,
        idle_s: float = 0,
        derive: Callable[[bytes, Stamp], Fields | None] | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.device = device
        self.idle_s = idle_s
        self.decoders: dict[str, Callable[[bytes, int | None], Fields]] = {}
        self.spec = spec
        self._framer = framer
        self._thinning = thinning
        self._derive = derive
        self._window = Window(MAX_OUTSTANDING)

    async def run(self, host: Host) -> None:
        """Receive until cancelled. Raises DriverGone when the link is lost or cannot be opened."""
        framer = self._framer()
        try:
            async with self._line, await open_link(self.spec, self.idle_s) as link:
                self._link = link
                host.event(LinkChanged(up=True))
                while True:
                    await self._window.room()
                    self._hand_over(framer.feed(await link.read()), host)
        except DriverGone as gone:
            self._hand_over(framer.reset(), host)
            host.event(LinkChanged(up=False, detail=gone.detail))
            raise

    def _hand_over(self, pieces: Sequence[bytes | Reject], host: Host) -> None:
        """Give what one read brought to the host."""
        at, device = host.stamp(), self.device
        telegrams = [piece for piece in pieces if isinstance(piece, bytes)]
        if self._thinning is None:
            frames = [Frame(self.name, data, at, device=device) for data in telegrams]
        else:
            chosen = self._thinning.chosen(telegrams, at.boot_ns)
            frames = [Frame(self.name, data, at, device=device, derived=derived) for data, derived in chosen]
        if self._derive is not None:
            for frame in frames:
                frame.derived = self._derive(frame.data, at)
        rejects = [Reject(r.data, r.reason, r.detail, device) for r in pieces if isinstance(r, Reject)]
        if frames or rejects:
            host.deliver(frames, rejects, self._window.taken(len(frames) + len(rejects)))
