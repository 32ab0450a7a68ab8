"""`torhaus doctor`: what is wrong with this box, each point with what to do about it."""

import argparse
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from torhaus.daemon.cli.show import plain, records, size
from torhaus.daemon.forecast import SPARE_BYTES
from torhaus.daemon.main import add_config

Grade = Literal["ok", "warn", "bad"]
_AS_ROOT: Final = "run as root or as the user torhaus"
_SET_ASIDE: Final = "restart the daemon: it sets the file aside and goes on"
_CURE: Final = {"scans.db": "keep a copy of the whole folder and restore the last backup: it is never set aside"}


class Finding(msgspec.Struct, frozen=True):
    """One point: how it is, and what to do when it is not well."""

    grade: Grade
    what: str
    advice: str = ""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("doctor", help="what is wrong with this box")
    add_config(command)
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print every finding; 1 when one is bad."""
    found = list(examine(args.config))
    if args.json:
        print(msgspec.json.encode(found).decode())
    else:
        for f in found:
            print(f"{f.grade:4}  {plain(f.what)}" + (f"\n      -> {plain(f.advice)}" if f.advice else ""))
    return 1 if any(f.grade == "bad" for f in found) else 0


def examine(config: Path) -> Iterator[Finding]:
    """Look at configuration, clock, disk, store, daemon, serial devices."""
    yield _python()
    yield _clock()
    from torhaus.daemon.config.load import ConfigFaults, load

    try:
        loaded = load(config, check_only=True)
    except ConfigFaults as e:
        for fault in e.faults:
            yield Finding("bad", str(fault), f"correct it, then: torhaus check --config {config}")
        return
    yield Finding("ok", f"configuration {config}: drivers: {len(loaded.drivers)}, forwarders: {len(loaded.forwarders)}")
    for note in loaded.notes:
        yield Finding("warn", note)
    store = Path(loaded.store.path)
    try:
        most = loaded.store.max_bytes + loaded.store.strangers_max_bytes
        yield from _disk(store, most + (loaded.store.relay_max_bytes if loaded.relays() else 0))
        yield from _store(store)
    except OSError as e:
        yield Finding("bad", f"{store}: {e.strerror}", _AS_ROOT)
    yield from _daemon(Path(loaded.control.socket))
    for _, driver in loaded.drivers:
        link = getattr(driver, "link", "")
        if link.startswith("serial://"):
            yield _serial(driver.name, Path(link.removeprefix("serial://").split("?")[0]))


def _python() -> Finding:
    v = sys.version_info
    grade: Grade = "ok" if v >= (3, 11) else "bad"
    return Finding(grade, f"Python {v.major}.{v.minor}.{v.micro}, SQLite {sqlite3.sqlite_version}")


def _clock() -> Finding:
    from torhaus.daemon.clock import SystemClock

    if SystemClock().synced():
        return Finding("ok", "the clock is synchronised")
    advice = "timedatectl status; allow NTP (UDP 123) or enter the site's server in /etc/systemd/timesyncd.conf"
    return Finding("warn", "the clock is not synchronised: records are marked, TLS may fail", advice)


def _disk(store: Path, wanted: int) -> Iterator[Finding]:
    place = store
    while not place.exists():
        place = place.parent
    usage = shutil.disk_usage(place)
    text = f"{place}: {size(usage.free)} free of {size(usage.total)}"
    if usage.free < SPARE_BYTES:
        yield Finding("bad", text, "make room, or lower store.max_bytes")
    elif usage.free < wanted:
        yield Finding("warn", f"{text}, less than the store may take ({size(wanted)})", "lower store.max_bytes")
    else:
        yield Finding("ok", text)
    if not os.access(place, os.W_OK):
        yield Finding("bad", f"{place} cannot be written by this user", _AS_ROOT)


def _store(store: Path) -> Iterator[Finding]:
    if not store.exists():
        yield Finding("ok", f"{store} does not exist yet: it is made at the first start")
        return
    for path in sorted(store.rglob("*.corrupt-*")):
        if not path.name.endswith(("-wal", "-shm")):
            yield Finding(
                "warn", f"{path} was set aside", "look at the card (dmesg, smartctl); keep a copy of the file"
            )
    for path in [store / "state.db", *sorted((store / "log").glob("*.db"))[-1:], store / "scans" / "scans.db"]:
        if not path.exists():
            continue
        try:
            conn = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
            try:
                answer = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
            finally:
                conn.close()
        except sqlite3.Error as e:
            answer = str(e)
        if answer == "ok":
            yield Finding("ok", f"{path} is sound")
        else:
            yield Finding("bad", f"{path}: {answer}", _CURE.get(path.name, _SET_ASIDE))


def _daemon(path: Path) -> Iterator[Finding]:
    from torhaus.daemon.control import NotRunning, Refused, ask_as
    from torhaus.daemon.status import Status

    try:
        status: Status = ask_as(path, "/healthz", Status)
    except NotRunning:
        yield Finding("warn", "the daemon is not running", "systemctl start torhaus; journalctl -u torhaus")
        return
    except Refused as e:
        may = os.access(path, os.R_OK | os.W_OK)
        yield Finding("bad", str(e), "journalctl -u torhaus; systemctl restart torhaus" if may else _AS_ROOT)
        return
    yield Finding("ok" if status.ready else "bad", "the daemon is running" + ("" if status.ready else ", NOT ready"))
    from torhaus.daemon.page.language import texts

    advice = texts("en")
    for cause in status.causes:
        yield Finding("bad", cause.text, advice.get(f"advice.{cause.kind}", ""))
    for name, f in status.forwarders.items():
        if not f.up:
            what = f"forwarder {name} is down: {f.detail}; {records(f.backlog)} waiting"
            yield Finding("warn", what, advice["advice.forwarder_down"])
        if f.dead_letters:
            yield Finding("warn", f"forwarder {name}: {f.dead_letters} dead letters", "torhaus queue dead-letters list")


def _serial(name: str, device: Path) -> Finding:
    if not device.exists():
        return Finding("bad", f"driver {name}: {device} is not there", "plug it in; ls -l /dev/serial/by-id")
    if not os.access(device, os.R_OK | os.W_OK):
        return Finding("bad", f"driver {name}: {device} may not be opened", "add the user to the group dialout")
    return Finding("ok", f"driver {name}: {device} is there")
