"""One data record: DIF, DIFEs, VIF, VIFEs, data. After EN 13757-3:2018, clauses on DIB and VIB."""

from collections.abc import Iterator
from typing import Final

import msgspec

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.meter.mbus.profile import is_profile, profile
from torhaus.codecs.meter.mbus.values import BCD, LVAR, REAL, SIZES, bcd, integer, lvar, moment, raw_text, real, season
from torhaus.codecs.meter.mbus.vif import FB, FD, FD_FD, PRIMARY, Vif, reserved
from torhaus.codecs.meter.mbus.vife import Changed, apply
from torhaus.codecs.model import DecodeError, RejectReason, Scalar

MAX_EXTENSIONS: Final = 10
"""DIFEs, and VIFEs, of one record."""
FUNCTIONS: Final = ("", "max", "min", "error")

_IDLE: Final = 0x2F
_MANUFACTURER: Final = 0x0F
_MORE: Final = 0x1F
_FD: Final = 0xFD
_EXTENDED: Final[dict[int, dict[int, Vif]]] = {0xFB: FB, _FD: FD, 0xEF: {}}
"""The true code stands behind these; EF has none yet."""
_FILL: Final = 0xFF
_OWN: Final = "manufacturer_specific"


class Record(msgspec.Struct, frozen=True, gc=False):
    """One value. `function`: "", max, min or error. `value` None: the meter says that it has none, or it is invalid.

    `is_known` False: some code of it has no meaning in the standard, and stands in the name. `profile`: the values of a
    compact profile, whose bytes are `value`, as hex.
    """

    quantity: str
    value: Scalar
    unit: str | None = None
    function: str = ""
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    fault: str | None = None
    is_known: bool = True
    profile: tuple[Scalar, ...] = ()


class Rest(msgspec.Struct, frozen=True, gc=False):
    """What stands behind the records: the manufacturer's own bytes, and whether another telegram follows.

    `reason`: why they are none of the manufacturer's but a record that cannot be read, and all that follows it.
    """

    data: bytes
    more: bool
    reason: RejectReason | None = None


def records(data: bytes) -> Iterator[Record | Rest]:
    """The records of a variable data structure, in order.

    What cannot be read ends them and is the rest. Raises DecodeError SHORT, LONG, SYNTAX or UNSUPPORTED when there is
    no record before it.
    """
    cursor, is_first = Cursor(data), True
    while cursor.left:
        start = cursor.pos
        dif = cursor.u8()
        if dif == _IDLE:
            continue
        if dif in {_MANUFACTURER, _MORE}:
            yield Rest(cursor.rest(), dif == _MORE)
            return
        if dif == _FILL and set(data[cursor.pos :]) <= {_FILL}:
            return  # some meters fill up with FF, not with 2F
        try:
            record = _record(dif, cursor)
        except DecodeError as error:
            if is_first:
                raise
            yield Rest(data[start:], more=False, reason=error.reason)
            return
        yield record
        is_first = False


def _record(dif: int, cursor: Cursor) -> Record:
    if dif & 0x0F == 0x0F:
        raise DecodeError(RejectReason.SYNTAX, f"special function {dif:#04x} is reserved")
    storage, tariff, subunit = dif >> 6 & 1, 0, 0
    more, n = dif & 0x80, 0
    while more:
        if n == MAX_EXTENSIONS:
            raise DecodeError(RejectReason.LONG, f"more than {MAX_EXTENSIONS} DIFEs")
        dife = cursor.u8()
        storage |= (dife & 0x0F) << 1 + 4 * n
        tariff |= (dife >> 4 & 3) << 2 * n
        subunit |= (dife >> 6 & 1) << n
        more, n = dife & 0x80, n + 1
    vif, changes = vib(cursor)
    changed = apply(vif, changes)
    value = _value(dif & 0x0F, changed, cursor)
    is_row = dif & 0x0F == LVAR and is_profile(changed.quantity)
    row = _profile(value, changed) if is_row and isinstance(value, str) else ()
    name, unit = changed.quantity, changed.unit
    return Record(
        name, value, unit if value is None or row or not isinstance(value, str) else None,
        FUNCTIONS[dif >> 4 & 3], storage, tariff, subunit, changed.fault, changed.is_known, row,
    )  # fmt: skip


def _profile(raw: str, vif: Changed) -> tuple[Scalar, ...]:
    values = profile(bytes.fromhex(raw)) or ()
    return tuple(None if value is None else vif.scaled(value) for value in values)


def vib(cursor: Cursor) -> tuple[Vif, list[int]]:
    """The value's meaning and the VIFEs that change it."""
    code = cursor.u8()
    more, low, length = code & 0x80, code & 0x7F, None
    if low == 0x7C:
        length = cursor.u8()
        name = "".join(c if c.isascii() and c.isalnum() else "_" for c in cursor.take(length)[::-1].decode("latin-1"))
        vif = Vif("text_" + (name.strip("_").lower() or "unnamed"))
    elif code in _EXTENDED:
        where, table = f"{code:02x}", _EXTENDED[code]
        ext = cursor.u8()
        if code == _FD and ext == _FD:
            where, table, ext = "fdfd", FD_FD, cursor.u8()
        more = ext & 0x80
        vif = table.get(ext & 0x7F) or reserved(f"{where}{ext & 0x7F:02x}")
    else:
        vif = PRIMARY.get(low) or reserved(f"{low:02x}")
    changes: list[int] = []
    while more:
        if len(changes) == MAX_EXTENSIONS:
            raise DecodeError(RejectReason.LONG, f"more than {MAX_EXTENSIONS} VIFEs")
        vife = cursor.u8()
        changes.append(vife & 0x7F)
        more = vife & 0x80
    return vif, changes


def _value(kind: int, vif: Changed, cursor: Cursor) -> Scalar:
    if kind in {0, 8}:
        return None
    if kind == LVAR:
        start = cursor.pos + 1
        own = vif.quantity.startswith(_OWN)
        found = raw_text(cursor) if is_profile(vif.quantity) else lvar(cursor, is_text=not own)
        if vif.kind in {"date", "season"} and isinstance(found, int):  # type M and others: as hex
            return cursor.data[start : cursor.pos][::-1].hex()
        return found if found is None or isinstance(found, str) else vif.scaled(found)
    raw = cursor.take(SIZES[kind])
    if kind == REAL:
        number: float | None = real(raw)
    elif kind in BCD:
        number = bcd(raw)
    elif vif.kind == "date":
        return moment(raw)
    elif vif.kind == "season":
        return season(raw)
    else:
        number = integer(raw, is_signed=vif.kind != "bits")
    return None if number is None else vif.scaled(number)
