"""What becomes of each item after a send: accepted, dead letter, tried again in its place, or set aside for a while."""

from typing import Final

import msgspec

from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.base import Outcome
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.state import SetAside, State
from torhaus.daemon.outbox.store import Outbox

INLINE_TRIES: Final = 5
"""So often an item that alone was refused for now is tried in its place; then it is set aside, and the rest goes on."""
SET_ASIDE_S: Final = 60.0
SET_ASIDE_LONGEST_S: Final = 3600.0
MAX_SET_ASIDE: Final = 10_000
"""Records one forwarder may have set aside, each with a copy of its own; beyond it they hold up the backlog instead."""
MAX_DEAD_LETTERS: Final = 10_000
"""Dead letters one forwarder may have; what is refused for good beyond it is kept, until a person has made room."""
EPISODE_S: Final = 3600.0
"""So long without a dead letter, and the next one is told again."""
MAX_COUNTED: Final = 10_000
"""Records whose tries are counted at a time, in memory; those beyond it are counted when there is room again."""
DUE_CHECK_NS: Final = 1_000_000_000
DUE_BATCH: Final = 64


class Tally(msgspec.Struct):
    """What has become of records since the start, and how the far side is."""

    accepted: int = 0
    late: int = 0
    rejected: int = 0
    kept: int = 0
    skipped: int = 0
    damaged: int = 0
    set_aside: int = 0
    connects: int = 0
    up: bool = False
    since_ns: int = 0  # wall clock of the last change of `up`
    last_success_ns: int = 0
    detail: str = ""


