"""SML transport protocol, version 1: telegrams in a byte stream.

Source: SML, Smart Message Language, version 1.03 (12 November 2008), chapter on the SML transport protocol; also in the
annex "Feinspezifikation Drahtgebundene LMN-Schnittstelle" of BSI TR-03109-1.

    1b1b1b1b 01010101 <body, filled with 0 to 3 bytes 00 up to a multiple of four> 1b1b1b1b 1a pp cc cc

1b1b1b1b in the body is sent twice; pp counts the filling bytes; cc cc is a CRC-16 over everything before it, low byte
first. The document asks for X.25; Holley's meters send Kermit, so both are taken. Version 2 (start 02020202, blocks) is
not sent by meters on their local interfaces: it is refused as something that is no telegram.
"""

from collections.abc import Callable
from typing import Final

from torhaus.codecs.framing.crc import crc16_kermit, crc16_x25
from torhaus.codecs.model import DecodeError, Reject, RejectReason

MAX_FRAME: Final = 16384
"""Longest telegram taken, in bytes: meters send 200 to 700; more is a stream whose end was lost."""

ESCAPE: Final = b"\x1b\x1b\x1b\x1b"
START: Final = ESCAPE + b"\x01\x01\x01\x01"
_END: Final = 0x1A
_TAIL: Final = 8  # 1b1b1b1b 1a pp cc cc
_HOLD: Final = len(START) - 1  # bytes at the end of junk that may be the beginning of a start


def crc_matches(data: bytes, sent: int) -> bool:
    """Whether `sent` (the two bytes as they stand there, first one high) is the X.25 or Kermit checksum of `data`."""
    want = (sent & 0xFF) << 8 | sent >> 8
    return want in {crc16_x25(data), crc16_kermit(data)}


def _fault(telegram: bytes) -> tuple[RejectReason, str] | None:
    """What is wrong with a stretch from a start to an end, or None."""
    if telegram[-3] > 3:
        return RejectReason.SYNTAX, f"{telegram[-3]} filling bytes"
    if not crc_matches(telegram[:-2], telegram[-2] << 8 | telegram[-1]):
        return RejectReason.CRC, "checksum of the telegram does not match"
    return None


def unwrap(telegram: bytes) -> bytes:
    """The SML file in one whole transport telegram. Raises DecodeError SHORT, LONG, SYNTAX or CRC."""
    if len(telegram) > MAX_FRAME:
        raise DecodeError(RejectReason.LONG, f"{len(telegram)} bytes, at most {MAX_FRAME}")
    if len(telegram) < len(START) + _TAIL:
        raise DecodeError(RejectReason.SHORT, "shorter than start and end of a telegram")
    if not telegram.startswith(START) or telegram[-8:-4] != ESCAPE or telegram[-4] != _END:
        raise DecodeError(RejectReason.SYNTAX, "start or end of the telegram is missing")
    fault = _fault(telegram)
    if fault is not None:
        raise DecodeError(*fault)
    body = telegram[len(START) : -_TAIL]
    parts = body.split(ESCAPE + ESCAPE)
    if any(ESCAPE in part for part in parts):
        raise DecodeError(RejectReason.SYNTAX, "escape sequence inside the telegram")
    fill = telegram[-3]
    if fill > len(body) or any(body[len(body) - fill :]):
        raise DecodeError(RejectReason.SYNTAX, "filling bytes are not 00")
    file = ESCAPE.join(parts)
    return file[: len(file) - fill]


def wrap(file: bytes, checksum: Callable[[bytes], int] = crc16_x25) -> bytes:
    """One transport telegram around an SML file: the opposite of `unwrap`."""
    fill = -len(file) % 4
    head = START + file.replace(ESCAPE, ESCAPE + ESCAPE) + bytes(fill) + ESCAPE + bytes((_END, fill))
    return head + checksum(head).to_bytes(2, "little")


