"""The configured forwarders, each with its runner and with what it has settled before."""

from functools import partial

from torhaus.daemon.clock import Clock
from torhaus.daemon.config.load import Loaded
from torhaus.daemon.forward.base import Context
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.runner import Options, Runner
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.store import MAIN, Outbox
from torhaus.daemon.version import torhaus_version


async def build_forwarders(loaded: Loaded, outbox: Outbox, clock: Clock) -> dict[str, tuple[str, Runner]]:
    """Type and runner of every enabled forwarder, by name; the outbox is open.

    One that is not enabled but has run before keeps its backlog, within the outbox's limits. Raises sqlite3.Error.
    """
    context = Context(loaded.site.id, torhaus_version())
    tagged = {tag: {d.name for d in loaded.devices if tag in d.tags} for d in loaded.devices for tag in d.tags}
    runners: dict[str, tuple[str, Runner]] = {}
    for module, common, config in loaded.forwarders:
        name, tail = common.name, outbox.logs[MAIN].tail
        settled: Ranges | None = await outbox.on_state(partial(State.settled, forwarder=name, log=MAIN))
        if settled is not None:
            outbox.adopt(MAIN, name, settled)
        elif common.enabled:
            settled = Ranges([(0, tail)] if common.start == "now" else [])
            outbox.adopt(MAIN, name, settled, is_new=True)
        if settled is None or not common.enabled:
            continue
        wanted = set(common.devices).union(*(tagged.get(t, set()) for t in common.tags))
        options = Options(
            name=name,
            kinds=frozenset(common.kinds),
            devices=frozenset(wanted),
            backfill_per_s=common.backfill_per_s,
        )
        forwarder = module.open_forwarder(config, context)
        cursor = Cursor(settled, tail, holes=outbox.holes_of(MAIN))
        runners[name] = (common.type, Runner(options, forwarder, outbox, MAIN, cursor, clock))
    return runners
