"""What is wrong with this box, each as a kind and its figures.

In English for status and health; on the page in the reader's language, with what to do about it (daemon/page/texts:
`cause.<kind>`, `advice.<kind>`).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from torhaus.daemon.forecast import SOON_S, SPARE_BYTES
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.watch import Watch

if TYPE_CHECKING:
    from torhaus.daemon.lookout import Lookout
    from torhaus.daemon.scans.watch import ScanWatch

DAY_NS: Final = 86_400 * 10**9
UNSTAMPED_NS: Final = 2 * DAY_NS
SHOWN: Final = 8
"""Devices that are named in one sentence."""
KINDS: Final = (
    "starting", "outbox_failing", "writer_silent", "disk_low", "log_filling", "second_copy", "segment_damaged",
    "driver_down", "bus_silent", "part_down", "session_keys", "gateway_silent", "script_aside", "undecoded", "overdue",
    "station_down", "station_stalled", "target_down", "scans_quarantined", "scans_held", "unstamped",
    "release_withdrawn", "station_gone", "target_gone",
)  # fmt: skip
"""All there are; the page's catalogues have a text for each."""


class Cause(msgspec.Struct, frozen=True):
    """One thing that is wrong. `text`: the whole of it in English. `about`: the part or the names it is about."""

    kind: str
    text: str
    about: str = ""
    detail: str = ""
    values: dict[str, float | int] = {}


def of_outbox(outbox: Outbox, lookout: "Lookout") -> Iterator[Cause]:
    """The disk and what lies on it."""
    if outbox.failing is not None:
        yield Cause("outbox_failing", f"outbox: {outbox.failing}", detail=outbox.failing)
    silent_s = outbox.silent_s()
    if silent_s > 5:
        text = f"outbox: the writer has not answered for {silent_s:.0f} s"
        yield Cause("writer_silent", text, values={"seconds": int(silent_s)})
    room = lookout.room_bytes
    if room is not None and room < SPARE_BYTES and outbox.failing is None:
        yield Cause("disk_low", f"outbox: only {room >> 20} MiB are free on its disk", values={"n": room >> 20})
    for name, forecast in lookout.forecasts.items():
        full_in_s = forecast.full_in_s()
        if full_in_s is not None and full_in_s < SOON_S:
            hours = full_in_s / 3600
            text = f"outbox: {name}: full in about {hours:.1f} h at the present rate"
            yield Cause("log_filling", text, name, values={"hours": round(hours, 1)})
    if outbox.second.problem is not None:
        text = f"outbox: second copy of the state: {outbox.second.problem}"
        yield Cause("second_copy", text, detail=outbox.second.problem)
    for (name, first), r in outbox.mender.reports.items():
        if r.lost_records or r.problem:
            yield Cause("segment_damaged", f"{name} log, segment {first}: {r.text()}", f"{name} {first}", r.text())


def of_parts(watch: Watch, aside: Iterable[str]) -> Iterator[Cause]:
    """Drivers, other parts, gateways and scripts (`aside`: those that are not tried for a while)."""
    for name, d in watch.drivers.items():
        if not d.up:
            yield Cause("driver_down", f"driver {name}: {d.detail}", name, d.detail)
    for name, d in watch.drivers.items():
        if d.silent:
            devices = [f"{device} ({why})" for device, why in d.silent.items()]
            text = f"driver {name}: no reading of {_some(devices)}"
            yield Cause("bus_silent", text, name, ", ".join(list(d.silent)[:SHOWN]), {"n": len(d.silent)})
    for name, detail in watch.down.items():
        yield Cause("part_down", f"{name}: {detail}", name, detail)
    for eui, seconds in watch.gateways.silent().items():
        text = f"gateway {eui}: silent for {seconds / 60:.0f} min"
        yield Cause("gateway_silent", text, eui, values={"minutes": round(seconds / 60)})
    for name in aside:
        text = f"script {name}: set aside for a while: it kept breaking its limits"
        yield Cause("script_aside", text, name)


def of_devices(late: list[str], unreadable: Mapping[str, str]) -> Iterator[Cause]:
    """Devices that are heard but not understood, by reason; devices that should have been heard."""
    if unreadable:
        text = f"payloads cannot be decoded: {_some([f'{name} ({why})' for name, why in unreadable.items()])}"
        yield Cause("undecoded", text, _named(list(unreadable)), values={"n": len(unreadable)})
    late = [name for name in late if name not in unreadable]
    if late:
        yield Cause("overdue", f"overdue: {_some(late)}", _named(late), values={"n": len(late)})


def _some(names: list[str]) -> str:
    """The first of a list that may be long."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def _named(names: list[str]) -> str:
    """The same without words, for any language."""
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")


def of_scans(watch: "ScanWatch", now_ns: int) -> Iterator[Cause]:
    """Stations that cannot be read, targets that take nothing, and what waits for a person or an authority."""
    for name, place in watch.stations.items():
        if not place.up:
            why = f" ({place.detail})" if place.detail else ""
            yield Cause("station_down", f"scan station {name}: cannot be read{why}", name, place.detail)
    for name, kind in watch.stalled.items():
        text = f"scan station {name}: documents cannot be taken in ({kind}); they stay where they are"
        yield Cause("station_stalled", text, name, kind.replace("_", " "))
    for name, place in watch.targets.items():
        if not place.up:
            text = f"scan target {name}: takes nothing ({place.detail}); torhaus scans targets"
            yield Cause("target_down", text, name, place.detail)
    for name, n in (watch.withdrawn or {}).items():
        text = f"scan station {name}: keep the paper of {n} that its department complained of after release"
        yield Cause("release_withdrawn", text, name, values={"n": n})
    for what, gone in (("station", watch.counts.station_gone), ("target", watch.counts.target_gone)):
        for name, n in gone.items():
            text = f"scan {what} {name}: not in the configuration any more, {n} waiting for it"
            yield Cause(f"{what}_gone", text, name, values={"n": n})
    stamps = watch.evidence.stamps
    if stamps is not None and stamps.waiting_since_ns and now_ns - stamps.waiting_since_ns > UNSTAMPED_NS:
        days, why = (now_ns - stamps.waiting_since_ns) // DAY_NS, stamps.trouble or "waiting"
        yield Cause("unstamped", f"evidence: no time stamp for {days} days ({why})", detail=why, values={"n": days})
    for name, states in watch.counts.station.items():
        for state in ("quarantined", "held"):
            n = states.get(state, 0)
            if n:
                text = f"scan station {name}: {n} {state}; torhaus scans list --state {state}"
                yield Cause(f"scans_{state}", text, name, values={"n": n})