class Settlement:
    """The books of one forwarder over one log."""

    def __init__(self, name: str, outbox: Outbox, log: str, cursor: Cursor, clock: Clock) -> None:
        """Where the cursor is ordered nothing is set aside: what is refused for now holds up what is behind it."""
        self.name = name
        self.tally = Tally(since_ns=clock.wall_ns())
        self.aside = 0  # records set aside at present
        self.dead = 0  # dead letters at present
        self._told_up: bool | None = None
        self._last_dead: int | None = None  # boot time
        self._tries: dict[int, tuple[int, int]] = {}  # position to tries, and what had been taken by the last one
        self._outbox = outbox
        self._log = log
        self._cursor = cursor
        self._clock = clock
        self._due_at = 0

    async def load(self) -> None:
        """Count what is set aside from before, and the dead letters."""
        self.aside, self.dead = await self._count()

    async def _count(self) -> tuple[int, int]:
        waiting = len(self._outbox.flush.dead.get((self.name, self._log), ()))  # for the next save
        counts = await self._outbox.on_state(State.counts)
        aside, dead = counts.get(self.name, (0, 0))
        return aside, dead + waiting

    def set_up(self, *, up: bool, detail: str) -> None:
        """The far side was reached, or is gone; told when that is news, not at each try."""
        tally = self.tally
        if up != tally.up:
            tally.since_ns = self._clock.wall_ns()
        tally.connects += up
        tally.up, tally.detail = up, detail
        if up != self._told_up:
            self._told_up = up
            backlog = self._cursor.backlog(self._outbox.logs[self._log].head)
            tell = logs.info if up else logs.warning
            tell("forwarder", forwarder=self.name, up=up, detail=detail or None, backlog=backlog)

    def has_tries(self) -> bool:
        """Whether any item at all was refused for now and is still to be sent."""
        return bool(self._tries)

    def tries(self, pos: int) -> int:
        """How often this very item was refused for now, while others were taken."""
        return self._tries[pos][0] if pos in self._tries else 0

    def settle(self, batch: list[Stored], outcome: Outcome, *, late: bool) -> bool:
        """Enter what became of a batch. True when the far side took or refused at least one item for good."""
        self._make_fit(outcome)
        cursor, tries = self._cursor, self._tries
        accepted = set(outcome.accepted)
        if outcome.rejected or outcome.kept or outcome.dropped:  # an item in two lists is not proved to have arrived
            accepted -= outcome.rejected.keys() | outcome.kept.keys()
            accepted |= self._drop(batch, outcome)
        elif accepted.issuperset(range(len(batch))):
            self._settle_all(batch, late=late)
            return True
        taken = sum(1 for i in range(len(batch)) if i in accepted and i not in outcome.dropped)
        moved = bool(taken or outcome.dropped) or any(i in outcome.rejected for i in range(len(batch)))
        before = self.tally.accepted + self.tally.rejected
        for i, s in enumerate(batch):
            if i in accepted:
                tries.pop(s.pos, None)
                cursor.settle(s.pos)
            elif i in outcome.rejected:
                tries.pop(s.pos, None)
                cursor.settle(s.pos)
                self._bury(SetAside(s.pos, 0, 0, outcome.rejected[i], s))
            else:
                if i in outcome.kept:
                    count, then = tries.get(s.pos, (0, before))
                    count += moved or before > then  # else the far side took nothing: not the item's fault
                    if count >= INLINE_TRIES and self.aside < MAX_SET_ASIDE and not cursor.ordered:
                        tries.pop(s.pos, None)
                        self.aside += 1
                        self._put_aside(s, 0, outcome.kept[i])
                        cursor.settle(s.pos)
                        continue
                    if s.pos in tries or len(tries) < MAX_COUNTED:
                        tries[s.pos] = count, before + taken
                self.tally.kept += 1
                cursor.give_back(s)
        if taken:
            self._success(taken, late=late)
        return moved

    def _drop(self, batch: list[Stored], outcome: Outcome) -> set[int]:
        """Count what is not sent, by a rule of the forwarder; the indices of it. What the far side refused is that."""
        for i in [i for i in outcome.dropped if i in outcome.rejected or i in outcome.kept or not 0 <= i < len(batch)]:
            del outcome.dropped[i]
        for reason in set(outcome.dropped.values()):
            count = sum(1 for one in outcome.dropped.values() if one == reason)
            self._outbox.count_drop(self._log, self.name, count, reason)
        return set(outcome.dropped)

    def _settle_all(self, batch: list[Stored], *, late: bool) -> None:
        """The ordinary case, in runs of positions."""
        start = end = batch[0].pos
        for s in batch:
            if s.pos != end:
                self._cursor.settle(start, end - start)
                start = s.pos
            end = s.pos + 1
        self._cursor.settle(start, end - start)
        if self._tries:
            for s in batch:
                self._tries.pop(s.pos, None)
        self._success(len(batch), late=late)

    def _success(self, count: int, *, late: bool) -> None:
        self.tally.accepted += count
        if late:
            self.tally.late += count
        self.tally.last_success_ns = self._clock.wall_ns()

    def _make_fit(self, outcome: Outcome) -> None:
        """What is refused for good while there is no room for dead letters is refused for now."""
        room = max(0, MAX_DEAD_LETTERS - self.dead)
        for i in list(outcome.rejected)[room:]:
            outcome.kept[i] = f"no room for dead letters: {outcome.rejected.pop(i)}"

    def _bury(self, one: SetAside) -> None:
        """Refused for good: a dead letter, kept until a person decides."""
        self._outbox.flush.dead.setdefault((self.name, self._log), []).append(one)
        self.dead += 1
        self.tally.rejected += 1
        now = self._clock.boot_ns()
        if self._last_dead is None or now - self._last_dead > EPISODE_S * 1e9:
            logs.warning("dead letter", forwarder=self.name, reason=one.reason)
        self._last_dead = now

    def _put_aside(self, stored: Stored, tries: int, reason: str) -> None:
        pause = min(SET_ASIDE_LONGEST_S, SET_ASIDE_S * 2 ** min(tries, 10))
        one = SetAside(stored.pos, tries, self._clock.wall_ns() + int(pause * 1e9), reason, stored)
        self._outbox.flush.set_aside.setdefault((self.name, self._log), []).append(one)
        self.tally.set_aside += 1

    async def due(self) -> list[SetAside]:
        """Records set aside whose time has come; looks once a second at most."""
        now = self._clock.boot_ns()
        if now < self._due_at:
            return []
        self._due_at = now + DUE_CHECK_NS
        if self.dead >= MAX_DEAD_LETTERS:
            _, self.dead = await self._count()  # a person may have made room
        wall = self._clock.wall_ns()
        found: list[SetAside] = await self._outbox.on_state(
            lambda s: s.due(self.name, self._log, wall, DUE_BATCH, int(SET_ASIDE_LONGEST_S * 1e9))
        )
        self.aside = max(self.aside, len(found))  # a person may have had dead letters tried again
        return found

    async def settle_due(self, one: SetAside, outcome: Outcome) -> None:
        """Enter what became of a record that had been set aside, on disk at once."""
        self._make_fit(outcome)
        if 0 in outcome.accepted:
            self._resolve(one)
            self._success(1, late=True)
        elif 0 in outcome.dropped:
            self._outbox.count_drop(self._log, self.name, 1, outcome.dropped[0])
            self._resolve(one)
        elif 0 in outcome.rejected:
            one.reason = outcome.rejected[0]
            self.aside = max(0, self.aside - 1)
            self._bury(one)
        else:
            self._put_aside(one.stored, one.tries + 1, outcome.kept.get(0, one.reason))
        await self._outbox.save()

    async def skip_due(self, one: SetAside) -> None:
        """A record that had been set aside is not for this forwarder any more."""
        self._resolve(one)
        self.tally.skipped += 1
        await self._outbox.save()

    def _resolve(self, one: SetAside) -> None:
        self._outbox.flush.resolved.setdefault((self.name, self._log), []).append(one.pos)
        self.aside = max(0, self.aside - 1)
