"""What a gateway reports of itself (`stat`): the figures that mean something to a technician, checked for sense.

Names: PROTOCOL.md (rev 1.6) section 4 of Lora-net/sx1302_hal. `temp` is that of the concentrator's sensor.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from torhaus.drivers.base import GatewayStats

COUNTERS: Final = {
    "rxnb": "received",  # radio packets received
    "rxok": "received_crc_ok",
    "rxfw": "forwarded",
    "dwnb": "downlinks_received",
    "txnb": "transmitted",
}
"""GWMP name to label. A gateway counts from report to report."""
_MAX_COUNT: Final = 1_000_000_000
"""More than any concentrator can do between two reports."""


class Report(msgspec.Struct, frozen=True):
    """The last report. What it did not say, or said with a value that cannot be, is None."""

    at_ns: int = 0
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: float | None = None
    temperature_celsius: float | None = None
    ack_ratio: float | None = None  # of what it sent since the report before: acknowledged, 0 to 1


def read(stats: GatewayStats) -> tuple[Report, dict[str, int]]:
    """The report, and how many packets of each kind it speaks of."""
    values = stats.values
    latitude, longitude = _within(values, "lati", -90, 90), _within(values, "long", -180, 180)
    has_place = latitude is not None and longitude is not None
    ack = _within(values, "ackr", 0, 100)
    report = Report(
        at_ns=stats.at.wall_ns,
        latitude=latitude if has_place else None,
        longitude=longitude if has_place else None,
        altitude_m=_within(values, "alti", -1000, 20_000) if has_place else None,
        temperature_celsius=_within(values, "temp", -100, 200),
        ack_ratio=None if ack is None else ack / 100,
    )
    counted = {}
    for name, kind in COUNTERS.items():
        n = _within(values, name, 0, _MAX_COUNT)
        if n is not None:
            counted[kind] = int(n)
    return report, counted


def _within(values: Mapping[str, float | int | str], name: str, low: float, high: float) -> float | None:
    value = values.get(name)
    return float(value) if isinstance(value, int | float) and low <= value <= high else None
