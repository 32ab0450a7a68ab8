import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.daemon.clocks import FakeClock
from torhaus.daemon.notify import WRITER_LIMIT_S, Notifier, feed_watchdog
from torhaus.daemon.outbox.store import Outbox


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)

    def heard(self) -> list[str]:
        out = []
        while True:
            try:
                out.append(self.socket.recv(65_536).decode())
            except BlockingIOError:
                return out


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    found = Systemd(str(tmp_path / "notify") if request.param == "path" else f"@torhaus-test-{os.getpid()}")
    yield found
    found.socket.close()


def test_what_is_sent(systemd: Systemd) -> None:
    environ = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}
    notifier = Notifier(environ)
    assert environ == {}  # children have nothing to say
    assert notifier.watchdog_s == 60.0
    notifier.send(READY=1, STATUS="all well")
    notifier.send(STATUS="bad\nREADY=1\nnews\udcff")
    assert systemd.heard() == ["READY=1\nSTATUS=all well", "STATUS=bad READY=1 news?"]


@pytest.mark.parametrize("more", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nonexistent/notify"}])
def test_without_systemd_it_is_silent(more: dict[str, str]) -> None:
    Notifier(dict(more)).send(READY=1)


@pytest.mark.parametrize("more", [{"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}, {}])
def test_a_watchdog_that_is_not_for_us(more: dict[str, str]) -> None:
    assert Notifier(dict(more)).watchdog_s == 0.0


def test_a_systemd_that_does_not_listen_stops_nobody(tmp_path: Path) -> None:
    systemd = Systemd(str(tmp_path / "notify"))
    notifier = Notifier({"NOTIFY_SOCKET": systemd.address})
    for _ in range(2000):  # far more than its queue takes
        notifier.send(WATCHDOG=1)
    assert 0 < len(systemd.heard()) < 2000
    systemd.socket.close()


def test_the_watchdog_starves_when_the_writer_is_silent_and_not_when_commits_fail(tmp_path: Path) -> None:
    systemd = Systemd(str(tmp_path / "notify"))
    notifier = Notifier({"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "9000000"})
    silent = 0.0
    outbox = SimpleNamespace(silent_s=lambda: silent, failing="main: disk_full: no room")
    clock = FakeClock()

    async def go() -> None:
        nonlocal silent
        status = "cannot write"
        task = asyncio.ensure_future(feed_watchdog(notifier, cast("Outbox", outbox), clock, lambda: status))
        await clock.pass_s(7, step_s=1)
        assert systemd.heard() == ["WATCHDOG=1\nSTATUS=cannot write"] * 3  # every third of its time
        silent = WRITER_LIMIT_S + 1
        await clock.pass_s(6, step_s=1)
        assert systemd.heard() == ["STATUS=the writer has not answered for 21 s"] * 2
        silent = 0.0
        await clock.pass_s(3, step_s=1)
        assert systemd.heard() == ["WATCHDOG=1\nSTATUS=cannot write"]
        task.cancel()

    asyncio.run(go())
    systemd.socket.close()
