"""Comtac KLAX: reads an electricity meter through its optical port (SML, IEC 62056-21) or Modbus.

Sources: the manufacturer's decoder for The Things Network (2020), versions 0 and 1 of the payload; the payloads with
values in the tests of ZENNER's element-parsers (MIT).

    FPort 3    version, kind | battery, way of reading | message | part | part …
    FPort 100  … | interval     FPort 101  … | version     FPort 103, 104  … | registers (OBIS)     FPort 105  Modbus

    part       1: a register's last values   2: all registers now   3: server id   4 to 6: the same of Modbus, values of
               2, 4, 8 bytes   7: which Modbus registers can be read   8: Modbus device id

The newest value of register n is `register_<n>`, the ones before are `history_<k>_register_<n>`, one interval apart.
Which quantity a register has, was set in the device (FPort 104 tells); the payload has only the unit.
"""

from collections.abc import Callable, Sequence
from struct import unpack
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

MAX_PAYLOAD: Final = 255
_KINDS: Final = {0: "SML Klax", 1: "MODBUS Klax"}
_MODBUS: Final = 1
_METERS: Final = dict(
    enumerate(("SML", "IEC 62056-21 Mode B", "IEC 62056-21 Mode C", "Logarex", "eBZ", "Tritschler VC3"))
)
_MODES: Final = dict(enumerate(("MODBUS RTU", "MODBUS ASCII", "MODBUS RTU INTERDELAY")))
_PARITIES: Final = ("NONE", "ODD", "EVEN", "NONE SPECIAL")
_FUNCTIONS: Final = ("Read Coils", "Read Discrete Inputs", "Read Holding Registers", "Read Input Registers")
_UNITS: Final = dict(enumerate(("W.h", "W", "V", "A", "Hz", "var.h", "var", "V.A.h", "V.A"), 1))
_MODBUS_TYPES: Final = {
    0: ("DOUBLE", "d", 8), 1: ("INT16", "h", 2), 2: ("UINT16", "H", 2), 3: ("INT32", "i", 4), 4: ("UINT32", "I", 4),
    5: ("FLOAT", "f", 4),
}  # fmt: skip
_REGISTERS: Final = 4
Number = int | float


def decode(data: bytes, fport: int | None = None) -> Fields:
    """Fields of one uplink. Raises DecodeError SHORT, LONG, RANGE or UNKNOWN_TYPE."""
    if not 4 <= len(data) <= MAX_PAYLOAD:
        raise DecodeError(RejectReason.SHORT if len(data) < 4 else RejectReason.LONG, f"{len(data)} bytes")
    read = _PORTS.get(3 if fport is None else fport)
    if read is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport}")
    out: Fields = {}
    cursor = Cursor(data)
    version, kind = _header(cursor, out)
    read(cursor, out, version, kind)
    return out


def _header(cursor: Cursor, out: Fields) -> tuple[int, int]:
    first, second = cursor.u8(), cursor.u8()
    version, kind = first >> 2, first & 3
    if kind not in _KINDS:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"kind {kind} of device")
    battery, mode = ((second & 0x07) * 20, second >> 3 & 7) if version else ((second & 0x0F) * 10, second >> 4 & 3)
    names = _MODES if kind == _MODBUS else _METERS
    out["device_type"] = Value(_KINDS[kind])
    out["battery"] = Value(battery, "%")
    out["meter_type"] = Value(names.get(mode, "unknown"))
    out["configured"] = Value(bool(second & 0x40))
    out["connection_test"] = Value(bool(second & 0x80))
    return version, kind


def _app(cursor: Cursor, out: Fields, version: int, kind: int) -> None:
    del kind
    _message(cursor, out)
    while cursor.left:
        at = cursor.pos
        part = cursor.u8()
        read = _PARTS.get((part, bool(version))) or _PARTS.get((part, None))
        if read is None:  # how long it is, is not known either
            cursor.pos = at
            out["rest"] = Value(cursor.take(cursor.left).hex())
            return
        read(cursor, out)


def _message(cursor: Cursor, out: Fields) -> None:
    out["message_index"] = Value(cursor.u8())
    both = cursor.u8()
    out["message_count"] = Value(both & 0x0F)
    out["message_number"] = Value(both >> 4)


def _float(raw: bytes, letter: str) -> Number:
    (value,) = unpack(f">{letter}", raw)
    if value - value != 0:
        raise DecodeError(RejectReason.RANGE, "a floating point number that is none")
    number: Number = value
    return number


def _put(out: Fields, register: int, values: Sequence[Number | None], unit: str | None) -> None:
    """The newest first; None is no value. Names are numbered from 1, as on the device."""
    for n, value in enumerate(values):
        if value is not None:
            out[f"register_{register}" if n == 0 else f"history_{n - 1}_register_{register}"] = Value(value, unit)


def _historic(cursor: Cursor, out: Fields) -> None:
    """Two registers, four values each."""
    mask, units = cursor.u8(), cursor.u8()
    for shift in (0, 4):
        state = mask >> shift
        values = [_float(cursor.take(4), "i") for _ in range(4)]
        if not state & 1 or not (state & 8 or any(values)):
            continue
        if values[0]:  # before it there may be nothing yet
            while not values[-1]:
                values.pop()
        _put(out, (state >> 1 & 3) + 1, values, _UNITS.get(units >> shift & 0x0F))


