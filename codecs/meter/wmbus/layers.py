"""What stands between a frame and its data: link layer, extended link layer, authentication, transport header.

After EN 13757-4:2019 (link layer, extended link layer), EN 13757-7:2018 (authentication and fragmentation, transport
layer), OMS Specification Volume 2, issue 4.

    L C MM AAAA V T                         link layer: who sent this
    8C CC ACC                               extended link layer I
    8D CC ACC SSSS crc2                     II: session number; all behind it may be encrypted
    8E CC ACC MM AAAA V T                   III: with a receiver's address
    8F CC ACC MM AAAA V T SSSS crc2         IV: both
    90 n FF [MCL] [KI KI] [counter] [MAC] [length]     authentication and fragmentation layer
    78 · 7A ACC ST CF CF · 72 AAAA MM V T ACC ST CF CF     no, short, long header; then the data
"""

from typing import Final

import msgspec

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.framing.wmbus import HEAD, crc16
from torhaus.codecs.meter.wmbus.address import SIZE, Address, address_of
from torhaus.codecs.meter.wmbus.own.diehl import in_order
from torhaus.codecs.model import DecodeError, RejectReason

DATA: Final = "data"
COMPACT: Final = "compact"
FORMAT: Final = "format"
NOTHING: Final = "nothing"
ERROR: Final = "error"
OWN: Final = "own"

HEADERS: Final[dict[int, tuple[str, str]]] = {
    0x69: ("none", FORMAT), 0x6A: ("short", FORMAT), 0x6B: ("long", FORMAT),
    0x6E: ("short", ERROR), 0x6F: ("long", ERROR), 0x70: ("none", ERROR),
    0x72: ("long", DATA), 0x73: ("long", COMPACT), 0x78: ("none", DATA), 0x79: ("none", COMPACT),
    0x7A: ("short", DATA), 0x7B: ("short", COMPACT), 0x8A: ("short", NOTHING), 0x8B: ("long", NOTHING),
}  # fmt: skip
"""CI of what a meter sends: its header, and what follows."""
MANUFACTURER_CI: Final = range(0xA0, 0xB8)

CTR: Final = 1
"""Security of an extended link layer: AES-128 in counter mode."""
_MAC_BYTES: Final = {3: 2, 4: 4, 5: 8, 6: 12, 7: 16}
"""By the kind of authentication: AES-CMAC, cut to so many bytes."""
_EXTENDED: Final = frozenset({7, 8, 9, 10, 13})
"""Modes whose configuration field has a third byte."""


class Extended(msgspec.Struct, frozen=True, gc=False):
    """An extended link layer. `session`: its session number, None where it has none."""

    control: int
    access: int
    session: int | None = None

    @property
    def security(self) -> int:
        """0: none."""
        return 0 if self.session is None else self.session >> 29

    @property
    def minutes(self) -> int:
        """The meter's clock in the session number, in minutes."""
        return (self.session or 0) >> 4 & 0x1FFFFFF


class Authentication(msgspec.Struct, frozen=True, gc=False):
    """An authentication and fragmentation layer. `signed`: what the MAC is over besides all that follows."""

    fragment: int
    more: bool
    counter: int | None
    mac: bytes
    signed: bytes
    length: int | None


class Header(msgspec.Struct, frozen=True, gc=False):
    """A transport header. `meter`: whose data these are, eight bytes in the link layer's order, if that is said here.

    `blocks`: how many blocks of 16 bytes are encrypted, where the mode says that.
    """

    meter: bytes | None = None
    access: int | None = None
    status: int | None = None
    mode: int = 0
    blocks: int = 0
    extension: int = 0


