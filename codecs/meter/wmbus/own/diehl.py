"""Meters of Diehl (Hydrometer, IZAR, Sappel): PRIOS, data under a stream of bits, and an address in another order.

As wmbusmeters knows them (its notes on Diehl's frames). Behind L and C of the frame:

    PRIOS       MM VV TT AAAA  A0…A7 alarms(3) xx 4B volume(4) [volume of the due date(4) date(2)] …
    SAP         MM AAAA ssss   the same; the eight bytes also say what is printed on the meter
    real data   MM VV TT AAAA  7A ACC ST CF CF records        bit 12 of CF CF is set

All behind the fifth byte from CI on is added to the output of a shift register of 32 bits, whose start is the key, the
eight bytes of the address and the first four from CI on. The keys are the maker's, the same in all meters: this hides
nothing and proves nothing. PRIOS begins with 4B, real data have a sum that CF CF tells.
"""

from collections.abc import Iterator
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.meter.mbus.record import Record, Rest, records
from torhaus.codecs.meter.mbus.values import moment
from torhaus.codecs.meter.mbus.words import manufacturer
from torhaus.codecs.model import DecodeError, RejectReason

MAKERS: Final = frozenset({"DME", "EWT", "HYD", "SAP", "SPL"})
KEYS: Final = (0x39BC8A10 ^ 0xE66D83F8, 0x51728910 ^ 0xE66D83F8)
PRIOS: Final = range(0xA0, 0xA8)

_SAP: Final = "SAP"
_SWAPPED: Final = frozenset({0x71, 0xB1, 0xB2, 0xB3})
_SHORT_HEADER: Final = 0x7A
_SCRAMBLED: Final = 0x10
"""Of the security mode."""
_WATER: Final = 7
_HEAD: Final = 5
_MARK: Final = 0x4B
_ALARMS: Final = {
    7: "leakage", 5: "blocked", 15: "backflow", 14: "underflow", 13: "overflow", 12: "submerged", 11: "sensor_fraud",
    9: "mechanical_fraud",
}  # fmt: skip
_PREVIOUS: Final = {6: "leakage", 10: "sensor_fraud", 8: "mechanical_fraud"}
"""Bits of the second and third byte of the alarms."""
_GENERAL: Final = 0x80
_DATED: Final = 11
MOST_LITRES: Final = 10**9
"""A meter in a house does not live to count more."""


def is_prios(maker: str, ci: int) -> bool:
    """Whether a telegram of this maker with this CI is PRIOS."""
    return maker in MAKERS and ci in PRIOS


def is_real_data(maker: str, body: bytes) -> bool:
    """Whether the records of a telegram are under the stream. `body`: from CI on."""
    return maker in MAKERS and len(body) >= _HEAD and body[0] == _SHORT_HEADER and bool(body[4] & _SCRAMBLED)


def in_order(address: bytes, body: bytes) -> bytes:
    """The eight bytes of the link layer in the standard's order, whosever they are. `body`: from CI on."""
    maker, ci = manufacturer(int.from_bytes(address[:2], "little")), body[0] if body else 0
    if maker not in MAKERS:
        return address
    if is_prios(maker, ci) and maker == _SAP:
        return address[:6] + bytes((0, _WATER))
    if is_prios(maker, ci) or ci in _SWAPPED or is_real_data(maker, body):
        return address[:2] + address[4:] + address[2:4]
    return address


def stream(address: bytes, body: bytes, key: int) -> bytes:
    """What stands behind the fifth byte of the body, in clear, or in the form in which it is sent."""
    state = key
    for part in (address[:4], address[4:8], body[:4]):
        state ^= int.from_bytes(part, "big")
    out = bytearray()
    for octet in body[_HEAD:]:
        for _ in range(8):
            bit = (state >> 1 ^ state >> 2 ^ state >> 11 ^ state >> 31) & 1
            state = (state << 1 | bit) & 0xFFFFFFFF
        out.append(octet ^ state & 0xFF)
    return bytes(out)


def real_data(address: bytes, body: bytes) -> bytes:
    """The records of a telegram, whose sum is told. Raises DecodeError KEY."""
    wanted = body[4] & 0xEF
    for clear in (*(stream(address, body, key) for key in KEYS), body[_HEAD:]):  # somebody between may have read it
        if sum(clear) & 0xEF == wanted and _is_whole(clear):
            return clear
    raise DecodeError(RejectReason.KEY, "the maker's keys do not open it, and others cannot be given")


def _is_whole(data: bytes) -> bool:
    """Whether all of it are records: the sum of another key's garbage may fit by chance."""
    try:
        found = list(records(data))
    except DecodeError:
        return False
    return bool(found) and not any(isinstance(one, Rest) and one.reason is not None for one in found)


def prios(address: bytes, body: bytes) -> Iterator[Record]:
    """What a PRIOS telegram says. `address`: as it is sent. Raises DecodeError KEY or SHORT."""
    found = next((clear for key in KEYS if _is_sound(clear := stream(address, body, key))), None)
    if found is None:
        raise DecodeError(RejectReason.KEY, "the maker's keys do not open it, and others cannot be given")
    head, cursor = Cursor(body[1:_HEAD]), Cursor(found[1:])
    first, alarms = head.u8(), head.ule(2)
    yield Record("volume", cursor.ule(4) / 1000, "m3")
    if cursor.left >= 6:
        yield Record("volume", cursor.ule(4) / 1000, "m3", storage=1)
        yield Record("date", moment(cursor.take(2)), storage=1)
    yield Record("battery_remaining", (alarms & 0x1F) / 2, "a")
    yield Record("transmission_period", 1 << (first & 0x0F) + 2, "s")
    yield Record("alarms", ",".join(words) if (words := _words(first, alarms)) else "ok")
    yield Record("previous_alarms", ",".join(w for bit, w in _PREVIOUS.items() if alarms >> bit & 1) or "ok")
    if manufacturer(int.from_bytes(address[:2], "little")) == _SAP:
        yield Record("fabrication_number", _printed(address[2:]))


def _is_sound(clear: bytes) -> bool:
    """Whether it begins with the mark, and what follows can be: the mark alone fits one garbage in 256."""
    litres = [int.from_bytes(clear[at : at + 4], "little") for at in (1, 5)]
    is_dated = len(clear) < _DATED or not any(clear[5:_DATED]) or moment(clear[9:_DATED]) is not None
    return clear[:1] == bytes((_MARK,)) and max(litres) < MOST_LITRES and is_dated


def _words(first: int, alarms: int) -> list[str]:
    words = [word for bit, word in _ALARMS.items() if alarms >> bit & 1]
    return ["general", *words] if first & _GENERAL else words


def _printed(raw: bytes) -> str:
    """What stands on a meter of Sappel: a letter, the year, two letters, the number."""
    number = f"{int.from_bytes(raw[:4], 'little') & 0x3FFFFFF:08}"
    high = int.from_bytes(raw[3:6], "little") >> 5  # three letters of five bits each, behind two of the number's bits
    letters = [chr(0x40 + (high >> shift & 0x1F)) for shift in (10, 5, 0)]
    return f"{letters[0]}{number[:2]}{letters[1]}{letters[2]}{number[2:]}"
