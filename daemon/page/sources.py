"""What the views look at: the same parts that the command line asks over the local socket."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from torhaus.codecs.model import Stamp
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.load import Loaded
from torhaus.daemon.lora.frame_log import FrameLog
from torhaus.daemon.lora.joining import Joining
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.page.decoding import Decoding
from torhaus.daemon.page.latest import Latest
from torhaus.daemon.status import Survey
from torhaus.daemon.watch import Watch

if TYPE_CHECKING:  # a site without scan stations starts without their rooms
    from torhaus.daemon.config.devices import DeviceConfig
    from torhaus.daemon.lora.orders import Orders
    from torhaus.daemon.scans.queue import ScanQueue


class Sources:
    """One for a daemon. `scans`: the running queue; None where there is none or its store is not open."""

    def __init__(
        self,
        loaded: Loaded,
        clock: Clock,
        outbox: Outbox,
        watch: Watch,
        survey: Survey,
        frames: FrameLog,
        joining: Joining,
        scans: "Callable[[], ScanQueue | None]",
    ) -> None:
        self.loaded = loaded
        self.clock = clock
        self.outbox = outbox
        self.watch = watch
        self.survey = survey
        self.frames = frames
        self.joining = joining
        self.scans = scans
        self.latest = Latest(outbox, (d.name for d in loaded.devices))
        self.decoding = Decoding(loaded)
        self.devices: dict[str, DeviceConfig] = {d.name: d for d in loaded.devices}

    @property
    def has_scans(self) -> bool:
        """Whether this site scans documents."""
        return self.loaded.has_scans

    @property
    def orders(self) -> "Orders | None":
        """Where downlinks are ordered."""
        return self.joining.sending.orders if self.joining.sending is not None else None

    def now(self) -> Stamp:
        """The time."""
        return self.clock.stamp()
