"""Meters of Apator: water, gas, heat cost allocators. As wmbusmeters knows them.

Numbers have their least significant byte first.

08, 172    A0 volume(4) …                       in thirds of a litre (08) or of a cubic metre (172)
162        DIF 0F, state(7), then codes, each with data of a fixed length: 10 volume(4) in litres; FF fills up
NA-1       A0 or A1, counter, flags, 16 bytes under the meter's key (AES-128-CBC, the address and the counter eight
           times as the start): 2F volume(4) time(4) hours since(2) volume since(3) flags now, flags then
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.lorawan.aes import check_key
from torhaus.codecs.meter.mbus.record import Record
from torhaus.codecs.model import DecodeError, RejectReason

APT: Final = frozenset({"APT", "0x8614"})
"""The second is how these meters send the first: with the bit that says that a number need not be unique."""
MAKERS: Final = APT | {"APA", "0x8601"}
THIRDS: Final = {(0x03, 0x03): 3000, (0x0F, 0x0F): 3000, (0x04, 0x11): 3}
"""By version and medium, how many of what they count are a cubic metre."""
APA: Final = "APA"
NA_1: Final = (0x14, 0x07)
A_162: Final = frozenset({(0x05, 0x06), (0x05, 0x07)})
E_ITN: Final = (0x04, 0x08)
E_ITN_CI: Final = frozenset({0xA0, 0xB6})
SEALED: Final = 16

_IDLE: Final = b"\x2f"
_DIRECT: Final = 0xA0
_VOLUME: Final = 0x10
_HISTORY: Final = range(0x71, 0x7D)
_SIZES: Final = {
    0x00: 4, 0x01: 3, _VOLUME: 4, 0x11: 2, 0x40: 6, 0x41: 2, 0x42: 4, 0x43: 2, 0x44: 3,
    **{code: 1 + 4 * (code - 0x6F) for code in _HISTORY},
    **dict.fromkeys((0x80, 0x81, 0x82, 0x83, 0x84, 0x86, 0x87), 10), **dict.fromkeys((0x85, 0x88, 0x8F), 11),
    0x8A: 9, 0x8B: 6, 0x8C: 6, 0x8E: 7,
    **dict.fromkeys((0xA7, 0xA8, 0xAA, 0xAB, 0xAC, 0xAD), 2), 0xA0: 4, 0xA1: 4, 0xA2: 1, 0xA3: 7, 0xA4: 4, 0xA5: 1,
    0xA6: 3, 0xA9: 1, 0xAF: 1, 0xB0: 5, 0xB1: 8, 0xB2: 16, 0xB3: 8, 0xB4: 2, 0xB5: 16,
    **dict.fromkeys(range(0xB6, 0xC8), 3), 0xD0: 3, 0xD3: 3, 0xF0: 4,
}  # fmt: skip
"""Bytes behind each code of the 162."""
_FRAME_FLAGS: Final = (
    "summer_time", "historical_indication", "max_speed_exceeded", "device_access_error", "two_way_blocked",
    "installing", "wrong_temperature", "service_event",
)  # fmt: skip
_FLAGS: Final = (
    "battery_low", "magnetic_field", "disconnected", "leak", "unchanged", "reverse_flow", "maximum_flow",
    "minimum_flow",
)  # fmt: skip
_BEGIN: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - the meter's clock is local time


def thirds(data: bytes, parts: int) -> Iterator[Record]:
    """The only number that is known. Raises DecodeError SHORT."""
    yield Record("volume", round(Cursor(data).ule(4) / parts, 6), "m3")


def codes(data: bytes) -> Iterator[Record]:
    """The volume among the codes of a 162; none where a code before it has no known length."""
    at = 7
    while at < len(data):
        code = data[at]
        if code == _VOLUME and at + 5 <= len(data):
            yield Record("volume", int.from_bytes(data[at + 1 : at + 5], "little") / 1000, "m3")
            return
        if code not in _SIZES:
            return
        at += 1 + _SIZES[code]


def na_1(address: bytes, data: bytes, key: bytes | None) -> Iterator[Record]:
    """`address`: the link layer's eight bytes. Raises DecodeError KEY or SHORT."""
    cursor = Cursor(data)
    counter, flags, sealed = cursor.u8(), cursor.u8(), cursor.take(SEALED)
    if key is None:
        raise DecodeError(RejectReason.KEY, "the telegram is encrypted, and there is no key for this meter")
    vector = address + bytes((counter,)) * 8
    clear = Cipher(algorithms.AES(check_key(key, "the meter's key")), modes.CBC(vector)).decryptor().update(sealed)
    if not clear.startswith(_IDLE):
        raise DecodeError(RejectReason.KEY, "the key is not that of this meter")
    yield from _na_1(Cursor(clear[1:]), flags)


def e_itn(body: bytes) -> Iterator[Record]:
    """`body`: from CI on. Raises DecodeError SHORT or SYNTAX."""
    cursor = Cursor(body)
    if cursor.u8() != _DIRECT:
        cursor.take(cursor.u8())
        if cursor.u8() != _DIRECT:
            raise DecodeError(RejectReason.SYNTAX, "no data behind what stands before them")
    season = _day(_DIRECT << 8 | cursor.u8())
    cursor.take(2)
    before, broken, units, today, mean_before, mean = (cursor.ule(2) for _ in range(6))
    yield Record("heat_cost_allocator", units)
    yield Record("heat_cost_allocator", before, storage=1)
    yield Record("date", _day(today))
    yield Record("season_start_date", season)
    yield Record("seal_broken_date", _day(broken))
    yield Record("external_temperature_average", mean / 256, "Cel")
    yield Record("external_temperature_average", mean_before / 256, "Cel", storage=1)


def _day(raw: int) -> str | None:
    """Five bits of the year, four of the month, five of the day; None for none."""
    try:
        return date(2000 + (raw >> 9 & 0x1F), raw >> 5 & 0x0F, raw & 0x1F).isoformat()
    except ValueError:
        return None


def _na_1(cursor: Cursor, frame_flags: int) -> Iterator[Record]:
    packed = cursor.ule(4)
    litres = 10 ** (packed >> 4 & 3)
    volume = (packed >> 8 << 4 | packed & 0x0F) * litres
    now = _BEGIN + timedelta(seconds=cursor.ule(4))
    low, high = cursor.u8(), cursor.u8()
    since = (cursor.ule(3) << 2 | high & 3) * litres
    hours = (high >> 2) << 8 | low
    if since > volume:
        raise DecodeError(RejectReason.KEY, "the key is not that of this meter")
    yield Record("volume", volume / 1000, "m3")
    yield Record("time", now.isoformat())
    yield Record("volume", (volume - since) / 1000, "m3", storage=1)
    yield Record("time", (now - timedelta(hours=hours)).isoformat(), storage=1)
    yield Record("age", hours * 3600, "s", storage=1)
    yield Record("frame_flags", _words(frame_flags, _FRAME_FLAGS))
    yield Record("alarms", _words(cursor.u8(), _FLAGS))
    yield Record("alarms", _words(cursor.u8(), _FLAGS), storage=1)


def _words(flags: int, names: tuple[str, ...]) -> str:
    return ",".join(name for bit, name in enumerate(names) if flags >> bit & 1) or "ok"
