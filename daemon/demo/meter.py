"""A simulated electricity meter behind a pseudo-terminal: pushes SML telegrams like an optical head does."""

import math
import os
import pty
import tty
from typing import Final

from torhaus.codecs.meter.sml_encode import Entry, encode_file

WATT: Final = 27
WATT_HOUR: Final = 30
SERVER_ID: Final = bytes((10, 1)) + b"TOR" + bytes((0, 0x01, 0x86, 0xA0, 0x2A))


class SimulatedMeter:
    """`path` is the terminal to read from. `tick` writes the next telegram."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._energy_mwh = 12_345_678_900
        self._n = 0

    def tick(self, seconds: float) -> bool:
        """The next telegram, after so many seconds. False when nobody reads: a real meter's would be lost, too."""
        self._n += 1
        power_w = 900 + 400 * math.sin(self._n / 15) + 37 * (self._n % 3)
        self._energy_mwh += int(power_w * 1000 * seconds / 3600)
        telegram = encode_file(
            SERVER_ID,
            [
                Entry("1-0:1.8.0*255", self._energy_mwh // 100, WATT_HOUR, -1),
                Entry("1-0:2.8.0*255", 0, WATT_HOUR, -1),
                Entry("1-0:16.7.0*255", round(power_w * 10), WATT, -1),
            ],
            sec_index=self._n,
            transaction=self._n,
        )
        try:
            return os.write(self._master, telegram) == len(telegram)
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Hang up."""
        os.close(self._master)
        os.close(self._slave)
