"""Dragino contacts, doors and leak sensors as tables. Source and shape: dragino.py."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar

from torhaus.codecs.layout.compact import Special, field, row
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

Length = tuple[int, int]
More = Callable[[bytes, Fields], None]
Port = tuple[Length, tuple[Step, ...], More | None]
T = TypeVar("T")

TRUE: Final = {0: "FALSE", 1: "TRUE"}
_OPEN: Final = {0: "CLOSE", 1: "OPEN"}
BANDS: Final = dict(
    enumerate(
        ("EU868", "US915", "IN865", "AU915", "KZ865", "RU864", "AS923", "AS923_1", "AS923_2", "AS923_3", "CN470",
         "EU433", "KR920", "MA869"), 1,
    )
)  # fmt: skip


def date(raw: int) -> str:
    """Seconds of the Unix epoch as date and time, UTC."""
    return datetime.fromtimestamp(raw, UTC).strftime("%Y-%m-%d %H:%M:%S")


def working_mode(data: bytes, modes: Mapping[int, T]) -> tuple[int, T]:
    """What the seventh byte says of what is wired to the device, and what belongs to it. Raises DecodeError."""
    mode = data[6] >> 2 & 0x1F
    if mode not in modes:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"working mode {mode}")
    return mode, modes[mode]


def _version(raw: int) -> str:
    return f"{raw >> 8 & 0x0F}.{raw >> 4 & 0x0F}.{raw & 0x0F}"


def battery(name: str) -> tuple[str | Special, ...]:
    """The first two bytes: 14 bits of battery voltage."""
    return (f"{name} u16 0:14 /1000 V",)


def info(model_id: int, model: str) -> Port:
    """What a device says of itself on FPort 5."""
    steps = row(
        field("sensor_model u8", {model_id: model}), field("firmware_version u16", convert=_version),
        field("frequency_band u8", dict(BANDS)), field("sub_band u8", {0xFF: "NULL"}), "bat u16 /1000 V",
    )  # fmt: skip
    return (7, 7), steps, None


def log(flags: Callable[[bytes], str]) -> Port:
    """Stored events of 11 bytes, as one text: [alarm,state,…],[…], and so on."""

    def more(data: bytes, fields: Fields) -> None:
        if len(data) % 11:
            raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes, not a whole number of entries")
        entries = (data[at : at + 11] for at in range(0, len(data), 11))
        fields["datalog"] = Value("".join(f"[{flags(e)},{date(int.from_bytes(e[7:11], 'big'))}]," for e in entries))

    return (11, 242), (), more


def _event(entry: bytes, words: tuple[str, str]) -> str:
    alarm = "TRUE" if entry[0] & 2 else "FALSE"
    return f"{alarm},{words[entry[0] & 1]},{int.from_bytes(entry[1:4], 'big')}"


def _door_event(entry: bytes) -> str:
    return f"{_event(entry, ('CLOSE', 'OPEN'))},{int.from_bytes(entry[4:7], 'big')}"


def _contact_event(entry: bytes) -> str:
    return f"{_event(entry, ('CLOSE', 'OPEN'))},{entry[0] >> 2},{int.from_bytes(entry[4:7], 'big')}"


_ALARM: Final = field("alarm u8 1:1", TRUE)
_SETTINGS: Final = ("tdc u24 s", "disalarm u8 0:1", "keep_status u8 0:1", "keep_time u16 s")
DOOR: Final[dict[int, Port]] = {
    2: (
        (11, 11),
        row(
            _ALARM, field("door_open_status = 0:1", _OPEN), "door_open_times u24",
            "last_door_open_duration u24 min", field("time u32", convert=date),
        ),
        None,
    ),
    3: log(_door_event),
    4: ((7, 11), row(*_SETTINGS), None),
    5: info(0x0A, "LDS03A"),
}  # fmt: skip
CONTACT: Final[dict[int, Port]] = {
    2: (
        (11, 11),
        row(
            _ALARM, field("pin_status = 0:1", {0: "CONNECT", 1: "DISCONNECT"}), "calculate_flag = 2:6",
            "total_pulse u24", "disconnect_duration u24 min", field("time u32", convert=date),
        ),
        None,
    ),
    3: log(_contact_event),
    4: ((8, 11), row(*_SETTINGS, "trigger_mode u8 0:1"), None),
    5: info(0x0E, "CPL01"),
}  # fmt: skip

_MODES: Final = {
    1: (row("door_open_status u8 7:1", "door_open_times u24 @3", "last_door_open_duration u24 min", "alarm u8 0:1")),
    2: (row("water_leak_status u8 6:1", "water_leak_times u24 @3", "last_water_leak_duration u24 min")),
    3: (row("door_open_status u8 7:1", "water_leak_status = 6:1", "alarm u8 @9 0:1")),
}


def _by_mode(data: bytes, fields: Fields) -> None:
    run(_MODES.get(data[2], ()), data, 0, fields)


LEAK: Final[dict[int, Port]] = {10: ((3, 11), row(*battery("bat_v"), "mod u8"), _by_mode)}
