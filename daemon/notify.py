"""systemd's notify protocol (sd_notify(3)): READY, STATUS, STOPPING, WATCHDOG. Silent where there is no systemd."""

import contextlib
import os
import socket
from collections.abc import Callable
from typing import Final

from torhaus.daemon.clock import Clock
from torhaus.daemon.outbox.store import Outbox

WRITER_LIMIT_S: Final = 20.0
"""The writer must have answered, by success or by a clean error, within this: else it hangs, and so do we."""


class Notifier:
    """Sends to NOTIFY_SOCKET; takes the variable out of the environment, so that no child inherits it."""

    def __init__(self, environ: "os._Environ[str] | dict[str, str]" = os.environ) -> None:
        self._address = environ.pop("NOTIFY_SOCKET", "")
        usec = environ.pop("WATCHDOG_USEC", "0")
        is_for_us = environ.pop("WATCHDOG_PID", "") in {"", str(os.getpid())}
        self.watchdog_s = int(usec) / 1e6 if usec.isdecimal() and is_for_us else 0.0

    def send(self, **state: str | int) -> None:
        """One datagram of `KEY=value` lines. Never raises or waits: systemd notices silence by itself."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        data = "\n".join(f"{k}={' '.join(str(v).split())}" for k, v in state.items()).encode(errors="replace")
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as s:
            s.setblocking(False)
            s.connect(address)
            s.send(data)


async def feed_watchdog(notifier: Notifier, outbox: Outbox, clock: Clock, status: Callable[[], str]) -> None:
    """Feed the watchdog while the loop turns and the writer answers; keep STATUS up to date. Never returns."""
    pause = min(notifier.watchdog_s / 3, 5.0) if notifier.watchdog_s else 5.0
    while True:
        if outbox.silent_s() < WRITER_LIMIT_S:
            notifier.send(WATCHDOG=1, STATUS=status())
        else:
            notifier.send(STATUS=f"the writer has not answered for {outbox.silent_s():.0f} s")
        await clock.sleep(pause)
