"""What simulated devices do on air, and how they are told to behave. Times in microseconds."""

from typing import Final

import msgspec

SECOND_US: Final = 1_000_000


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """How devices behave. `confirmed_every` n: each n-th uplink wants an acknowledgement, 0 none.

    `spread_s`: after power came back they ask to join within this time, and again `join_pause_s` after an answer could
    have come. `is_limited` off: no duty cycle is kept.
    """

    period_s: float = 600.0
    confirmed_every: int = 0
    adr: bool = True
    class_c: bool = False
    spread_s: float = 10.0
    join_pause_s: tuple[float, float] = (5.0, 30.0)
    is_limited: bool = True


class Transmission(msgspec.Struct, frozen=True, gc=False):
    """What a device puts on air. `datarate` as in Radio; receive windows count from `end_us`."""

    phy: bytes
    freq_hz: int
    dr: int
    datarate: str
    power_dbm: float
    start_us: int
    end_us: int
    is_join: bool = False


class Window(msgspec.Struct, frozen=True, gc=False):
    """A receive window: a downlink that starts at `at_us` as the rate and frequency say is heard in it."""

    at_us: int
    freq_hz: int
    datarate: str
