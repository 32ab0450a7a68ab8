"""Milesight: people counters that see lines and regions (VS133, VS135). Source and shape: milesight.py.

A stored reading has a time and, like the channels, a number that says what it is: 0x03 what came in over the first line
in all, 0x0f the people in four regions, 0x10 and 0x20 how long they stayed. Of others the length is not known.
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.milesight_channels import Channels, dotted, row


def _lines() -> dict[str, tuple[Step, ...]]:
    """Four lines, each with what came in and went out in all and in the period; the same of children."""
    out: dict[str, tuple[Step, ...]] = {}
    for n in range(4):
        for begin, who in ((0x03, ""), (0x11, "child_")):
            out[f"{begin + 3 * n:02x} d2"] = row(f"line_{n + 1}_{who}total_in u32")
            out[f"{begin + 1 + 3 * n:02x} d2"] = row(f"line_{n + 1}_{who}total_out u32")
            out[f"{begin + 2 + 3 * n:02x} cc"] = row(
                f"line_{n + 1}_{who}period_in u16", f"line_{n + 1}_{who}period_out u16"
            )
    for channel, who in (("0f", ""), ("1d", "child_")):
        out[f"{channel} e3"] = row(*(f"region_{n}_{who}count u8" for n in range(1, 5)))
    return out


def _dwell(who: str) -> Special:
    """How long people stayed in a region."""

    def read(data: bytes, pos: int, out: Fields) -> int:
        cursor = Cursor(data)
        cursor.pos = pos
        region = cursor.u8()
        for what in ("avg", "max"):
            out[f"region_{region}_{who}{what}_dwell"] = Value(cursor.ule(2), "s")
        return cursor.pos

    return read


def _occlusion(data: bytes, pos: int, out: Fields) -> int:
    cursor = Cursor(data)
    cursor.pos = pos + 1
    number = cursor.u8()
    node = f"node_{number}" if number else "master"
    out[f"{node}_occlusion_alarm"] = Value({0: "alarm_released", 1: "alarm_triggered"}.get(cursor.u8(), "unknown"))
    return cursor.pos


_LINES: Final = _lines()
_STORED_LINES: Final = {int(key.split()[0], 16): steps for key, steps in _LINES.items()}
_STORED_STAYS: Final = {0x10: "avg_dwell", 0x20: "max_dwell", 0x1E: "child_avg_dwell", 0x3C: "child_max_dwell"}


def _stored(data: bytes, pos: int, out: Fields) -> int:
    """A stored reading: its time, what it is, the value."""
    cursor = Cursor(data)
    cursor.pos = pos
    prefix = f"history_{sum(name.startswith('history_') and name.endswith('_timestamp') for name in out)}_"
    at, kind = cursor.ule(4), cursor.u8()
    if kind in _STORED_STAYS:
        name = f"region_{cursor.u8()}_{_STORED_STAYS[kind]}"
        out[f"{prefix}timestamp"], out[prefix + name] = Value(at, "s"), Value(cursor.ule(2), "s")
        return cursor.pos
    steps = _STORED_LINES.get(kind)
    if steps is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"history of kind {kind:#04x}")
    out[f"{prefix}timestamp"] = Value(at, "s")
    found: Fields = {}
    behind = run(steps, data, cursor.pos, found)
    out.update((prefix + name, value) for name, value in found.items())
    return behind


def _protocol(raw: int) -> str:
    return f"v{raw >> 4}.{raw & 0x0F}"


def _firmware(raw: bytes) -> str:
    return "v" + ".".join(map(str, raw))


_STEREO: Final[Channels] = {
    **_LINES,
    "10 e4": _dwell(""),
    "1e e4": _dwell("child_"),
    "20 ce": _stored,
    "50 fc": _occlusion,
    "ff 01": row(field("ipso_version u8", convert=_protocol)),
    "ff 09": row(field("hardware_version hex2", convert=dotted)),
    "ff 1f": row(field("firmware_version hex4", convert=_firmware)),
}
MODELS: Final[dict[str, Channels]] = dict.fromkeys(("vs133", "vs135"), _STEREO)
