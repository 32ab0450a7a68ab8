"""Sending again what has been delivered: a stretch of the log is not settled any more, and backfill finds it.

The ids are the same, so whoever has the records already can tell. The live lane is not touched, nor what is being sent
or waits for its script; records set aside and dead letters have copies of their own and a way of their own.
"""

import msgspec

from torhaus.daemon.forward.runner import Runner
from torhaus.daemon.outbox.letters import own_copies
from torhaus.daemon.outbox.ranges import Ranges, count_union
from torhaus.daemon.outbox.store import Outbox


class Replayed(msgspec.Struct, kw_only=True):
    """What came of it. `records` counts those that are not settled any more, or would not be."""

    records: int
    backlog: int


async def replay(outbox: Outbox, runner: Runner, start: int, end: int, *, dry_run: bool = False) -> Replayed:
    """Have everything at [start, end) that this forwarder has settled sent again, and that on record on disk.

    Raises sqlite3.Error when state.db cannot be read.
    """
    async with outbox.saving:  # else what is about to be unlinked, being settled, would be promised
        done = await _unsettle(outbox, runner, start, end, dry_run=dry_run)
    if done.records and not dry_run:
        await outbox.save()
    return done


async def _unsettle(outbox: Outbox, runner: Runner, start: int, end: int, *, dry_run: bool) -> Replayed:
    log, name, cursor = runner.log, runner.options.name, runner.cursor
    copies = await outbox.on_state(lambda s: own_copies(s, name, log))
    for waiting in (outbox.flush.set_aside, outbox.flush.dead):  # for the next save
        copies += [one.pos for one in waiting.get((name, log), ())]
    head = outbox.logs[log].head
    chosen = Ranges([(max(start, head), min(end, cursor.tail))])
    for pos in copies:
        chosen.remove(pos, pos + 1)
    for low, high in cursor.held:  # being thinned out: what is at these positions is about to be something else
        chosen.remove(low, high)
    holes = cursor.holes()
    before = cursor.backlog(head)
    # settled and in the log: what is settled, less the holes that are entered as settled
    count = sum(count_union(low, high, cursor.settled, holes) - holes.count(low, high) for low, high in chosen)
    if dry_run or not count:
        return Replayed(records=count, backlog=before)
    for low, high in chosen:
        cursor.settled.remove(low, high)
    cursor.changed = True
    runner.in_order.forget()  # whose it is has not been looked at
    return Replayed(records=count, backlog=before + count)
