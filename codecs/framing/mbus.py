"""Wired M-Bus link layer: single characters, short, control and long frames in a byte stream.

After EN 13757-2:2018, link layer, and IEC 60870-5-1 format class FT 1.2.

    e5                             acknowledgement
    10 C A cs 16                   short frame
    68 L L 68 C A CI data cs 16    long frame (control frame when there is no data); L counts C to data

cs is the sum of C to the last byte of data, modulo 256.
"""

from typing import Final

import msgspec

from torhaus.codecs.framing.seeking import Fault, SeekingFramer, check_whole
from torhaus.codecs.model import RejectReason

ACK: Final = b"\xe5"
MAX_FRAME: Final = 261
"""Longest frame in bytes: L is one byte, six more stand around what it counts."""

SND_NKE: Final = 0x40
SND_UD: Final = 0x53
REQ_UD2: Final = 0x5B
FCB: Final = 0x20
NETWORK_LAYER: Final = 0xFD
"""Primary address of the meter that was selected by its secondary address."""

_SHORT: Final = 0x10
_LONG: Final = 0x68
_STOP: Final = 0x16


class Telegram(msgspec.Struct, frozen=True, gc=False):
    """One frame. `ci` is None in a short frame. All three None: an acknowledgement."""

    control: int | None = None
    address: int | None = None
    ci: int | None = None
    data: bytes = b""


def short(control: int, address: int) -> bytes:
    """A short frame."""
    return bytes((_SHORT, control, address, (control + address) & 0xFF, _STOP))


def long(control: int, address: int, ci: int, data: bytes = b"") -> bytes:
    """A control or long frame. ValueError when `data` is longer than 252 bytes."""
    body = bytes((control, address, ci)) + data
    if len(body) > 255:
        raise ValueError(f"{len(data)} bytes of data, at most 252")
    return bytes((_LONG, len(body), len(body), _LONG)) + body + bytes((sum(body) & 0xFF, _STOP))


def unwrap(frame: bytes) -> Telegram:
    """One whole frame. Raises DecodeError SHORT, LONG, SYNTAX or CRC."""
    check_whole(frame, _size, _fault)
    if len(frame) == 1:
        return Telegram()
    if frame[0] == _SHORT:
        return Telegram(frame[1], frame[2])
    return Telegram(frame[4], frame[5], frame[6], frame[7:-2])


def _size(data: bytes | bytearray) -> int | None:
    """Bytes of the frame that starts here, as far as they show; None when none starts here."""
    if not data:
        return 1
    if data[0] == _SHORT:
        return 5
    if data[0] != _LONG:
        return 1 if data[0] == ACK[0] else None
    if len(data) < 2:
        return 9
    if data[1] < 3 or (len(data) > 2 and data[2] != data[1]) or (len(data) > 3 and data[3] != _LONG):
        return None
    return data[1] + 6


def _fault(frame: bytes) -> Fault | None:
    """What is wrong with a frame of the right length, or None."""
    if len(frame) == 1:
        return None
    if frame[-1] != _STOP:
        return RejectReason.SYNTAX, "no stop byte at the end of a frame"
    body = frame[1:-2] if frame[0] == _SHORT else frame[4:-2]
    if sum(body) & 0xFF != frame[-2]:
        return RejectReason.CRC, "checksum of the frame does not match"
    return None


class MbusFramer(SeekingFramer):
    """Cuts a byte stream into M-Bus frames. Yields whole frames with their checksums verified."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(MAX_FRAME, _size, _fault)
