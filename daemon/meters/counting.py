"""Consumption between two readings of a counter, as further values of the later one, and meters that were exchanged.

What the meter said is never changed. A reading counts from the reading before that is on disk, also after a restart:
`state.db` has it, and the log what came behind that. Pulse counters of LoRaWAN sensors are counters like any other.
"""

import math
from collections.abc import Iterable
from typing import Any, Final

from torhaus.codecs.meter.counter import Delta, Step, between
from torhaus.codecs.model import Fields, Stamp, Value
from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.counters import CounterRule
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.outbox.counters import COUNTED, Counted, DeviceCounters, load
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.state import Flush
from torhaus.daemon.outbox.store import MAIN, Outbox
from torhaus.daemon.reading import Derive

READ_RECORDS: Final = 5000
MOST_RECORDS: Final = 50_000
"""Of the log that are looked at when the daemon starts: mostly it is a second's worth."""
LOST_NS: Final = 1_000_000_000
"""A reading that is not on disk after so long, while nothing waits to be written, has been refused."""
EVENT_BYTES: Final = 300

Rules = dict[str, dict[str, CounterRule]]


class Counting:
    """The counters of all devices. `exchanged`: how many meters were found to be others."""

    def __init__(self, rules: Rules, outbox: Outbox, clock: Clock) -> None:
        self.exchanged = 0
        self._rules = rules
        self._outbox = outbox
        self._clock = clock
        self._on_disk: dict[str, DeviceCounters] = {}
        self._newest: dict[str, DeviceCounters] = {}  # also of readings that are not on disk yet
        self._derived_ns = 0
        self._changed: set[str] = set()
        self._told = 0  # up to here committed readings of the log are in `_on_disk`
        self._saved = 0

    @classmethod
    async def begin(cls, devices: Iterable[DeviceConfig], outbox: Outbox, clock: Clock) -> "Counting":
        """For an open outbox."""
        rules = {device.name: dict(device.counters) for device in devices if device.counters}
        counting = cls(rules, outbox, clock)
        if not rules:
            return counting
        await counting._restore()
        outbox.subscribe(MAIN, counting.committed)
        outbox.before_flush.append(counting.save)
        return counting

    @property
    def hook(self) -> Derive | None:
        """What the pipeline calls with each reading; None where no device has counters."""
        return self.derive if self._rules else None

    async def _restore(self) -> None:
        known = await self._outbox.on_state(lambda state: load(state.conn))
        self._on_disk = {name: found for name, found in known.items() if name in self._rules}
        snapshot = (await self._outbox.on_state(lambda state: state.sessions()))[1]
        tail = self._outbox.logs[MAIN].tail
        pos = max(snapshot.get(COUNTED, tail), tail - MOST_RECORDS, self._outbox.logs[MAIN].head)
        while pos < tail:
            batch = await self._outbox.read(MAIN, pos, min(READ_RECORDS, tail - pos))
            self.committed([record for record in batch if isinstance(record, Stored)])
            pos = max((r.pos + (1 if isinstance(r, Stored) else r.count) for r in batch), default=tail)
        self._told = self._saved = tail
        self._newest = {name: dict(found) for name, found in self._on_disk.items()}

    def derive(self, device: str, driver: str, at: Stamp, fields: Fields) -> Fields:
        """What its counters have counted since the reading before: `<field>_delta` and `<field>_delta_s`.

        An exchange becomes an event record beside the reading.
        """
        rules = self._rules.get(device)
        if rules is None:
            return {}
        if self._clock.boot_ns() - self._derived_ns > LOST_NS and not self._outbox.has_waiting():
            self._newest = {name: dict(found) for name, found in self._on_disk.items()}
        self._derived_ns = self._clock.boot_ns()
        newest, out = self._newest.setdefault(device, {}), Fields()
        for name, rule in rules.items():
            now = _counted(fields.get(name), at)
            if now is None:
                continue
            before = newest.get(name)
            if before is not None and now.at_ns < before.at_ns:
                continue  # a reading that comes late, or the clock was put back
            newest[name] = now
            if before is None or before.unit != now.unit:
                continue
            span_s = (now.at_ns - before.at_ns) / 1e9 if now.is_synced and before.is_synced else None
            delta = _delta(before, now, rule, span_s)
            if delta.step is Step.EXCHANGED:
                self._tell(device, driver, at, name, before, now)
            if delta.value is None:
                continue
            out[f"{name}_delta"] = Value(delta.value, now.unit, derived=True)
            if span_s is not None:
                out[f"{name}_delta_s"] = Value(round(span_s, 3), "s", derived=True)
        return out

    def committed(self, records: list[Stored]) -> None:
        """These are on disk, or their script has answered."""
        for stored in records:
            record = stored.record
            rules = self._rules.get(record.device or "")
            if rules is not None and record.fields is not None:
                assert record.device is not None
                on_disk = self._on_disk.setdefault(record.device, {})
                for name in rules:
                    now = _counted(record.fields.get(name), stored.at)
                    if now is not None and (name not in on_disk or on_disk[name].at_ns <= now.at_ns):
                        on_disk[name] = now
                        self._changed.add(record.device)
            self._told = max(self._told, stored.pos + 1)

    def save(self, flush: Flush) -> None:
        """Put what has changed into the next save of the state."""
        if self._told == self._saved:
            return
        flush.counters = {device: dict(self._on_disk[device]) for device in self._changed}
        flush.snapshot[COUNTED] = self._saved = self._told
        self._changed.clear()

    def _tell(self, device: str, driver: str, at: Stamp, field: str, before: Counted, now: Counted) -> None:
        self.exchanged += 1
        event: dict[str, Any] = {"event": "meter_exchanged", "field": field, "before": before.value, "now": now.value}
        self._outbox.put(MAIN, [(at, Record("event", driver, device, event=event))], EVENT_BYTES)
        self._outbox.commit(None)
        logs.warning("a counter shows another meter, or one that was reset", device=device, field=field)


def _counted(value: Value | None, at: Stamp) -> Counted | None:
    """None for what is no counter's value."""
    number = value.value if value is not None else None
    if value is None or isinstance(number, bool) or not isinstance(number, int | float):
        return None
    if not math.isfinite(number) or number < 0:
        return None
    return Counted(number, at.wall_ns, at.synced, value.unit)


def _delta(before: Counted, now: Counted, rule: CounterRule, span_s: float | None) -> Delta:
    most = rule.most_per_h * span_s / 3600 if rule.most_per_h is not None and span_s else None
    full = rule.full if rule.full is not None and max(before.value, now.value) < rule.full else None
    return between(before.value, now.value, full, most)