class SmlFramer:
    """Cuts a byte stream into SML transport telegrams (a `Framer`).

    Yields each whole telegram with start and end as it was received, its checksum verified. What stands between
    telegrams is refused as SYNTAX, a bad checksum as CRC, a telegram without end as LONG or, when the next one starts
    first, as SYNTAX. After a fault the refused bytes are searched for a start, so a good telegram behind it is kept.
    The result does not depend on how the stream was cut up. Holds at most 2 * MAX_FRAME + 8 bytes.
    """

    __slots__ = ("_buf", "_inside", "_scan")

    def __init__(self) -> None:
        self._buf = bytearray()
        self._scan = 0  # nothing of interest begins before this offset
        self._inside = False  # the buffer begins with START

    def feed(self, data: bytes) -> list[bytes | Reject]:
        """Take the next bytes of the stream."""
        out: list[bytes | Reject] = []
        for at in range(0, len(data), MAX_FRAME):
            self._buf += data[at : at + MAX_FRAME]
            while self._telegram(out) if self._inside else self._junk(out):
                pass
        return out

    def reset(self) -> list[Reject]:
        """Forget what is incomplete (the link was lost); returns it as Reject if there was anything."""
        rest = bytes(self._buf)
        self._drop(len(rest), inside=False)
        return [Reject(rest, RejectReason.SHORT, "the link was lost inside a telegram")] if rest else []

    def _drop(self, n: int, *, inside: bool) -> None:
        del self._buf[:n]
        self._inside = inside
        self._scan = len(START) if inside else 0

    def _junk(self, out: list[bytes | Reject]) -> bool:
        """Look for a start; True when something was done and there may be more to do."""
        at = self._buf.find(START, self._scan, MAX_FRAME + _HOLD)
        if at < 0 and len(self._buf) < MAX_FRAME + _HOLD:
            self._scan = max(0, len(self._buf) - _HOLD)
            return False
        junk = MAX_FRAME if at < 0 else at
        if junk:
            out.append(Reject(bytes(self._buf[:junk]), RejectReason.SYNTAX, "no start of a telegram"))
        self._drop(junk, inside=at >= 0)
        return True

    def _telegram(self, out: list[bytes | Reject]) -> bool:
        """Look for the end; True when something was done and there may be more to do."""
        buf = self._buf
        at = buf.find(ESCAPE, self._scan, MAX_FRAME)
        if at < 0 or at + _TAIL > min(len(buf), MAX_FRAME):
            if len(buf) >= MAX_FRAME:
                self._refuse(MAX_FRAME, (RejectReason.LONG, f"no end within {MAX_FRAME} bytes"), out)
                return True
            self._scan = at if at >= 0 else max(self._scan, len(buf) - len(ESCAPE) + 1)
            return False
        end = at + _TAIL
        tail = buf[at + 4 : end]
        if tail == ESCAPE:
            self._scan = end
        elif tail == START[4:]:
            out.append(Reject(bytes(buf[:at]), RejectReason.SYNTAX, "the next telegram starts before the end"))
            self._drop(at, inside=True)
        elif tail[0] != _END:
            self._refuse(end, (RejectReason.SYNTAX, f"unknown escape sequence {tail.hex()}"), out)
        else:
            telegram = bytes(buf[:end])
            fault = _fault(telegram)
            if fault is None:
                out.append(telegram)
                self._drop(end, inside=False)
            else:
                self._refuse(end, fault, out)
        return True

    def _refuse(self, n: int, fault: tuple[RejectReason, str], out: list[bytes | Reject]) -> None:
        """Refuse the first `n` bytes, but only up to where another telegram starts or may start in them.

        The last start counts: with the first one, a stream made of hidden starts would cost quadratic time.
        """
        at = self._buf.rfind(START, 1, n)
        inside = at > 0
        if not inside:
            at = next((n - k for k in range(_HOLD, 0, -1) if START.startswith(self._buf[n - k : n])), n)
        out.append(Reject(bytes(self._buf[:at]), *fault))
        self._drop(at, inside=inside)
