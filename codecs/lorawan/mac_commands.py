"""MAC commands: what is in FOpts, and in FRMPayload when FPort is 0.

LoRaWAN 1.0.3 section 5, TS001-1.0.4 sections 5 and 14 (class B), LoRaWAN 1.1 section 5. One table: a command's
payload, read as one little-endian number, is a row of bit fields. Reserved bits are 0 when sent and ignored when read.
"""

from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, RejectReason


class Field(msgspec.Struct, frozen=True, gc=False):
    """Some bits of a payload. The value is the number in them times `scale`; frequencies are in Hz, steps of 100."""

    name: str
    low: int
    width: int
    signed: bool = False
    scale: int = 1


class Command(msgspec.Struct, frozen=True, gc=False):
    """One kind of command in one direction; `size` is its payload without the CID, in bytes."""

    cid: int
    name: str
    uplink: bool
    size: int
    fields: tuple[Field, ...] = ()


class MacCommand(msgspec.Struct, frozen=True, gc=False):
    """One command that was read: values by field name, flags as 0 and 1."""

    cid: int
    name: str
    uplink: bool
    values: dict[str, int]


def _freq(low: int) -> Field:
    return Field("freq_hz", low, 24, scale=100)


def _flags(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, bit, 1) for bit, name in enumerate(names))


_UP, _DOWN = True, False
_MINOR: Final = (Field("minor", 0, 4),)  # of the LoRaWAN version, 1.x

COMMANDS: Final = (
    Command(0x01, "ResetInd", _UP, 1, _MINOR),
    Command(0x01, "ResetConf", _DOWN, 1, _MINOR),
    Command(0x02, "LinkCheckReq", _UP, 0),
    Command(0x02, "LinkCheckAns", _DOWN, 2, (Field("margin_db", 0, 8), Field("gw_cnt", 8, 8))),
    Command(
        0x03,
        "LinkADRReq",
        _DOWN,
        4,
        (
            Field("tx_power", 0, 4),
            Field("data_rate", 4, 4),
            Field("ch_mask", 8, 16),
            Field("nb_trans", 24, 4),
            Field("ch_mask_cntl", 28, 3),
        ),
    ),
    Command(0x03, "LinkADRAns", _UP, 1, _flags("channel_mask_ack", "data_rate_ack", "power_ack")),
    Command(0x04, "DutyCycleReq", _DOWN, 1, (Field("max_duty_cycle", 0, 4),)),
    Command(0x04, "DutyCycleAns", _UP, 0),
    Command(0x05, "RXParamSetupReq", _DOWN, 4, (Field("rx2_data_rate", 0, 4), Field("rx1_dr_offset", 4, 3), _freq(8))),
    Command(0x05, "RXParamSetupAns", _UP, 1, _flags("channel_ack", "rx2_data_rate_ack", "rx1_dr_offset_ack")),
    Command(0x06, "DevStatusReq", _DOWN, 0),
    Command(0x06, "DevStatusAns", _UP, 2, (Field("battery", 0, 8), Field("margin_db", 8, 6, signed=True))),
    Command(
        0x07,
        "NewChannelReq",
        _DOWN,
        5,
        (Field("ch_index", 0, 8), _freq(8), Field("min_dr", 32, 4), Field("max_dr", 36, 4)),
    ),
    Command(0x07, "NewChannelAns", _UP, 1, _flags("channel_frequency_ok", "data_rate_range_ok")),
    Command(0x08, "RXTimingSetupReq", _DOWN, 1, (Field("delay_s", 0, 4),)),
    Command(0x08, "RXTimingSetupAns", _UP, 0),
    Command(
        0x09,
        "TxParamSetupReq",
        _DOWN,
        1,
        (Field("max_eirp", 0, 4), Field("uplink_dwell_time", 4, 1), Field("downlink_dwell_time", 5, 1)),
    ),
    Command(0x09, "TxParamSetupAns", _UP, 0),
    Command(0x0A, "DlChannelReq", _DOWN, 4, (Field("ch_index", 0, 8), _freq(8))),
    Command(0x0A, "DlChannelAns", _UP, 1, _flags("channel_frequency_ok", "uplink_frequency_exists")),
    Command(0x0B, "RekeyInd", _UP, 1, _MINOR),
    Command(0x0B, "RekeyConf", _DOWN, 1, _MINOR),
    Command(0x0C, "ADRParamSetupReq", _DOWN, 1, (Field("delay_exp", 0, 4), Field("limit_exp", 4, 4))),
    Command(0x0C, "ADRParamSetupAns", _UP, 0),
    Command(0x0D, "DeviceTimeReq", _UP, 0),
    Command(0x0D, "DeviceTimeAns", _DOWN, 5, (Field("gps_s", 0, 32), Field("fraction_256", 32, 8))),
    Command(
        0x0E,
        "ForceRejoinReq",
        _DOWN,
        2,
        (Field("data_rate", 0, 4), Field("rejoin_type", 4, 3), Field("max_retries", 8, 3), Field("period", 11, 3)),
    ),
    Command(0x0F, "RejoinParamSetupReq", _DOWN, 1, (Field("max_count_n", 0, 4), Field("max_time_n", 4, 4))),
    Command(0x0F, "RejoinParamSetupAns", _UP, 1, _flags("time_ok")),
    Command(0x10, "PingSlotInfoReq", _UP, 1, (Field("periodicity", 0, 3),)),
    Command(0x10, "PingSlotInfoAns", _DOWN, 0),
    Command(0x11, "PingSlotChannelReq", _DOWN, 4, (_freq(0), Field("data_rate", 24, 4))),
    Command(0x11, "PingSlotChannelAns", _UP, 1, _flags("channel_frequency_ok", "data_rate_ok")),
    Command(0x12, "BeaconTimingReq", _UP, 0),
    Command(0x12, "BeaconTimingAns", _DOWN, 3, (Field("delay", 0, 16), Field("channel", 16, 8))),
    Command(0x13, "BeaconFreqReq", _DOWN, 3, (_freq(0),)),
    Command(0x13, "BeaconFreqAns", _UP, 1, _flags("beacon_frequency_ok")),
    Command(0x20, "DeviceModeInd", _UP, 1, (Field("device_class", 0, 8),)),
    Command(0x20, "DeviceModeConf", _DOWN, 1, (Field("device_class", 0, 8),)),
)
"""Every command of LoRaWAN 1.0 to 1.0.4 and 1.1; CIDs from 0x80 are proprietary."""

