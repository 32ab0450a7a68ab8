"""Compact frames: values without their meaning, which an earlier full frame of the meter gave.

After EN 13757-3:2018, annex on compact M-Bus frames.

    compact   signature, 2 | CRC of the full frame, 2 | values one behind the other
    format    n | signature, 2 | DIF, VIF and their extensions, one record behind the other

The signature is the CRC over all DIFs, VIFs and their extensions (and texts of plain-text VIFs).
"""

from collections import OrderedDict
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.framing.wmbus import crc16
from torhaus.codecs.meter.mbus.record import MAX_EXTENSIONS, vib
from torhaus.codecs.meter.mbus.values import LVAR, SIZES
from torhaus.codecs.model import DecodeError, RejectReason

MAX_FORMATS: Final = 8
"""Remembered for one meter, the latest: one each for what it sends in turn."""
MAX_BYTES: Final = 256

_IDLE: Final = 0x2F
_WELL_KNOWN: Final = (
    "02f9ff15040604eeff0704eeff0804148440148480401402fd17026c426c44064414c44014c4804014043b0259025d",
    "02ff2004134413",
    "02ff2004134413426c523b615b616751678101e7ff0f06ff1b",
    "02ff2004134413615b5167",
    "02ff2004134413615b6167",
    "02ff2004134413a1015b8101e7ff0f",
    "02ff200413523b",
    "02ff20041392013ba1015b8101e7ff0f",
    "030643060314426c022d01ff21",
    "030e430e0313426c022d01ff21",
    "040404843c042b04ab3c",
    "040504fb827504853c04fb82f53c01fd17",
    "0406041404ff0704ff080259025d023b02ff22026c44064414426c",
    "040604ff0704ff080414043b0259025d04ff22026c44064414426c",
    "040f04ff0704ff08041484401484804014043b0259025d142d84100f84200f04ff22026c440f4414c44014c4804014426c",
    "04ff2304134413426c023b92013ba2013b06ff1ba1015b91015ba10167",
    "04ff234413523b06ff1b426c61675167023b04138101e7ff0f",
    "22691269026905ff0905ff0a02fd17",
    "426c441301fd17840113c40113840213c40213840313c40313840413c40413840513c40513840613c40613840713c40713840813046d0413",
)
"""Formats of Kamstrup, Carlo Gavazzi (EM24) and Engelmann, whose meters send a full frame only now and then.

As wmbusmeters knows them; each is proved by its signature.
"""


class Formats:
    """Formats by signature, the latest. Belongs to whoever decodes the telegrams of one meter, or of several."""

    def __init__(self, max_formats: int = MAX_FORMATS) -> None:
        self._max = max_formats
        self._by_signature: OrderedDict[int, bytes] = OrderedDict()

    def learn(self, heads: bytes) -> None:
        """Remember the DIFs and VIFs of a full frame."""
        if heads and len(heads) <= MAX_BYTES:
            signature = crc16(heads)
            self._by_signature[signature] = heads
            self._by_signature.move_to_end(signature)
            if len(self._by_signature) > self._max:
                self._by_signature.popitem(last=False)

    def find(self, signature: int) -> bytes | None:
        """The format of this signature, if it is known."""
        return self._by_signature.get(signature) or KNOWN.get(signature)


KNOWN: Final = {crc16(heads): heads for heads in map(bytes.fromhex, _WELL_KNOWN)}


def heads_of(data: bytes) -> bytes:
    """DIFs, VIFs and their extensions of a full frame's records. Raises DecodeError."""
    out = bytearray()
    cursor = Cursor(data)
    while cursor.left:
        if data[cursor.pos] == _IDLE:
            cursor.u8()
        elif data[cursor.pos] & 0x0F == 0x0F:
            break
        else:
            head, size = _head(cursor)
            cursor.take(_size(cursor) if size is None else size)
            out += head
    return bytes(out)


def full_frame(data: bytes, formats: Formats) -> bytes:
    """The records of a compact frame. Raises DecodeError SHORT, CRC, or UNSUPPORTED while its format is not known."""
    cursor = Cursor(data)
    signature, crc = cursor.ule(2), cursor.ule(2)
    heads = formats.find(signature)
    if heads is None:
        text = f"a compact frame of the format {signature:04x}, of which no full frame was heard yet"
        raise DecodeError(RejectReason.UNSUPPORTED, text)
    plan, out = Cursor(heads), bytearray()
    while plan.left:
        head, size = _head(plan)
        out += head
        if size is None:
            at = cursor.pos
            size = _size(cursor)
            out += data[at : cursor.pos]
        out += cursor.take(size)
    rest = cursor.rest()
    for whole in (bytes(out), bytes(out) + rest):
        if crc16(whole) == crc:
            return bytes(out) + rest
    raise DecodeError(RejectReason.CRC, "checksum of the full frame does not match")


def learn_format(data: bytes, formats: Formats) -> None:
    """Remember a format frame. Raises DecodeError SHORT, SYNTAX or CRC."""
    cursor = Cursor(data)
    inner = Cursor(cursor.take(cursor.u8()))
    signature, heads = inner.ule(2), inner.rest()
    if crc16(heads) != signature:
        raise DecodeError(RejectReason.CRC, "signature of the format frame does not match")
    plan = Cursor(heads)
    while plan.left:
        _head(plan)
    formats.learn(heads)


def _head(cursor: Cursor) -> tuple[bytes, int | None]:
    """DIF to last VIFE, and the size of the data; None where the data say it. Raises DecodeError."""
    at = cursor.pos
    dif = cursor.u8()
    if dif & 0x0F == 0x0F:
        raise DecodeError(RejectReason.SYNTAX, f"special function {dif:#04x} in a format")
    more, n = dif & 0x80, 0
    while more:
        if n == MAX_EXTENSIONS:
            raise DecodeError(RejectReason.LONG, f"more than {MAX_EXTENSIONS} DIFEs")
        more, n = cursor.u8() & 0x80, n + 1
    vib(cursor)
    kind = dif & 0x0F
    return cursor.data[at : cursor.pos], None if kind == LVAR else SIZES.get(kind, 0)


def _size(cursor: Cursor) -> int:
    """Bytes of data of variable length, whose first byte is read. Raises DecodeError."""
    code = cursor.u8()
    if code <= 0xBF:
        return code
    if code <= 0xC9 or 0xD0 <= code <= 0xD9 or 0xE0 <= code <= 0xEF:
        return code & 0x0F
    if 0xF0 <= code <= 0xF4:
        return 4 * (code - 0xEC)
    if code in {0xF5, 0xF6}:
        return 48 if code == 0xF5 else 64
    raise DecodeError(RejectReason.UNSUPPORTED, f"variable length {code:#04x}")
