"""The configured forwarders, each with its runner and with what it has settled before."""

from functools import partial

import msgspec

from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.load import Loaded
from torhaus.daemon.config.model import ForwarderCommon, parse_time
from torhaus.daemon.forward.base import Context, Options
from torhaus.daemon.forward.choice import wanted_devices
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.hold import Hold
from torhaus.daemon.forward.registry import is_relay
from torhaus.daemon.forward.relay import Wants, wants_of
from torhaus.daemon.forward.runner import Runner
from torhaus.daemon.forward.trim import BacklogLimits, Trimmer
from torhaus.daemon.forward.windows import parse_window
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.state import Flush, State
from torhaus.daemon.outbox.store import MAIN, RELAY, Outbox
from torhaus.daemon.outbox.times import stretch
from torhaus.daemon.version import torhaus_version


class Forwarding(msgspec.Struct):
    """Type and runner of every enabled forwarder by name, and the limits of all, enabled or not."""

    runners: dict[str, tuple[str, Runner]] = {}
    trimmers: list[Trimmer] = []
    relays: list[Wants] = []  # what each relay wants


async def build_forwarders(
    loaded: Loaded, outbox: Outbox, clock: Clock, downlinks: Downlinks | None = None, hold: Hold | None = None
) -> Forwarding:
    """Every forwarder with what it has settled before; the outbox is open.

    One that is not enabled but has run before keeps its backlog, within the limits. Raises sqlite3.Error.
    """
    context = Context(loaded.site.id, torhaus_version(), downlinks, clock)
    tagged = loaded.tagged()
    built = Forwarding()
    for module, common, config in loaded.forwarders:
        name = common.name
        wants = wants_of(config) if is_relay(module) else None
        log = MAIN if wants is None else RELAY
        settled = await _settled(common, outbox, log)
        if settled is None:
            continue
        if wants is not None:
            built.relays.append(wants)
        cursor = Cursor(
            settled, outbox.logs[log].tail, holes=outbox.holes_of(log), ordered=common.order != "live_first"
        )
        outbox.cursors[log].append(cursor)
        limits = BacklogLimits(
            records=common.max_backlog_records, bytes_=common.max_backlog_bytes, age_s=common.max_backlog_age_s
        )
        if limits:
            built.trimmers.append(Trimmer(name, limits, cursor, outbox, log, clock))
        if not common.enabled:
            _keep(name, cursor, outbox, log)
            continue
        options = Options(
            name=name,
            kinds=frozenset(common.kinds),
            devices=wanted_devices(common, tagged),
            backfill_per_s=common.backfill_per_s,
            order=common.order,
            windows=tuple(map(parse_window, common.backfill_windows)),
            wants=wants,
            is_relay=wants is not None,
        )
        held = hold if wants is None else None  # network servers put together themselves what is one frame
        runner = Runner(options, module.open_forwarder(config, context), outbox, log, cursor, clock, held)
        built.runners[name] = (common.type, runner)
    return built


def _keep(name: str, cursor: Cursor, outbox: Outbox, log: str) -> None:
    """One that does not run: what comes in waits for it."""

    def feed(batch: list[Stored]) -> None:
        cursor.tail = max(cursor.tail, batch[-1].pos + 1)

    def collect(flush: Flush) -> None:
        changes = cursor.changes()
        if changes is not None:
            flush.settled[name, log] = changes

    outbox.subscribe(log, feed)
    outbox.before_flush.append(collect)


async def _settled(common: ForwarderCommon, outbox: Outbox, log: str) -> Ranges | None:
    """What it has settled, adopted by the outbox; None for one that is not enabled and never was."""
    name = common.name
    if common.renamed_from is not None and await outbox.on_state(
        partial(State.rename, old=common.renamed_from, new=name)
    ):
        outbox.second.renamed()
        logs.info("forwarder renamed", old=common.renamed_from, new=name)
    settled: Ranges | None = await outbox.on_state(partial(State.settled, forwarder=name, log=log))
    if settled is not None:
        outbox.adopt(log, name, settled)
    elif common.enabled:
        settled = Ranges([(0, await _start(common, outbox, log))])
        outbox.adopt(log, name, settled, is_new=True)
    return settled


async def _start(common: ForwarderCommon, outbox: Outbox, log_name: str) -> int:
    """The position from which on a new forwarder gets what is in the log; its times are read once, where asked."""
    log = outbox.logs[log_name]
    since_ns = parse_time(common.start)
    if since_ns is None:
        is_new = not outbox.state_was_lost  # else it may have been here, and what it had not sent yet is not known
        return log.tail if common.start == "now" and is_new else 0
    job = partial(stretch, log.folder, log.segments, since_ns, None, outbox.boots, _unheard)
    found = await outbox.on_reader(job)
    return before_waiting(found[0] if found is not None else log.tail, log.segments, log.waiting)


def before_waiting(start: int, segments: tuple[int, ...], waiting: tuple[int, ...]) -> int:
    """`start`, or where a segment begins that is right before it, waits to be salvaged and may have what is meant.

    What it has of before comes as well: too much is better than a loss.
    """
    for first in sorted((*segments, *waiting), reverse=True):
        if first in waiting:
            start = min(start, first)
        elif first < start:
            break  # this one has something older: what lies before it is not meant
    return start


def _unheard(looked_at: int, of: int) -> None:
    """Nobody waits for it with his eyes on a screen."""