def _filter(cursor: Cursor, out: Fields) -> None:
    """One register, four values, each with whether it is valid."""
    state, valid = cursor.u8(), cursor.u8()
    raw = [cursor.take(4) for _ in range(4)]
    if state & 1:
        values = [_float(part, "f") if valid & 1 << n else None for n, part in enumerate(raw)]
        _put(out, (state >> 1 & 3) + 1, values, _UNITS.get(state >> 4))


def _now(letter: str) -> Callable[[Cursor, Fields], None]:
    def read(cursor: Cursor, out: Fields) -> None:
        state, units = cursor.u8(), (cursor.u8(), cursor.u8())
        for n in range(_REGISTERS):
            raw = cursor.take(4)
            if state >> n & 0x11 == 0x11:  # set, and valid
                unit = _UNITS.get(units[n // 2] >> n % 2 * 4 & 0x0F)
                out[f"register_{n + 1}_now"] = Value(_float(raw, letter), unit)

    return read


def _server(cursor: Cursor, out: Fields) -> None:
    out["server_id"] = Value(cursor.take(10).hex())


def _modbus_filter(size: int) -> Callable[[Cursor, Fields], None]:
    def read(cursor: Cursor, out: Fields) -> None:
        state, valid = cursor.u8(), cursor.u8()
        raw = [cursor.take(size) for _ in range(4)]
        if state & 1:
            _, letter, wanted = _MODBUS_TYPES.get(state >> 4, ("", "", 0))
            if wanted != size:
                raise DecodeError(RejectReason.UNKNOWN_TYPE, f"type {state >> 4} of {size} bytes")
            values = [_float(part, letter) if valid & 1 << n else None for n, part in enumerate(raw)]
            _put(out, (state >> 1 & 3) + 1, values, None)

    return read


def _modbus_status(cursor: Cursor, out: Fields) -> None:
    state = cursor.u8()
    for n in range(_REGISTERS):
        out[f"register_{n + 1}_set"] = Value(bool(state & 1 << n))
        out[f"register_{n + 1}_valid"] = Value(bool(state & 0x10 << n))


def _device(cursor: Cursor, out: Fields) -> None:
    out["device_id"] = Value(cursor.ube(4))


def _config(cursor: Cursor, out: Fields, version: int, kind: int) -> None:
    del version, kind
    out["measure_interval"] = Value(cursor.ube(2), "min")


def _info(cursor: Cursor, out: Fields, version: int, kind: int) -> None:
    del version, kind
    out["app_version"] = Value(f"{cursor.u8()}.{cursor.u8()}")


def _obis(cursor: Cursor) -> str:
    return ".".join(str(part) for part in cursor.take(3))


def _search(cursor: Cursor, out: Fields, version: int, kind: int) -> None:
    """Registers that the meter has."""
    del version, kind
    _message(cursor, out)
    for n in range(cursor.left // 3):
        out[f"found_{n}_obis"] = Value(_obis(cursor))


def _set(cursor: Cursor, out: Fields, version: int, kind: int) -> None:
    del version, kind
    active = cursor.u8()
    for n in range(_REGISTERS):
        out[f"register_{n + 1}_obis"] = Value(_obis(cursor))
        out[f"register_{n + 1}_active"] = Value(bool(active & 1 << n))


def _modbus_set(cursor: Cursor, out: Fields, version: int, kind: int) -> None:
    del version
    if kind != _MODBUS:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, "Modbus settings of a KLAX that reads SML")
    out["modbus_address"] = Value(cursor.u8())
    out["modbus_baud"] = Value(cursor.ube(2))
    line, timing, write = cursor.u8(), cursor.u8(), cursor.u8()
    out["modbus_mode"] = Value(_MODES.get(line & 3, "unknown"))
    out["modbus_parity"] = Value(_PARITIES[line >> 4 & 3])
    out["modbus_read_retries"] = Value(timing & 0x0F)
    out["modbus_read_timeout"] = Value((timing >> 4) * 100, "ms")
    out["modbus_write_before_read"] = Value(bool(write & 1))
    out["modbus_wait_before_read"] = Value((write >> 4) * 100, "ms")
    out["modbus_write_address"] = Value(cursor.ube(2))
    out["modbus_write_data"] = Value(cursor.ube(2))
    active = cursor.u8()
    for n in range(1, _REGISTERS + 1):
        address, how = cursor.ube(2), cursor.u8()
        out[f"register_{n}_address"] = Value(address)
        out[f"register_{n}_function"] = Value(_FUNCTIONS[how & 3])
        out[f"register_{n}_type"] = Value(_MODBUS_TYPES.get(how >> 4, ("unknown", "", 0))[0])
        out[f"register_{n}_active"] = Value(bool(active & 1 << n - 1))


_PARTS: Final[dict[tuple[int, bool | None], Callable[[Cursor, Fields], None]]] = {
    (1, False): _historic,
    (1, True): _filter,
    (2, False): _now("i"),
    (2, True): _now("f"),
    (3, None): _server,
    **{(part, None): _modbus_filter(size) for part, size in ((4, 2), (5, 4), (6, 8))},
    (7, None): _modbus_status,
    (8, None): _device,
}
"""By number, and whether the payload's version is above 0, where that matters."""
_PORTS: Final[dict[int, Callable[[Cursor, Fields, int, int], None]]] = {
    3: _app, 100: _config, 101: _info, 103: _search, 104: _set, 105: _modbus_set,
}  # fmt: skip
