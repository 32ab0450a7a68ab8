"""Dragino LHT65N-VIB, which counts vibrations, and GroPoint Air, which measures soil in several depths.

Source: the decoders in dragino/dragino-end-node-decoder (e81cc58): LHT65N-VIB V1.3, GroPoint Air v1.1. There the four
bytes of a counter are put over each other, and temperatures below zero are one step too warm: here they are numbers of
32 bits, and two's complement.
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field, row
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.dragino_doors import TRUE, Port, info

_COUNT: Final = "vib_count u32"
_WORKED: Final = "work_min u32 min"
_CLIMATE: Final = ("temp_c_sht i16 /100 Cel", "hum_sht u16 0:12 /10 %")
_MODES: Final = {1: row(_COUNT, _WORKED), 2: row(_COUNT, *_CLIMATE), 3: row(*_CLIMATE, _WORKED)}
_VALUES_AT: Final = 3
_LOGGED: Final = row(*(f"datalog_#_{axis} i16 /1000 [g]" for axis in "xyz"))
_LOGGED_SIZE: Final = 6


def _vibration(data: bytes, fields: Fields) -> None:
    """What is sent is up to the mode."""
    mode = data[2] >> 2 & 7
    steps = _MODES.get(mode)
    if steps is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"mode {mode}")
    run(steps, data, _VALUES_AT, fields)


def _log(data: bytes, fields: Fields) -> None:
    """Accelerations, oldest first."""
    if (len(data) - 2) % _LOGGED_SIZE:
        raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes, the last acceleration is cut off")
    for n, pos in enumerate(range(2, len(data), _LOGGED_SIZE)):
        run(_LOGGED, data, pos, fields, str(n))


_DEPTHS: Final = {2: (4, 2), 3: (6, 3), 4: (7, 4), 5: (9, 5), 6: (11, 6), 7: (12, 7), 8: (13, 8)}
"""By the probe's length in segments: how many temperatures and moistures it has."""
_FIRST: Final = ord("0")
_INVALID: Final = 0x7FFF


def _soil(data: bytes, fields: Fields) -> None:
    """Temperatures, if they are sent, then moistures; one that cannot be measured stands for all."""
    cursor = Cursor(data)
    fields["bat"] = Value((cursor.ube(2) & 0x0FFF) / 1000, "V")
    segments = cursor.u8() - _FIRST
    temperatures, moistures = _DEPTHS.get(segments, (0, 0))
    if not moistures:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"a probe of {segments} segments")
    fields["sen"] = Value(segments)
    behind = 2 * temperatures
    left = cursor.left
    if left in {behind + 2 * moistures, behind + 2}:
        for n in range(1, temperatures + 1):
            raw = int.from_bytes(cursor.take(2), "big", signed=True)
            fields[f"tem{n}"] = Value("Invalid data") if raw == _INVALID else Value(raw / 10, "Cel")
    elif left not in {2 * moistures, 2}:
        raise DecodeError(RejectReason.SHORT, f"{left} bytes for a probe of {segments} segments")
    is_single = cursor.left == 2 and moistures > 1
    for n in range(1, cursor.left // 2 + 1):
        raw = cursor.ube(2)
        if is_single and raw != _INVALID:
            raise DecodeError(RejectReason.SHORT, f"one moisture of {moistures}")
        fields[f"soil_moisture{n}"] = Value("Invalid data") if raw == _INVALID else Value(raw / 10, "%")


PROBES: Final[dict[str, dict[int, Port]]] = {
    "lht65n-vib": {
        2: (
            (11, 11),
            row(
                "bat_v u16 /1000 V",
                field("alarm u8 0:1", TRUE),
                field("tdc = 1:1", {0: "NO", 1: "YES"}),
            ),
            _vibration,
        ),
        5: info(0x3F, "LHT65N-VIB"),
        7: ((8, 242), row("bat_v u16 /1000 V"), _log),
        9: ((8, 8), row("bat_v u16 /1000 V", *(f"max_acc_{axis}_g i16 /1000 [g]" for axis in "xyz")), None),
    },
    "gropoint-air": {2: ((5, 45), (), _soil)},
}
