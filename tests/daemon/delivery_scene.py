"""A device that is told things, and a site whose queue tells it."""

from tests.daemon.join_scene import GATEWAY
from tests.daemon.lora_device import OtaaDevice
from tests.daemon.queue_scene import QueueScene
from tests.daemon.standalone_scene import StandaloneScene
from torhaus.codecs.lorawan.build import build_uplink
from torhaus.codecs.lorawan.duty_cycle import EU868
from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.daemon.lora.duty_cycle import DutyCycle
from torhaus.daemon.lora.standalone import Standalone
from torhaus.daemon.outbox.queued import Queued


class Actor(OtaaDevice):
    """A device that is told things: 1.1 ones count application payloads apart, and ACKs are of the last confirmed."""

    def __init__(self, *, is_1_1: bool = False) -> None:
        super().__init__(is_1_1=is_1_1)
        self.got: list[tuple[int, bytes]] = []
        self.used: set[tuple[bool, int]] = set()
        self.acks: int | None = None

    def say(self, *, confirmed: bool = False) -> bytes:
        """The next uplink, with the ACK that is due."""
        assert self.keys is not None
        assert self.dev_addr is not None
        ack, self.acks = self.acks, None
        phy = build_uplink(
            self.keys,
            self.dev_addr,
            self.fcnt_up,
            5,
            b"\x01\x00\xd6",
            confirmed=confirmed,
            ack=ack is not None,
            conf_fcnt=ack or 0,
            tx_dr=5,
            tx_ch=0,
        )
        self.fcnt_up += 1
        return phy

    def listen(self, phy: bytes) -> DataFrame:
        """A downlink after the last uplink; its counter must be a new one."""
        frame = parse(phy)
        assert isinstance(frame, DataFrame)
        assert self.keys is not None
        assert self.keys.verify_downlink(phy, frame, frame.fcnt16, conf_fcnt=self.fcnt_up - 1)
        counter = (self.is_1_1 and bool(frame.fport), frame.fcnt16)
        assert counter not in self.used
        self.used.add(counter)
        if frame.fport:
            self.got.append((frame.fport, self.keys.decrypt(frame, frame.fcnt16)))
        if frame.confirmed:
            self.acks = frame.fcnt16
        return frame


class Site(StandaloneScene):
    """With a queue."""

    def __init__(self, it: Actor, duty: DutyCycle | None = None) -> None:
        self.queues, self.duty = QueueScene(), duty
        super().__init__(it)
        self.it = it
        self.queues.clock = self.clock

    def _begin(self) -> None:
        super()._begin()
        self.queues.again()
        before = self.standalone._transmit._downlinks
        before._duty = self.duty
        parts = self.config, self.network, self.joins, before, self.clock
        self.standalone = Standalone(*parts, self._save, self.queues.queue)

    async def turn(self, *, confirmed: bool = False) -> DataFrame | None:
        """An uplink, and what the device hears after it."""
        before = len(self.radio.sent)
        up = await self.ask(self.it.say(confirmed=confirmed))
        assert up.reason is None, up.detail
        return self.it.listen(self.last().data) if len(self.radio.sent) > before else None

    def now(self, item: Queued) -> Queued:
        return self.queues.now(item)

    def fill(self, percent: int) -> None:
        """The gateway has used up the sub-bands with so much of the hour."""
        assert self.duty is not None
        for band in EU868:
            if round(band.share * 100) == percent:
                self.duty._hour(GATEWAY, band).add(band.allowed_us, self.clock.boot_ns())
