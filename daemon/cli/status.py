"""`torhaus status`: the site at a glance."""

import argparse
import sqlite3
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from torhaus.daemon.cli.live import Unreadable, watch
from torhaus.daemon.cli.show import ago, duration, plain, size, table
from torhaus.daemon.fixes import Fix
from torhaus.daemon.main import add_config
from torhaus.daemon.status import Status

EX_UNAVAILABLE: Final = 69
EX_IOERR: Final = 74
EX_CONFIG: Final = 78


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("status", help="the site at a glance")
    add_config(command)
    command.add_argument("--json", action="store_true", help="as JSON")
    command.add_argument("--watch", action="store_true", help="again every two seconds, until Ctrl-C")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the status: of the running daemon, or what its files say. 69 when it is not running."""
    try:
        status = fetch(args.config)
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    draw = _as_json if args.json else render
    if args.watch:
        return watch(status, lambda: fetch(args.config), draw, sys.stdout, tidy=not args.json)
    print(draw(status))
    return 0 if status.running else EX_UNAVAILABLE


def _as_json(status: Status) -> str:
    return msgspec.json.encode(status).decode()


def fetch(config: Path) -> Status:
    """The status from the daemon's socket, or from its files. Raises Unreadable."""
    from torhaus.daemon.config.load import ConfigFaults, load
    from torhaus.daemon.control import NotRunning, Refused, ask_as

    try:
        loaded = load(config, check_only=True)
    except ConfigFaults as e:
        raise Unreadable("\n".join(str(f) for f in e.faults), EX_CONFIG) from None
    try:
        found: Status = ask_as(Path(loaded.control.socket), "/healthz", Status)
        return found
    except Refused as e:
        raise Unreadable(str(e), EX_UNAVAILABLE) from None
    except NotRunning:
        pass
    from torhaus.daemon.offline import read_status
    from torhaus.daemon.outbox.migrate import SchemaError

    limits = {"main": loaded.store.max_bytes, "strangers": loaded.store.strangers_max_bytes}
    limits["relay"] = loaded.store.relay_max_bytes
    try:
        return read_status(Path(loaded.store.path), loaded.site.id, limits)
    except (OSError, sqlite3.Error, SchemaError) as e:
        raise Unreadable(f"{loaded.store.path}: {e}", EX_IOERR) from None


def gateways(s: Status) -> str:
    """The gateways: heard or not, and what went through each. AIRTIME is the fullest sub-band's share of an hour."""
    rows = []
    for eui, g in sorted(s.gateways.items()):
        counts, ack, trip = g.counts, g.report.ack_ratio, g.round_trip_s
        sent = counts.downlinks.get("OK", 0)
        busiest = max(s.airtime.get(eui, {}).values(), default=None)
        row: tuple[object, ...] = (
            eui,
            g.driver,
            ("up" if g.online else "DOWN") if g.known else "STRANGER",
            ago(g.last_ns, s.now_ns),
            counts.uplinks,
            counts.crc_bad,
            sent,
            sum(counts.downlinks.values()) - sent,
            "" if trip is None else f"{trip * 1000:.0f} ms",
            "" if ack is None else f"{ack:.1%}",
            "" if busiest is None else f"{busiest:.0%}",
            g.protocol,
            g.address or g.peer,
        )
        rows.append(row)
    sums = ("UP", "BAD CRC", "DOWN", "FAILED", "TRIP", "ACKED", "AIRTIME")
    return table(("GATEWAY", "DRIVER", "STATE", "LAST", *sums, "PROTOCOL", "ADDRESS"), rows)


def position(name: str, fix: Fix, now_ns: int) -> str:
    """One receiver's last fix, and how far the clocks are apart."""
    high = "" if fix.altitude is None else f", {fix.altitude:.0f} m"
    seen = "" if fix.satellites is None else f", {fix.satellites} satellites"
    told = f"position: {fix.latitude:.5f} {fix.longitude:.5f}{high} ({name}{seen}, {ago(fix.at_ns, now_ns)})"
    if fix.clock_offset_s is None:
        return told
    return f"{told}, its clock is {fix.clock_offset_s:+.0f} s from ours"


def render(s: Status) -> str:
    """The status as text: first what is wrong, then the parts."""
    now = s.now_ns
    state = "ready" if s.ready else "NOT READY" if s.running else "NOT RUNNING"
    up = f", up {duration((now - s.started_ns) / 1e9)}" if s.running else ""
    clock = "" if s.clock_synced else ", clock NOT synchronised"
    lines = [f"torhaus {s.version}  site {s.site}  {state}{up}{clock}"]
    lines += [f"  ! {plain(problem)}" for problem in s.problems]
    lines += [f"  ! set aside: {path}" for path in s.set_aside_files]
    lines += [f"  ! dropped {n} records ({key})" for key, n in sorted(s.dropped.items())]
    if s.drivers:
        drivers = [
            (name, "up" if d.up else "DOWN", d.frames, ago(d.last_frame_ns, now), d.acks, d.acks_late, d.detail)
            for name, d in sorted(s.drivers.items())
        ]
        lines += ["", table(("DRIVER", "STATE", "FRAMES", "LAST", "ACKS", "LATE", ""), drivers)]
    if s.gateways:
        lines += ["", gateways(s)]
    if s.forwarders:
        forwarders = [
            (name, "up" if f.up else "DOWN", f.backlog, f.accepted, f.set_aside, f.dead_letters,
             ago(f.last_success_ns, now), f.detail)
            for name, f in sorted(s.forwarders.items())
        ]  # fmt: skip
        head = ("FORWARDER", "STATE", "BACKLOG", "SENT", "ASIDE", "DEAD", "LAST", "")
        lines += ["", table(head, forwarders)]
    if s.logs:
        logs = [
            (
                name,
                x.records,
                size(x.bytes),
                size(x.capacity_bytes),
                "" if x.full_in_s is None else duration(x.full_in_s),
            )
            for name, x in s.logs.items()
        ]
        lines += ["", table(("LOG", "RECORDS", "ON DISK", "LIMIT", "FULL IN"), logs)]
    if s.written_per_day_bytes:
        lines += [f"written to disk: {size(s.written_per_day_bytes)} a day"]
    if s.devices:
        newest, oldest = max(s.devices.values()), min(s.devices.values())
        lines += ["", f"{len(s.devices)} devices heard, newest {ago(newest, now)}, longest silent {ago(oldest, now)}"]
    lines += [position(name, fix, now) for name, fix in sorted(s.fixes.items())]
    if s.rejects:
        lines += ["refused: " + ", ".join(f"{n} {reason}" for reason, n in sorted(s.rejects.items()))]
    for what, counted in (("joins", s.joins), ("downlinks", s.downlinks)):
        if counted:
            lines += [f"{what}: " + ", ".join(f"{n} {result.replace('_', ' ')}" for result, n in counted.items())]
    if s.scans:
        scans = [(place, state, n) for place, states in sorted(s.scans.items()) for state, n in sorted(states.items())]
        lines += ["", table(("SCANS", "STATE", "DOCUMENTS"), scans)]
    return "\n".join(lines)
