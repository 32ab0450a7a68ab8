"""Wired M-Bus link layer: single characters, short, control and long frames in a byte stream.

Source: EN 13757-2:2018, link layer, and IEC 60870-5-1 format class FT 1.2.

    e5                             acknowledgement
    10 C A cs 16                   short frame
    68 L L 68 C A CI data cs 16    long frame (control frame when there is no data); L counts C to data

cs is the sum of C to the last byte of data, modulo 256.
"""

from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, Reject, RejectReason

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
    size = _size(frame)
    if size is None:
        raise DecodeError(RejectReason.SYNTAX, "no start of a frame")
    if len(frame) < size:
        raise DecodeError(RejectReason.SHORT, f"{len(frame)} of {size} bytes")
    if len(frame) > size:
        raise DecodeError(RejectReason.LONG, f"{len(frame)} bytes, the frame says {size}")
    fault = _fault(frame)
    if fault is not None:
        raise DecodeError(*fault)
    if size == 1:
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


def _fault(frame: bytes) -> tuple[RejectReason, str] | None:
    """What is wrong with a frame of the right length, or None."""
    if len(frame) == 1:
        return None
    if frame[-1] != _STOP:
        return RejectReason.SYNTAX, "no stop byte at the end of a frame"
    body = frame[1:-2] if frame[0] == _SHORT else frame[4:-2]
    if sum(body) & 0xFF != frame[-2]:
        return RejectReason.CRC, "checksum of the frame does not match"
    return None


class MbusFramer:
    """Cuts a byte stream into M-Bus frames (a `Framer`).

    Yields whole frames with their checksums verified. Of a stretch that is no frame only its first byte is refused for
    sure: what follows is looked at again, so a good frame behind noise or inside a false start is kept. Holds at most
    MAX_FRAME bytes of a frame and as many of junk. The result does not depend on how the stream was cut up.
    """

    __slots__ = ("_buf", "_fault", "_junk")

    def __init__(self) -> None:
        self._buf = bytearray()
        self._junk = bytearray()
        self._fault: tuple[RejectReason, str] | None = None

    def feed(self, data: bytes) -> list[bytes | Reject]:
        """Take the next bytes of the stream."""
        out: list[bytes | Reject] = []
        for at in range(0, len(data), MAX_FRAME):
            self._buf += data[at : at + MAX_FRAME]
            while self._buf and self._step(out):
                pass
        return out

    def flush(self) -> list[bytes | Reject]:
        """The meter has been silent for too long to be in a frame: a start without end is given up.

        Good frames behind a false start, which held them back, are found.
        """
        out: list[bytes | Reject] = []
        while self._buf:
            if not self._step(out):
                self._give_up((RejectReason.SHORT, "the stream ended inside a frame"), out)
        self._refuse(out)
        return out

    def reset(self) -> list[Reject]:
        """Forget what is incomplete (the link was lost, or the meter's time is over)."""
        out: list[bytes | Reject] = []
        self._refuse(out)
        rest = bytes(self._buf)
        self._buf.clear()
        if rest:
            out.append(Reject(rest, RejectReason.SHORT, "the stream ended inside a frame"))
        return [piece for piece in out if isinstance(piece, Reject)]

    def _step(self, out: list[bytes | Reject]) -> bool:
        size = _size(self._buf)
        fault: tuple[RejectReason, str] | None = (RejectReason.SYNTAX, "no start of a frame")
        if size is not None:
            if len(self._buf) < size:
                return False
            frame = bytes(self._buf[:size])
            fault = _fault(frame)
            if fault is None:
                self._refuse(out)
                out.append(frame)
                del self._buf[:size]
                return True
        self._give_up(fault, out)
        return True

    def _give_up(self, fault: tuple[RejectReason, str] | None, out: list[bytes | Reject]) -> None:
        """Refuse the first byte."""
        self._fault = self._fault or fault
        self._junk.append(self._buf[0])
        del self._buf[0]
        if len(self._junk) >= MAX_FRAME:
            self._refuse(out)

    def _refuse(self, out: list[bytes | Reject]) -> None:
        if self._junk and self._fault:
            out.append(Reject(bytes(self._junk), *self._fault))
        self._junk.clear()
        self._fault = None