def link_of(telegram: bytes) -> tuple[int, Address, bytes]:
    """C, who sent it, and what follows from CI on. Raises DecodeError SHORT or LONG."""
    if len(telegram) < HEAD or len(telegram) < telegram[0] + 1:
        raise DecodeError(RejectReason.SHORT, f"{len(telegram)} bytes are no telegram")
    if len(telegram) > telegram[0] + 1:
        raise DecodeError(RejectReason.LONG, f"{len(telegram)} bytes, the telegram says {telegram[0] + 1}")
    body = telegram[HEAD:]
    return telegram[1], address_of(in_order(telegram[2:HEAD], body)), body


def extended_of(body: bytes) -> tuple[Extended | None, bytes]:
    """The extended link layer, if there is one, and what follows it. Raises DecodeError SHORT or UNSUPPORTED."""
    if not body or body[0] not in {0x86, 0x8C, 0x8D, 0x8E, 0x8F}:
        return None, body
    if body[0] == 0x86:
        raise DecodeError(RejectReason.UNSUPPORTED, "an extended link layer of variable length (CI 0x86)")
    cursor = Cursor(body)
    ci, control, access = cursor.u8(), cursor.u8(), cursor.u8()
    if ci in {0x8E, 0x8F}:
        cursor.take(SIZE)
    session = cursor.ule(4) if ci in {0x8D, 0x8F} else None
    return Extended(control, access, session), cursor.rest()


def checked(body: bytes) -> bytes | None:
    """What follows the payload's checksum (2 bytes, of the extended link layer); None when it does not match."""
    if len(body) < 2 or crc16(body[2:]) != int.from_bytes(body[:2], "little"):
        return None
    return body[2:]


def authentication_of(body: bytes) -> tuple[Authentication | None, bytes]:
    """The authentication layer, if there is one, and what follows it. Raises DecodeError SHORT, SYNTAX, UNSUPPORTED."""
    if not body or body[0] != 0x90:
        return None, body
    cursor = Cursor(body)
    cursor.u8()
    inner = Cursor(cursor.take(cursor.u8()))
    control = inner.ule(2)
    mcl = inner.take(1) if control & 0x2000 else b""
    if control & 0x0200:
        inner.take(2)  # which key: there is one
    counter = inner.take(4) if control & 0x0800 else b""
    mac = b""
    if control & 0x0400:
        kind = mcl[0] & 0x0F if mcl else 0
        if kind not in _MAC_BYTES:
            raise DecodeError(RejectReason.UNSUPPORTED, f"authentication of kind {kind}")
        mac = inner.take(_MAC_BYTES[kind])
    length = inner.take(2) if control & 0x1000 else b""
    if inner.left:
        raise DecodeError(RejectReason.SYNTAX, f"{inner.left} bytes too many in the authentication layer")
    return Authentication(
        control & 0xFF, bool(control & 0x4000), int.from_bytes(counter, "little") if counter else None,
        mac, mcl + counter + length, int.from_bytes(length, "little") if length else None,
    ), cursor.rest()  # fmt: skip


def header_of(body: bytes) -> tuple[str, Header, bytes]:
    """What is in the data (DATA, COMPACT, …), the transport header, and the data. Raises DecodeError.

    OWN: a manufacturer's own form, data from CI on. UNSUPPORTED: one that only goes to meters.
    """
    if not body:
        return NOTHING, Header(), b""
    ci = body[0]
    if ci in MANUFACTURER_CI:
        return OWN, Header(), body
    if ci not in HEADERS:
        raise DecodeError(RejectReason.UNSUPPORTED, f"CI field {ci:#04x}")
    kind, content = HEADERS[ci]
    cursor = Cursor(body)
    cursor.u8()
    if kind == "none":
        return content, Header(), cursor.rest()
    meter = None
    if kind == "long":
        number, maker, rest = cursor.take(4), cursor.take(2), cursor.take(2)
        meter = maker + number + rest
    access, status, configuration = cursor.u8(), cursor.u8(), cursor.ule(2)
    mode = configuration >> 8 & 0x1F
    extension = cursor.u8() if mode in _EXTENDED else 0
    return content, Header(meter, access, status, mode, configuration >> 4 & 0x0F, extension), cursor.rest()
