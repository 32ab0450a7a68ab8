"""Milesight: radar that sees a fall (VS373). Source and shape: milesight.py."""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.field import run
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import Fields, Value
from torhaus.codecs.payload.milesight_channels import STATUS, Channels, named, row

_DETECTED: Final = {0: "normal", 1: "vacant", 2: "in_bed", 3: "out_of_bed", 4: "fall"}
_TARGETS: Final = {0: "normal", 1: "motionless", 2: "abnormal", 3: "lying_down"}
_BREATH: Final = {1: "no_data_input", 2: "normal", 3: "tachypnea", 4: "bradypnea", 5: "undetectable"}
_REGIONS: Final = {0: "custom", 1: "bed", 2: "door", 3: "ignore", 255: "unset"}
_OCCUPIED: Final = {0: "vacant", 1: "occupied"}
_MOST_REGIONS: Final = 32
_ALARMS: Final = dict(
    enumerate(
        ("fall", "motionless", "dwell", "out_of_bed", "occupied", "vacant", "bradynea", "tachypnea", "lying_down")
    )
)
_STATES: Final = {1: "alarm_triggered", 2: "alarm_deactivated", 3: "alarm_ignored", 4: "respiratory_status"}
_OF_A_REGION: Final = frozenset({3, 6, 7})
_NOW: Final = (named("detection_status u8", _DETECTED), named("target_status u8", _TARGETS))


def _alarm(list_name: str, *before: str) -> Special:
    """An alarm; of some the region is told."""
    first = before[0].split()[0] if before else "alarm_id"
    steps = row(
        *(f"{list_name}_#_{line}" for line in (*before, "alarm_id u16")),
        named(f"{list_name}_#_alarm_type u8", _ALARMS),
        named(f"{list_name}_#_alarm_status u8", _STATES),
    )

    def read(data: bytes, pos: int, out: Fields) -> int:
        n = sum(name.startswith(f"{list_name}_") and name.endswith(f"_{first}") for name in out)
        cursor = Cursor(data)
        cursor.pos = run(steps, data, pos, out, str(n))
        kind = data[cursor.pos - 2]
        region = cursor.u8()
        if kind in _OF_A_REGION:
            out[f"{list_name}_{n}_region_id"] = Value(region)
        return cursor.pos

    return read


def _occupied(data: bytes, pos: int, out: Fields) -> int:
    """How many regions, then a bit for each."""
    cursor = Cursor(data)
    cursor.pos = pos
    count, bits = cursor.u8(), cursor.ule(4)
    for n in range(min(count, _MOST_REGIONS)):
        out[f"region_{n + 1}_occupancy"] = Value(_OCCUPIED[bits >> n & 1])
    return cursor.pos


def _left(first: int, count: int, kind: str) -> tuple[str, ...]:
    return tuple(f"region_{first + n}_out_of_bed_time {kind}" for n in range(count))


MODELS: Final[dict[str, Channels]] = {
    "vs373": {
        **STATUS,
        "03 f8": row(*_NOW, "use_time_now u16", "use_time_today u16"),
        "04 f9": row(*(named(f"region_{n}_occupancy u8", {0: "occupied", 1: "vacant"}) for n in range(1, 5))),
        "05 fa": row(*_left(1, 4, "u16")),
        "06 fb": _alarm("events"),
        "07 b0": row(*_NOW, "use_time_now u24", "use_time_today u24"),
        "08 b1": row(named("respiratory_status u8", _BREATH), "respiratory_rate u16 /100 /min"),
        "09 b2": row(*(named(f"region_{n}_type u8", _REGIONS) for n in range(1, 7))),
        "0a b3": _occupied,
        "0b b4": row(*_left(1, 3, "u24")),
        "0c b4": row(*_left(4, 3, "u24")),
        "20 ce": _alarm("history", "timestamp u32 s"),
    },
}