_BY_CID: Final = {(c.cid, c.uplink): c for c in COMMANDS}
_BY_NAME: Final = {c.name: c for c in COMMANDS}


def decode(data: bytes, *, uplink: bool) -> tuple[list[MacCommand], bytes]:
    """The commands, and what could not be read: it begins with a CID that is unknown here or a command cut short.

    An unknown command's length is unknown, too, so nothing behind it can be read. Never raises.
    """
    found: list[MacCommand] = []
    at, size = 0, len(data)
    while at < size:
        command = _BY_CID.get((data[at], uplink))
        if command is None or at + 1 + command.size > size:
            return found, data[at:]
        at += 1
        number = int.from_bytes(data[at : at + command.size], "little")
        at += command.size
        values = {f.name: _read(f, number) for f in command.fields}
        found.append(MacCommand(command.cid, command.name, uplink, values))
    return found, b""


def encode(name: str, **values: int) -> bytes:
    """One command, CID first. Each of its fields must be given.

    Raises DecodeError: UNKNOWN_TYPE for a name, SYNTAX for a field too many or too few, RANGE for a value that does
    not fit.
    """
    command = _BY_NAME.get(name)
    if command is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"no MAC command {name[:30]}")
    if values.keys() != {f.name for f in command.fields}:
        raise DecodeError(RejectReason.SYNTAX, f"{name} has {', '.join(f.name for f in command.fields) or 'no fields'}")
    number = 0
    for field in command.fields:
        number |= _bits(field, values[field.name]) << field.low
    return bytes((command.cid,)) + number.to_bytes(command.size, "little")


def reason_for(rest: bytes, *, uplink: bool) -> str:
    """Why `decode` stopped at `rest`, in words."""
    command = _BY_CID.get((rest[0], uplink)) if rest else None
    if command is not None:
        return f"{command.name} has {command.size} bytes, {len(rest) - 1} are there"
    if rest and rest[0] >= 0x80:
        return f"proprietary command 0x{rest[0]:02x}"
    if rest and (rest[0], not uplink) in _BY_CID:
        name = _BY_CID[rest[0], not uplink].name
        return f"command 0x{rest[0]:02x} is none in this direction ({name} goes the other way)"
    return f"unknown command 0x{rest[0]:02x}" if rest else "nothing"


def _read(field: Field, number: int) -> int:
    value = number >> field.low & (1 << field.width) - 1
    if field.signed and value >> field.width - 1:
        value -= 1 << field.width
    return value * field.scale


def _bits(field: Field, value: int) -> int:
    low, high = (-(1 << field.width - 1), (1 << field.width - 1) - 1) if field.signed else (0, (1 << field.width) - 1)
    number, rest = divmod(value, field.scale)
    if rest or not low <= number <= high:
        step = f" in steps of {field.scale}" if field.scale > 1 else ""
        limits = f"{low * field.scale} to {high * field.scale}{step}"
        raise DecodeError(RejectReason.RANGE, f"{field.name} is {value}, must be {limits}")
    return number & (1 << field.width) - 1
