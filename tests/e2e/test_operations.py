"""A technician's hands on a running site: the live table, replay, export, backup and restore, as real processes."""

import asyncio
import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

from tests.e2e.site import Air, Site, running, wait_for
from torhaus.daemon.demo.sensors import Sensor

COUNT = 40


def sensors() -> list[Sensor]:
    return [Sensor(n) for n in range(4)]


def site_on(folder: Path, devices: list[Sensor]) -> Site:
    out = folder / "out.jsonl"
    return Site(folder, devices, f'[[forwarder]]\nname = "archive"\ntype = "file"\npath = "{out}"\n')


def send(site: Site, devices: list[Sensor], count: int) -> None:
    async def go() -> None:
        async with Air(site, devices) as air:
            for n in range(count):
                assert await air.send(n, devices[n % len(devices)])

    asyncio.run(go())


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()] if path.exists() else []


def test_a_day_of_a_technician(tmp_path: Path) -> None:
    devices = sensors()
    site = site_on(tmp_path / "a", devices)
    out = site.folder / "out.jsonl"
    backup = tmp_path / "site.tar"
    with running(site):
        send(site, devices, COUNT)
        wait_for(lambda: len(ids(out)) == COUNT, "all delivered")
        delivered = ids(out)

        table = site.torhaus("queue")
        assert table.returncode == 0, table.stderr
        head, row = table.stdout.splitlines()
        assert head.split()[:4] == ["FORWARDER", "STATE", "BACKLOG", "OLDEST"]
        assert row.split()[:3] == ["archive", "up", "0"]
        assert "empty" in row

        exported = site.torhaus("queue", "export", "--since", "1h")
        assert exported.returncode == 0, exported.stderr
        assert [json.loads(line)["id"] for line in exported.stdout.splitlines()] == delivered

        taken = site.torhaus("backup", str(backup))
        assert taken.returncode == 0, taken.stderr
        assert site.torhaus("restore", str(backup)).returncode == 73  # while it runs
        archive = backup.read_bytes()
        for key in (k for s in devices for k in (s.app_s_key, s.nwk_s_key)):
            assert key not in archive
            assert key.hex().encode() not in archive.lower()

        dry = site.torhaus("queue", "replay", "--forwarder", "archive", "--since", "1h", "--dry-run")
        assert dry.stdout.startswith(f"{COUNT} records would be sent again"), dry.stderr
        assert site.torhaus("queue", "replay", "--forwarder", "archive", "--since", "1h").returncode == 0
        wait_for(lambda: len(ids(out)) == 2 * COUNT, "all delivered again")
        assert ids(out)[COUNT:] == delivered
        assert all(json.loads(line)["late"] for line in out.read_text().splitlines()[COUNT:])
        assert site.stop() == 0

    other = site_on(tmp_path / "b", devices)
    restored = other.torhaus("restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    with running(other):
        send(other, devices, 4)
        wait_for(lambda: len(set(ids(other.folder / "out.jsonl")) - set(delivered)) == 4, "new ones")
        assert other.stop() == 0
    new = set(ids(other.folder / "out.jsonl")) - set(delivered)
    assert {i.split("/")[1] for i in new}.isdisjoint({i.split("/")[1] for i in delivered})  # another store id
    assert ids(other.folder / "out.jsonl")[: -len(new)] in ([], delivered)  # settled before the backup, or sent again


def test_the_live_table_on_a_terminal(tmp_path: Path) -> None:
    """Drawn in place, wiped at the ends of lines only, and Ctrl-C ends it with 0 and the cursor back."""
    site = site_on(tmp_path, sensors())
    with running(site):
        master, slave = pty.openpty()
        command = [sys.executable, "-m", "torhaus", "queue", "--watch", "--config", str(site.config)]
        watch = subprocess.Popen(command, stdout=slave, stderr=slave, stdin=slave, cwd="/", start_new_session=True)
        os.close(slave)
        seen = b""

        def drawn() -> bool:
            nonlocal seen
            if select.select([master], [], [], 0.1)[0]:
                seen += os.read(master, 1 << 16)
            return seen.count(b"\x1b[H") >= 3

        try:
            wait_for(drawn, "three pages", 30)
            watch.send_signal(signal.SIGINT)
            assert watch.wait(timeout=10) == 0
            seen += os.read(master, 1 << 16)
        finally:
            if watch.poll() is None:
                watch.kill()
                watch.wait()
            os.close(master)
    assert seen.startswith(b"\x1b[?25l\x1b[2J\x1b[H")
    assert seen.count(b"\x1b[2J") == 1
    assert seen.endswith(b"\x1b[?25h")
    assert b"archive    up" in seen
