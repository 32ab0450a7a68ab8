"""The unit on a real systemd: installed by the project's own installer, booted, hung, killed, stopped, misconfigured.

Nothing on this machine is changed, and nothing is downloaded but what the installer itself needs. The sandbox is
measured from inside, by a second unit with the same restrictions.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.nspawn import Box, missing, wait_for

UNIT: Final = "torhaus.service"
SHIPPED: Final = Path(__file__).resolve().parent.parent / "systemd" / UNIT
REQUIRED: Final = os.environ.get("CI") == "true" or os.environ.get("TORHAUS_REQUIRE_PEERS") == "1"
FASTER: Final = "[Service]\nWatchdogSec=3\nRestartSec=200ms\n"
WATCHDOG_LIMIT_S: Final = 25.0
STOP_LIMIT_S: Final = 20.0

PROBE: Final = """
import ctypes, errno, json, os, resource, socket, subprocess, sys
import aiohttp, cryptography.hazmat.bindings._rust, mqtt5, msgspec, quickjs, uvloop
from torhaus.daemon.clock import read_boot_id

def errno_of(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

def send(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"torhaus", (address, 9))

async def answer():
    return 42

print(json.dumps({
    "uid": os.getuid(),
    "umask": os.umask(0),
    "loop": uvloop.run(answer()),
    "script": quickjs.Context().eval("[1, 2, 3].map(x => x * 2).join()"),
    "clock": ctypes.CDLL(None).adjtimex(ctypes.byref(ctypes.create_string_buffer(512))),
    "boot_id": read_boot_id() == read_boot_id(),
    "child_limits": subprocess.run(
        [sys.executable, "-c", "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))"]
    ).returncode,
    "executable_memory": errno_of(lambda: __import__("mmap").mmap(-1, 4096, prot=7)),
    "set_clock": errno_of(lambda: __import__("time").clock_settime(0, 1e9)),
    "write_usr": errno_of(lambda: open("/usr/x", "w")),
    "write_state": errno_of(lambda: open("/var/lib/torhaus/probe", "w").close()),
    "netlink": errno_of(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
    "devices": sorted(set(os.listdir("/dev")) & {"ttyS0", "mem", "sda", "vda", "loop0", "rtc0"}),
    "lan": errno_of(lambda: send("10.1.2.3")),
    "internet": errno_of(lambda: send("203.0.113.7")),
    "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
}))
"""

WHY_NOT: Final = missing()
pytestmark = [
    pytest.mark.skipif(WHY_NOT is not None and not (REQUIRED and os.geteuid() == 0), reason=str(WHY_NOT)),
    pytest.mark.timeout(300),
]


def probe_unit() -> str:
    """The shipped unit, with the daemon replaced by the probe: its restrictions are the same, line by line."""
    dropped = ("Type=", "NotifyAccess=", "Restart", "WatchdogSec=", "RuntimeDirectory", "WantedBy=", "[Install]")
    started = (
        "Type=oneshot\nStandardOutput=truncate:/opt/probe.json\nStandardError=journal\n"
        "ExecStart=/usr/lib/torhaus/bin/python /opt/probe.py"
    )
    kept = (line for line in SHIPPED.read_text(encoding="utf-8").splitlines() if not line.startswith(dropped))
    return "\n".join(started if line.startswith("ExecStart=") else line for line in kept) + "\n"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    assert WHY_NOT is None, WHY_NOT
    where = tmp_path_factory.mktemp("boot")
    booted = Box(where, where.parent / "nspawn.log")
    try:
        booted.install()
        units = booted.root / "etc/systemd/system"
        (units / f"{UNIT}.d").mkdir(parents=True)
        (units / f"{UNIT}.d/faster.conf").write_text(FASTER, encoding="ascii")
        (units / "torhaus-probe.service").write_text(probe_unit(), encoding="ascii")
        (booted.root / "opt/probe.py").write_text(PROBE, encoding="ascii")
        booted.boot()
        yield booted
    finally:
        booted.close()


def fresh(box: Box) -> dict[str, str]:
    """Stop, forget and start the service; returns its properties."""
    box.run("systemctl", "stop", UNIT)
    box.run("systemctl", "reset-failed")
    assert box.run("systemctl", "start", UNIT) == "", box.journal(UNIT)
    return box.show(UNIT)


def restarted(box: Box, within_s: float) -> dict[str, str]:
    """Wait until systemd has started the service once more and it is ready; returns its properties."""
    wait_for(lambda: (shown := box.show(UNIT))["NRestarts"] == "1" and shown["ActiveState"] == "active", within_s)
    return box.show(UNIT)


def test_it_is_ready_and_says_so(box: Box) -> None:
    shown = fresh(box)
    assert (shown["ActiveState"], shown["SubState"], shown["NRestarts"]) == ("active", "running", "0"), box.journal(
        UNIT
    )
    assert shown["StatusText"], "READY came without a STATUS"
    assert box.run("stat", "-c", "%U %a", "/var/lib/torhaus").strip() == "torhaus 700"
    get = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8680/livez', timeout=5).status)"
    assert box.run("/usr/bin/python3", "-c", get).strip() == "200", box.journal(UNIT)


def test_a_hung_daemon_is_restarted(box: Box) -> None:
    before = fresh(box)
    box.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", UNIT)
    assert restarted(box, WATCHDOG_LIMIT_S)["MainPID"] != before["MainPID"]
    assert "Failed with result 'watchdog'" in box.journal(UNIT)


def test_a_killed_daemon_is_restarted(box: Box) -> None:
    before = fresh(box)
    box.run("systemctl", "kill", "--signal=KILL", UNIT)
    assert restarted(box, 30)["MainPID"] != before["MainPID"]


def test_it_stops_in_order(box: Box) -> None:
    fresh(box)
    begin = time.monotonic()
    box.run("systemctl", "stop", UNIT)
    took_s = time.monotonic() - begin
    shown = box.show(UNIT)
    assert (shown["ActiveState"], shown["Result"]) == ("inactive", "success"), box.journal(UNIT)
    assert took_s < STOP_LIMIT_S


def test_a_wrong_configuration_is_not_tried_again(box: Box) -> None:
    box.run("systemctl", "stop", UNIT)
    config = box.root / "etc/torhaus/torhaus.toml"
    good = config.read_bytes()
    try:
        config.write_text("[site]\nid = 'Not A Site Id'\n", encoding="ascii")
        assert "failed" in box.run("systemctl", "start", UNIT)
        shown = box.show(UNIT)
    finally:
        config.write_bytes(good)
    assert (shown["ActiveState"], shown["ExecMainStatus"], shown["NRestarts"]) == ("failed", "78", "0"), box.journal(
        UNIT
    )


def test_devices_that_root_adds_are_there_after_a_restart(box: Box) -> None:
    fresh(box)
    keys = "nwk_s_key = 000102030405060708090a0b0c0d0e0f\napp_s_key = 101112131415161718191a1b1c1d1e1f\n"
    (box.root / "opt/keys").write_text(keys, encoding="ascii")
    add = "torhaus devices add --name probe --dev-eui 0011223344556677 --dev-addr 26011234 --codec elsys"
    box.run("sh", "-c", f"umask 077; {add} --keys-from /opt/keys")
    box.run("systemctl", "restart", UNIT)
    assert box.show(UNIT)["ActiveState"] == "active", box.journal(UNIT)
    owners = box.run("stat", "-c", "%U:%G %a", "/etc/torhaus/devices.toml", "/etc/torhaus/devices.keys.toml")
    assert owners.split("\n") == ["root:torhaus 640", "torhaus:torhaus 600", ""]


def test_the_sandbox_lets_the_daemon_work_and_nothing_else(box: Box) -> None:
    for address in ("10.1.2.3", "203.0.113.7"):
        box.run("ip", "address", "add", f"{address}/32", "dev", "lo")
    assert box.run("systemctl", "start", "torhaus-probe") == "", box.journal("torhaus-probe")
    seen = json.loads((box.root / "opt/probe.json").read_text(encoding="ascii"))
    assert seen.pop("uid") > 0
    assert seen.pop("clock") >= 0, "the daemon cannot see whether the clock is synchronised"
    assert seen == {
        "umask": 0o077,
        "loop": 42,
        "script": "2,4,6",
        "boot_id": True,
        "child_limits": 0,
        "executable_memory": "EPERM",
        "set_clock": "EPERM",
        "write_usr": "EROFS",
        "write_state": "done",
        "netlink": "EAFNOSUPPORT",
        "devices": [],
        "lan": "done",
        "internet": "EPERM",
        "files": 8192,
    }
