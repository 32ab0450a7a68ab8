"""What one receiver hears, judged: whose it is, whether it is a repetition, and whether it is kept (`Directory`)."""

from collections import OrderedDict
from typing import Final

from torhaus.codecs.framing.wmbus import HEAD, Heard
from torhaus.codecs.meter.wmbus.telegram import identity_of
from torhaus.codecs.model import Stamp
from torhaus.daemon.wmbus.book import Book
from torhaus.daemon.wmbus.meters import Meter, Meters
from torhaus.drivers.wmbus import Config, Verdict

MAX_REMEMBERED: Final = 4096
"""Telegrams that are looked for among repetitions, of all receivers: more than are on the air in a minute."""

_EXTENDED: Final = range(0x8C, 0x90)
_HOPS: Final = 0x12
"""Bits of the communication control field that a repeater changes."""


class Repeats:
    """The telegrams heard lately, by all receivers together: one meter is often heard by two."""

    def __init__(self) -> None:
        self._heard: OrderedDict[bytes, int] = OrderedDict()

    def is_repeat(self, telegram: bytes, boot_ns: int, within_ns: int) -> bool:
        """Whether the same one came within that time; it is remembered from when it came first."""
        key = _essence(telegram)
        first = self._heard.get(key)
        if first is not None and boot_ns - first < within_ns:
            return True
        self._heard[key] = boot_ns
        self._heard.move_to_end(key)
        if len(self._heard) > MAX_REMEMBERED:
            self._heard.popitem(last=False)
        return False


def _essence(telegram: bytes) -> bytes:
    """The telegram without what a repeater changes in it."""
    if len(telegram) > HEAD + 1 and telegram[HEAD] in _EXTENDED:
        return telegram[: HEAD + 1] + bytes((telegram[HEAD + 1] & ~_HOPS,)) + telegram[HEAD + 2 :]
    return telegram


class Ear:
    """One receiver's directory."""

    def __init__(self, config: Config, meters: Meters, book: Book, repeats: Repeats) -> None:
        self.name = config.name
        self.repeats = 0
        self.thinned = 0
        self.unknown = 0
        self._keeps_unknown = config.keep_unknown
        self._repeat_ns = int(config.repeat_s * 1e9)
        self._interval_ns = int(config.interval_s * 1e9)
        self._meters = meters
        self._book = book
        self._repeats = repeats
        self._slots: dict[str, tuple[int, bool]] = {}  # by device: the interval, whether it has a readable one

    def judge(self, heard: Heard, at: Stamp) -> Verdict:
        """What becomes of this telegram. Raises DecodeError for one that is none."""
        identity = identity_of(heard.telegram)
        meter = self._meters.find(identity)
        entry = self._book.note(self.name, identity, heard, at, meter.device if meter else None)
        if self._repeat_ns and self._repeats.is_repeat(heard.telegram, at.boot_ns, self._repeat_ns):
            self.repeats += 1
            entry.repeats += 1
            return Verdict(is_kept=False, device=entry.device)
        if meter is None:
            self.unknown += not self._keeps_unknown
            return Verdict(is_kept=self._keeps_unknown)
        is_kept = self._has_its_turn(meter, heard.telegram, at.boot_ns)
        entry.trouble = meter.trouble
        if not is_kept:
            self.thinned += 1
            meter.forget(heard.telegram)
        return Verdict(is_kept, meter.device)

    def _has_its_turn(self, meter: Meter, telegram: bytes, boot_ns: int) -> bool:
        """Each interval has its first readable telegram, and before that the first that cannot be read.

        Those that are not kept are read, too: full frames say what later compact ones mean.
        """
        is_readable = meter.can_read(telegram)
        if not self._interval_ns:
            return True
        slot = boot_ns // self._interval_ns
        last = self._slots.get(meter.device)
        if last is not None and last[0] == slot and (last[1] or not is_readable):
            return False
        self._slots[meter.device] = slot, is_readable
        return True
