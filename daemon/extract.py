"""The records of a log as the messages that central systems receive, from the files: with the daemon or without."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from torhaus.daemon.config.load import Loaded
from torhaus.daemon.forward.choice import kind_of, wanted_devices
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.registry import is_relay
from torhaus.daemon.forward.relay import wants_of
from torhaus.daemon.forward.render import render
from torhaus.daemon.offline import read_only_state
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.store import MAIN
from torhaus.daemon.outbox.times import stretch
from torhaus.daemon.outbox.view import FOLDERS, View
from torhaus.daemon.outbox.when import best_wall_ns

Told = Callable[[int, int], None]


class UnknownForwarder(Exception):  # noqa: N818 - a fact
    """No forwarder of this name is configured."""


class Choice(msgspec.Struct, kw_only=True):
    """What is wanted: all of a log, or what waits for a forwarder; received in [since, until)."""

    log: str = MAIN
    forwarder: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None


class Extract:
    """Goes through a log once. What was missed is known afterwards: damaged records, by number."""

    def __init__(self, loaded: Loaded, choice: Choice) -> None:
        self._loaded = loaded
        self._choice = choice
        self._store = Path(loaded.store.path)
        self.damaged = 0

    def messages(self, told: Told, lost: Callable[[Damaged], None]) -> Iterator[Message]:
        """Each record that is wanted, oldest first, a bounded piece of the log in memory.

        `told` is given how much was looked at, of how much; `lost` each stretch that was damaged. Raises
        UnknownForwarder, OSError, sqlite3.Error or SchemaError.
        """
        choice = self._choice
        wants, settled, boots = self._look_up()
        log = choice.log if choice.forwarder is None else self._loaded.log_of(choice.forwarder)
        since = choice.since_ns or 0
        with View(self._store / FOLDERS[log]) as view:
            start, end = view.head, view.tail
            if choice.since_ns is not None or choice.until_ns is not None:
                found = stretch(view.folder, view.segments, since, choice.until_ns, boots, lambda _done, _of: None)
                start, end = found or (0, 0)
            pos = start
            while (gap := settled.gap(pos, end)) is not None:
                pos = gap[1]
                for r in view.records(*gap):
                    told(r.pos - start, end - start)
                    if isinstance(r, Damaged):
                        count = min(r.pos + r.count, pos) - r.pos  # behind it the forwarder has them already
                        self.damaged += count
                        lost(Damaged(r.pos, count, r.detail))
                    elif self._is_of_the_time(r, boots) and (message := wants(r, boots)) is not None:
                        yield message

    def _is_of_the_time(self, r: Stored, boots: dict[str, int]) -> bool:
        choice = self._choice
        if choice.since_ns is None and choice.until_ns is None:
            return True
        wall = best_wall_ns(r.at, r.boot, boots)
        return (choice.since_ns or 0) <= wall and (choice.until_ns is None or wall < choice.until_ns)

    def _look_up(self) -> tuple[Callable[[Stored, dict[str, int]], Message | None], Ranges, dict[str, int]]:
        """How a record is rendered if it is wanted, what is settled, and the boots' offsets."""
        site, name = self._loaded.site.id, self._choice.forwarder
        state = read_only_state(self._store)
        with contextlib.closing(state) if state is not None else contextlib.nullcontext():
            boots = state.boots() if state is not None else {}
            settled = _settled(state, name, self._loaded.log_of(name) if name is not None else MAIN)
        if name is None:
            return lambda r, b: render(r, site, b, kind=r.record.kind, late=True), Ranges(), boots
        found = next((f for f in self._loaded.forwarders if f[1].name == name), None)
        if found is None:
            raise UnknownForwarder(f"no forwarder {name!r} is configured")
        module, common, config = found
        is_wanted = wants_of(config) if is_relay(module) else None
        kinds, devices = frozenset(common.kinds), wanted_devices(common, self._loaded.tagged())

        def wants(r: Stored, boots: dict[str, int]) -> Message | None:
            kind = kind_of(r.record, kinds, devices)
            if is_wanted is not None and not is_wanted(r.record):
                return None
            return None if kind is None else render(r, site, boots, kind=kind, late=True)

        return wants, settled, boots


def _settled(state: State | None, forwarder: str | None, log: str) -> Ranges:
    found = state.settled(forwarder, log) if state is not None and forwarder is not None else None
    return found or Ranges()
