"""What may go before the backlog of a relay: what just came and has nothing waiting that it must not overtake. Pure.

A network server minds the order of each DevAddr, not that of all. So a frame of a sender of whom nothing waits may go
at once. A join-request may always: seconds later nobody listens for the answer any more, and behind a long backlog a
device could not join at all.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import Final

from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.order import cut, sender_of_frame
from torhaus.daemon.forward.relay import is_join_phy
from torhaus.daemon.outbox.record import Stored

MAX_AHEAD: Final = 1024
"""Frames that wait to go before the backlog; what comes beyond it joins the backlog."""
MAX_SENDERS: Final = 65_536
"""Senders of whom it is known that something waits; with more nobody is known, and only joins go first."""
MAX_RANGES: Final = 4096
"""Each frame that overtakes may leave a range of its own in what is settled: with so many, only joins go first."""


class Overtaking:
    """Of one ordered cursor. `behind` has the sender of every record in the backlog as long as `is_known`.

    All of it is used by one lane that sends one batch at a time: what is with the server is never overtaken.
    """

    def __init__(self, cursor: Cursor, *, is_known: bool) -> None:
        """`is_known`: nothing is in the backlog yet."""
        self.is_known = is_known
        self.low: float = math.inf  # where the backlog that is known begins
        self.is_open = False  # whether the far side is there
        self.behind: set[str] = set()
        self.ahead: deque[Stored] = deque()
        self._cursor = cursor

    def feed(self, stored: Stored) -> None:
        """A record that is wanted came while there is a backlog: it goes first, or behind it."""
        sender = _sender(stored)
        if self.is_open and self._may(stored, sender) and len(self.ahead) < MAX_AHEAD:
            self._cursor.take(stored.pos)
            self.ahead.append(stored)
        else:
            self._withdraw({sender})
            self.waits([stored])

    def waits(self, records: Iterable[Stored]) -> None:
        """These are in the backlog."""
        if not self.is_known:
            return
        for stored in records:
            self.behind.add(_sender(stored))
            self.low = min(self.low, stored.pos)
        if len(self.behind) > MAX_SENDERS:
            self.forget()

    def forget(self) -> None:
        """Something may be in the backlog of which nothing is known here."""
        self.is_known = False
        self.behind.clear()

    def drained(self) -> None:
        """There is no backlog any more."""
        self.is_known = True
        self.behind.clear()
        self.low = math.inf

    def found(self, pos: int) -> None:
        """The backlog begins here: below what is known something is to be sent again, or was salvaged."""
        if pos < self.low:
            self.forget()

    def take(self, most: int) -> list[Stored]:
        """What goes next, one frame of each sender; it stays busy until settled or released."""
        if not self.ahead:
            return []
        chosen, rest = cut([self.ahead.popleft() for _ in range(min(most, len(self.ahead)))], strict=False, relay=True)
        self.ahead.extendleft(reversed(rest))
        return chosen

    def sent(self, chosen: Iterable[Stored]) -> None:
        """The server has had them: what it did not take is in the backlog, and its sender does not overtake it."""
        left = [s for s in chosen if s.pos not in self._cursor.settled]
        if left:
            self._withdraw(set(map(_sender, left)))
            self.waits(left)

    def stop(self) -> None:
        """The far side is gone: what is here is left to the backlog."""
        self.is_open = False
        self._withdraw(None)

    def _may(self, stored: Stored, sender: str) -> bool:
        if is_join_phy(stored.record.raw):
            return True
        return self.is_known and sender not in self.behind and len(self._cursor.settled) < MAX_RANGES

    def _withdraw(self, senders: set[str] | None) -> None:
        """Leave what is here of these senders, or of all, to the backlog."""
        if not self.ahead:
            return
        gone = [s for s in self.ahead if senders is None or _sender(s) in senders]
        if not gone:
            return
        positions = {s.pos for s in gone}
        self.ahead = deque(s for s in self.ahead if s.pos not in positions)
        for stored in gone:
            self._cursor.give_back(stored)
        self.waits(gone)


def _sender(stored: Stored) -> str:
    """Whose order is minded. Join-requests of a device have one of their own: they are in nobody else's way."""
    raw = stored.record.raw
    return f"join {raw[9:17].hex()}" if raw is not None and is_join_phy(raw) else sender_of_frame(stored)
