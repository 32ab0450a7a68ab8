"""Where the site is and how far its clock is off, as its satellite receivers say: the last fix of each."""

from typing import Final

import msgspec

from torhaus.codecs.model import Fields, Stamp

CODEC: Final = "nmea"


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """A position: degrees, south and west negative; metres above sea level. `at_ns`: when it came, wall clock.

    `clock_offset_s`: by how much the receiver's time is ahead of ours.
    """

    latitude: float
    longitude: float
    at_ns: int
    altitude: float | None = None
    satellites: int | None = None
    clock_offset_s: float | None = None


class Fixes:
    """The last fix of each receiver, by its device's name: of those that the configuration names."""

    def __init__(self) -> None:
        self.last: dict[str, Fix] = {}

    def heard(self, device: str, at: Stamp, fields: Fields) -> None:
        """A receiver's reading. Without a position it is none: the last one stays, with its time."""
        latitude, longitude = _number(fields, "latitude"), _number(fields, "longitude")
        if latitude is None or longitude is None:
            return
        satellites = _number(fields, "satellites")
        self.last[device] = Fix(
            latitude=latitude,
            longitude=longitude,
            at_ns=at.wall_ns,
            altitude=_number(fields, "altitude"),
            satellites=None if satellites is None else int(satellites),
            clock_offset_s=_number(fields, "clock_offset"),
        )


def _number(fields: Fields, name: str) -> float | None:
    found = fields.get(name)
    if found is None or isinstance(found.value, bool) or not isinstance(found.value, int | float):
        return None
    return found.value
