"""What one delivery, or several of one turn of the loop, put into the outbox together, and what hangs on its commit.

Most deliveries are one good frame of a device and nothing else. What each would cost by itself (lists, a place in the
commit, a callback) is paid once for all that came in the same turn: a fifth of what an uplink cost. Only a delivery
with something besides, such as a stranger's frame, stands alone, since its acknowledgement hangs on more.
"""

from torhaus.codecs.model import Frame, RejectReason, Stamp
from torhaus.daemon.lora.network import Advance, Device
from torhaus.daemon.outbox.record import Lora, Record
from torhaus.drivers.base import Answer, Tickets

Records = list[tuple[Stamp, Record]]


class Turn:
    """Records by log, and whom to answer: counters, copies of frames still under way, the acknowledgements."""

    __slots__ = ("advances", "answer", "copies_of", "is_whole", "main", "relay", "size_bytes", "strangers", "tickets")

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.main: Records = []
        self.relay: Records = []
        self.strangers: Records = []
        self.size_bytes = 0
        self.tickets: Tickets = []
        self.advances: list[Advance] = []
        self.copies_of: list[Advance] = []
        self.is_whole = True  # everything of it was put

    def is_awaited(self) -> bool:
        """Whether anything hangs on its commit."""
        return bool(self.tickets or self.advances or self.copies_of)

    def split(self, main: int, advances: int, size_bytes: int) -> "Turn":
        """Take away what came behind so many records, counters and bytes: the delivery that stands alone."""
        alone = Turn(self.answer)
        alone.main, self.main = self.main[main:], self.main[:main]
        alone.advances, self.advances = self.advances[advances:], self.advances[:advances]
        alone.size_bytes, self.size_bytes = self.size_bytes - size_bytes, size_bytes
        alone.relay, self.relay = self.relay, []  # of these only such a delivery has any
        alone.strangers, self.strangers = self.strangers, []
        alone.copies_of, self.copies_of = self.copies_of, []
        return alone

    def told(self, stored: bool) -> None:
        """The commit is over. Those of earlier deliveries were told before: what this is a copy of has its fate."""
        if self.tickets:
            self.answer(self.tickets, stored and self.is_whole and all(a.stored for a in self.copies_of))


def as_heard(r: Record) -> Record:
    """A frame as relays get it: what it means is no business of theirs."""
    return Record("frame", r.driver, r.device, r.dev_eui, None, None, r.reason, None, r.lora, None, r.raw)


def refused(
    frame: Frame,
    device: Device | None,
    dev_eui: str | None,
    reason: RejectReason,
    detail: str | None,
    lora: Lora | None,
) -> Record:
    """What is kept of a frame that is no reading: its bytes, and why."""
    name = device.name if device else None
    return Record("frame", frame.driver, name, dev_eui, None, None, reason.value, detail, lora, None, frame.data)
