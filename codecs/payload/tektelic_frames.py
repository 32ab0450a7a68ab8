"""Tektelic: models that send a frame of fixed length, by FPort, instead of channels. Source: tektelic.py.

The eDoctor's first firmware sends on FPort 10, version 1.2 on 11, and on 12 whether it may report more often
(TektelicCommunications/data-converters 39edfa0, edoctor-v1.2). Both are of nine bytes; a shorter one is cut off.
"""

from typing import Final

from torhaus.codecs.layout.compact import Special, field, row
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason

_GONE: Final = "Unavailable"


def _known(line: str, absent: int) -> Special:
    """A number, one value of which says that there is none."""
    return field(line, {absent: _GONE})


FRAMES: Final[dict[str, dict[int, tuple[int, tuple[Step, ...]]]]] = {
    "edoctor": {
        10: (
            9,
            row(
                "battery u8 *0.391304348 +0.608695652 .2 %",
                "body_temperature u8 *0.05 +30 .2 Cel",
                "respiratory_rate u8 /min",
                "ua_mode_active u8 7:1",
                "rest_mode_status = 6:1",
                "ce = 0:4",
                "csc u8",
                "af u8 7:1",
                "position = 0:7",
                "heart_rate u8 /min",
            ),
        ),
        11: (
            9,
            row(
                _known("remaining_battery_capacity u8 %", 0xFF),
                field("reporting_mode u16 15:1", {0: "Normal Reporting Mode", 1: "Enhanced Reporting Mode"}),
                field("battery_saving_mode = 14:1", {0: "Not in battery saving mode", 1: "In battery saving mode"}),
                _known("st1 = 2:10 *0.05 .2", 0x3FF),
                _known("st2 u16 @2 0:10 *0.05 .2", 0x3FF),
                _known("pr u8 /min", 0xFF),
                _known("rr u8 /min", 0xFF),
                _known("ce u8 *0.05 .2", 0xFF),
                field("af1 u8 7:1", {0: "Activity not detected", 1: "Activity detected"}),
                _known("position = 0:7", 0x7F),
                _known("af2 u8 *0.01 .2", 0xFF),
            ),
        ),
        12: (1, row("er_mode_config u8")),
    }
}
"""Model to FPort to the frame's length and fields."""


def read_frame(model: str, data: bytes, fport: int) -> Fields | None:
    """The frame on this port; None when the model has none there. Raises DecodeError SHORT or LONG."""
    frame = FRAMES.get(model, {}).get(fport)
    if frame is None:
        return None
    size, steps = frame
    if len(data) != size:
        reason = RejectReason.SHORT if len(data) < size else RejectReason.LONG
        raise DecodeError(reason, f"{len(data)} bytes, must be {size}")
    out: Fields = {}
    run(steps, data, 0, out)
    return out
