"""The queue of downlinks, by device: on disk before anybody is told that it is queued, in order, each with an end.

Whoever sends asks for the `head` when a window opens, has it marked on disk with `take` before it goes to a gateway,
and says what became of it. A kill between the two leaves it marked. Then a confirmed one counts as sent: it is repeated
with a new counter unless the device's next uplink acknowledges it. An unconfirmed one has failed, and says that it may
have arrived: nobody could tell a repeat from a second command, and one that switches something must not come twice.

Higher priorities go first, then in the order of coming. One that does not fit into a window is waited for, but not for
ever: after PATIENCE windows those behind it go past.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.lora.queued_items import NO_UPLINK, QueuedItems
from torhaus.daemon.outbox.queued import Changes, Queued, Report
from torhaus.daemon.outbox.when import known_wall_ns

MAX_TRIES: Final = 8
"""So often a confirmed one is sent in all, each time after another uplink."""
MAX_REFUSED: Final = 50
"""So many windows in a row in which no gateway could send it, other than for lack of airtime."""
PATIENCE: Final = 3
CUT_OFF: Final = "broken off while it was being sent: it may have reached the device"
GONE: Final = "nothing is sent to this device any more: it is not in the list, or has no root keys there"
NO_ACK: Final = "the device did not acknowledge it"
NOT_STORED: Final = "it cannot be written to disk"
MAX_WORDS: Final = 200
"""Of what a gateway says, in characters."""


class DownlinkQueue(QueuedItems):
    """`boots`: as in known_wall_ns."""

    def __init__(self, clock: Clock, write: Callable[[Changes], Awaitable[None]], boots: dict[str, int]) -> None:
        super().__init__(clock, write)
        self._boots = boots

    def restore(self, stored: Iterable[Queued], known: Iterable[str]) -> None:
        """Take over what was on disk, in the order of its numbers. `known`: the devices to which anything is sent."""
        devices = frozenset(known)
        self.take_over(stored)
        for item in [*self.open()]:
            if item.dev_eui not in devices:
                self._finish(item, "failed", GONE)
            else:
                self.doubtful(item)
        self.news.set()

    async def cancel(self, id_: str) -> str | None:
        """Take one out: why that cannot be, None when it is done. Raises KeyError where there is none."""
        item = self._items[id_]
        if item.place == "done":
            return f"it is done with: {item.outcome}"
        if item.place == "under_way":
            return "it is being sent just now"
        self._finish(item, "cancelled", f"it was sent {item.tries} times before" if item.tries else "")
        return None if await self.is_on_disk(id_) else NOT_STORED

    def expire(self, dev_eui: str | None = None) -> None:
        """Let go of what has waited for longer than it should, unless it is being sent just now."""
        for item in [*self.open(dev_eui)]:
            if item.place != "under_way" and self.left_s(item) <= 0:
                tries = f"sent {item.tries} times, and not acknowledged" if item.tries else item.why or NO_UPLINK
                self._finish(item, "expired", tries)

    def left_s(self, item: Queued) -> float:
        """How long it may still wait. Its whole time where nobody knows how long ago it came: the clock is not set."""
        clock, age_ns = self._clock, 0
        if item.boot == clock.boot_id:
            age_ns = clock.boot_ns() - item.at.boot_ns
        else:
            came_ns = known_wall_ns(item.at, item.boot, self._boots)
            if came_ns is not None and clock.synced():
                age_ns = max(0, clock.wall_ns() - came_ns)
        return item.expires_s - age_ns / 1e9

    # -- what whoever sends asks ---------------------------------------------------------------------------------------

    def head(self, dev_eui: str, room_bytes: int) -> Queued | None:
        """What is to be sent in this window, if anything: to be asked once for each.

        None also while another one is being sent or its ACK is awaited, and while one in front does not fit.
        """
        if dev_eui not in self._open:
            return None
        self.expire(dev_eui)
        waiting = [*self.open(dev_eui)]
        if any(q.place != "waiting" for q in waiting):
            return None
        for item in waiting:
            if len(item.payload) <= room_bytes:
                return item
            why = f"its {len(item.payload)} bytes do not fit at the device's present data rate ({room_bytes} do)"
            changed = msgspec.structs.replace(item, passed=item.passed + 1, why=why)
            self._items[item.id] = changed  # not worth a write
            if changed.passed <= PATIENCE:
                return None
        return None

    def waiting(self, dev_eui: str, room_bytes: int | None = None) -> int:
        """How many wait for a window; with `room_bytes` those only that would fit."""
        found = (q for q in self._of(dev_eui) if q.place == "waiting")
        return sum(room_bytes is None or len(q.payload) <= room_bytes for q in found)

    def unanswered(self, dev_eui: str, *, or_under_way: bool = False) -> Queued | None:
        """The confirmed one that was sent, or is being sent, and of which it is not known whether the device has it."""
        places = {"unacknowledged", "under_way"} if or_under_way else {"unacknowledged"}
        return next((q for q in self._of(dev_eui) if q.confirmed and q.place in places), None)

    # -- what whoever sends says ---------------------------------------------------------------------------------------

    async def take(self, item: Queued, fcnt: int) -> bool:
        """It is about to be sent with this counter. False: it is not to be, since that cannot be written to disk.

        To be followed by one of `sent`, `failed`, `delayed` and `doubtful`.
        """
        now = self._items.get(item.id)
        if now is None or now.place != "waiting":
            return False
        self._set(now, place="under_way", fcnt=fcnt)
        is_marked = False
        try:
            is_marked = await self.is_on_disk(item.id)
        finally:  # also where whoever sends is ended just then
            if not is_marked:
                self._set(self._items[item.id], place="waiting", fcnt=now.fcnt, why=NOT_STORED)
        return is_marked

    def sent(self, item: Queued, fcnt: int, detail: str = "") -> None:
        """A gateway has sent it, or has taken it and said no more (`detail`)."""
        now = self._items.get(item.id)
        if now is None or now.place != "under_way":
            return
        tries, detail = now.tries + 1, detail[:MAX_WORDS]
        if not now.confirmed:
            self._finish(msgspec.structs.replace(now, tries=tries, fcnt=fcnt), "sent", detail)
            return
        untold = (*now.untold, Report("sent", detail, fcnt, tries))
        why = "sent: waits for the device's ACK"
        self._set(now, place="unacknowledged", tries=tries, refused=0, fcnt=fcnt, why=why, untold=untold)
        self.results["sent"] += 1

    def acknowledged(self, item: Queued) -> bool:
        """The device's ACK came. False when that was known, or it is none of ours: nobody is told twice."""
        now = self._items.get(item.id)
        if now is not None and now.place == "under_way" and now.confirmed:
            self.sent(now, now.fcnt or 0)  # the device is quicker than the gateway's word
            now = self._items[item.id]
        if now is None or now.place != "unacknowledged":
            return False
        self._finish(now, "acknowledged", "")
        return True

    def failed(self, item: Queued, why: str = NO_ACK) -> None:
        """This attempt came to nothing: no gateway could send it, or the device did not acknowledge it.

        It waits for the next window, unless that has been so for MAX_REFUSED or MAX_TRIES times.
        """
        now, why = self._items.get(item.id), why[:MAX_WORDS]
        if now is not None and now.place == "under_way":
            refused = now.refused + 1
            if refused >= MAX_REFUSED:
                self._finish(now, "failed", f"no gateway could send it in {refused} windows: {why}")
            else:
                self._set(now, place="waiting", refused=refused, why=why)
        elif now is not None and now.place == "unacknowledged":
            if now.tries >= MAX_TRIES:
                self._finish(now, "failed", f"sent {now.tries} times: {why}")
            else:
                self._set(now, place="waiting", why=f"sent {now.tries} times: {why}")

    def doubtful(self, item: Queued) -> None:
        """It was being sent when whoever sends was ended: nobody knows whether it went out."""
        now = self._items.get(item.id)
        if now is None or now.place != "under_way":
            return
        if now.confirmed:
            self._set(now, place="unacknowledged", tries=now.tries + 1, why=CUT_OFF)
        else:
            self._finish(now, "failed", CUT_OFF)

    def delayed(self, item: Queued, why: str) -> None:
        """It was not sent, for a reason that passes by itself, such as the duty cycle. It waits for the next window."""
        now = self._items.get(item.id)
        if now is not None and now.place in {"waiting", "under_way"}:
            self._set(now, place="waiting", why=why[:MAX_WORDS])
