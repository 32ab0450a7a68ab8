"""GPS time and Unix time: nanoseconds since 1980-01-06T00:00:00Z and since 1970-01-01T00:00:00Z.

GPS time counts every second; Unix time leaves leap seconds out, so the two drift apart by one with each. The table is
IERS Bulletin C's: the last leap second was at the end of 2016, none is announced. Within a leap second Unix time has
no value of its own: its GPS time gives the first second after it.
"""

from bisect import bisect_right
from typing import Final

_SECOND: Final = 1_000_000_000
_EPOCH: Final = 315_964_800
"""1980-01-06 in Unix seconds."""
_LEAPS: Final = (
    362_793_600,  # 1981-07-01, the first moment after the leap second
    394_329_600,  # 1982-07-01
    425_865_600,  # 1983-07-01
    489_024_000,  # 1985-07-01
    567_993_600,  # 1988-01-01
    631_152_000,  # 1990-01-01
    662_688_000,  # 1991-01-01
    709_948_800,  # 1992-07-01
    741_484_800,  # 1993-07-01
    773_020_800,  # 1994-07-01
    820_454_400,  # 1996-01-01
    867_715_200,  # 1997-07-01
    915_148_800,  # 1999-01-01
    1_136_073_600,  # 2006-01-01
    1_230_768_000,  # 2009-01-01
    1_341_100_800,  # 2012-07-01
    1_435_708_800,  # 2015-07-01
    1_483_228_800,  # 2017-01-01
)
_UNIX_NS: Final = tuple(at * _SECOND for at in _LEAPS)
_GPS_NS: Final = tuple((at - _EPOCH + n) * _SECOND for n, at in enumerate(_LEAPS, start=1))
"""When each leap second is over, on the GPS scale."""


def gps_ns(unix_ns: int) -> int:
    """GPS time of a Unix time; negative before 1980-01-06."""
    return unix_ns - _EPOCH * _SECOND + bisect_right(_UNIX_NS, unix_ns) * _SECOND


def unix_ns(gps_ns: int) -> int:
    """Unix time of a GPS time."""
    return gps_ns + _EPOCH * _SECOND - bisect_right(_GPS_NS, gps_ns) * _SECOND
