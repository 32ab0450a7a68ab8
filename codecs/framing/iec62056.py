r"""IEC 62056-21 ("D0", formerly IEC 1107) and DSMR P1: read-outs in a byte stream, and what is said to a meter.

Sources: IEC 62056-21:2002, chapters 6.3 (messages, block check character), 6.4 (modes A to D); Netbeheer Nederland,
P1 Companion Standard (Dutch Smart Meter Requirements) 5.0.2, chapter 6.

    sign-on         / ? address ! CR LF
    identification  / XXX Z [\W] identification CR LF       XXX: the manufacturer, Z: the rate it offers
    acknowledgement ACK V Z Y CR LF                          V 0: normal protocol, Y 0: read-out
    read-out        STX data CR LF ! CR LF ETX BCC           modes A to C; mode A without STX, ETX and BCC is seen, too
    push (mode D)   identification, CR LF, data, ! CR LF     no block check
    P1              the same with ! CRC CR LF                since DSMR 4: CRC-16/ARC, four hex digits, from / to !
"""

import re
from typing import Final

import msgspec

from torhaus.codecs.framing.crc import crc16_arc
from torhaus.codecs.model import DecodeError, Reject, RejectReason

MAX_READOUT: Final = 16_384
"""Bytes of one read-out: usual ones have 200 to 4,000, those with a load profile of a day some thousand more."""
MAX_LINE: Final = 128
"""Bytes of an identification line (the standard: 24), and of what some meters say behind the end of a read-out."""

STX: Final = 0x02
ETX: Final = 0x03
ACK: Final = 0x06
NAK: Final = 0x15
RATES: Final = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19_200}
"""Mode C: baud rate by its letter. Mode B has A to F for 600 to 19200."""
_RATES_B: Final = dict(zip("ABCDEF", (600, 1200, 2400, 4800, 9600, 19_200), strict=True))

_IDENTIFICATION: Final = re.compile(rb"/([A-Za-z]{3})([ -~])((?:\\[ -~])*)([^\r\n]{0,100})\r?\n", re.DOTALL)
_ADDRESS: Final = re.compile(r"[A-Za-z0-9 ]{0,32}")
_END: Final = re.compile(rb"!([0-9A-Fa-f]{4})?[ \t]*\r?\n")


class Identification(msgspec.Struct, frozen=True, gc=False):
    """Who answers. `rate`: the letter of the rate; `mode`: what stands behind backslashes, as in "2" for HDLC."""

    maker: str
    rate: str
    mode: str
    text: str

    @property
    def protocol(self) -> str:
        """The mode that the letter means: A (stays at 300 baud), B or C."""
        return "C" if self.rate in RATES else "B" if self.rate in _RATES_B else "A"

    @property
    def baud(self) -> int:
        """The rate it offers (mode C) or goes on at (mode B)."""
        return RATES.get(self.rate) or _RATES_B.get(self.rate) or 300


def identification(data: bytes) -> Identification:
    """The identification line at the start of `data`. Raises DecodeError SYNTAX."""
    match = _IDENTIFICATION.match(data)
    if match is None:
        raise DecodeError(RejectReason.SYNTAX, "no identification line (/XXXZ…)")
    maker, rate, mode, text = (part.decode("latin-1") for part in match.groups())
    return Identification(maker, rate, mode.replace("\\", ""), text)


def sign_on(address: str = "") -> bytes:
    """The request that wakes a meter. ValueError for an address that cannot be one."""
    if not _ADDRESS.fullmatch(address):
        raise ValueError("a meter's address has at most 32 letters, digits and spaces")
    return f"/?{address}!\r\n".encode("ascii")


def acknowledge(rate: str) -> bytes:
    """Ask for the read-out at a rate (mode C)."""
    return bytes((ACK,)) + f"0{rate}0\r\n".encode("ascii")


def rate_letter(baud: int) -> str:
    """The letter of the fastest rate of mode C that is at most `baud`."""
    return max((r for r in RATES if RATES[r] <= baud), key=RATES.__getitem__, default="0")


def bcc(data: bytes) -> int:
    """Block check character: exclusive-or of everything behind STX up to and with ETX (ISO 1155)."""
    check = 0
    for octet in data:
        check ^= octet
    return check & 0x7F


def block(data: bytes) -> bytes | None:
    """The whole block STX … ETX BCC that begins `data`; None while its end is not there.

    Raises DecodeError: CRC when the block check does not match, LONG when there is no end within MAX_READOUT.
    """
    end = data.find(ETX)
    if end < 0 or end + 1 >= len(data):
        if len(data) > MAX_READOUT:
            raise DecodeError(RejectReason.LONG, f"no end within {MAX_READOUT} bytes")
        return None
    whole = bytes(data[: end + 2])
    if bcc(whole[1:-1]) != whole[-1] & 0x7F:
        raise DecodeError(RejectReason.CRC, "the block check character does not match")
    return whole


def check_p1(telegram: bytes, *, is_needed: bool = False) -> None:
    """Whether the CRC behind the exclamation mark is right, if there is one. Raises DecodeError CRC; SYNTAX: none."""
    found = _END.search(telegram)
    sent = found[1] if found is not None else None
    if found is None or sent is None:
        if is_needed:
            raise DecodeError(RejectReason.SYNTAX, "no CRC behind the end")
    elif crc16_arc(telegram[: found.start() + 1]) != int(sent, 16):
        raise DecodeError(RejectReason.CRC, "the telegram's CRC does not match")


class ReadoutFramer:
    """Cuts a stream of pushed read-outs (mode D, P1) into telegrams (a `Framer`): from / to the end of the line of !.

    `has_crc`: a telegram without CRC is refused as SYNTAX, one with a wrong CRC as CRC, in any case. What stands
    between telegrams is refused as SYNTAX; but what follows a good telegram directly, at most MAX_LINE bytes, is
    dropped: EasyMeter's Q3D sends two lines of its own there. Holds at most 2 * MAX_READOUT bytes.
    """

    __slots__ = ("_buf", "_has_crc", "_tail")

    def __init__(self, *, has_crc: bool = False) -> None:
        self._buf = bytearray()
        self._has_crc = has_crc
        self._tail = False  # directly behind a good telegram

    def feed(self, data: bytes) -> list[bytes | Reject]:
        """Take the next bytes of the stream."""
        out: list[bytes | Reject] = []
        for at in range(0, len(data), MAX_READOUT):
            self._buf += data[at : at + MAX_READOUT]
            while self._step(out):
                pass
        return out

    def reset(self) -> list[Reject]:
        """Forget what is incomplete (the link was lost); returns it as Reject if there was anything."""
        rest, tail = bytes(self._buf), self._tail
        self._buf.clear()
        self._tail = False
        if not rest or (tail and not rest.startswith(b"/") and len(rest) <= MAX_LINE):
            return []
        return [Reject(rest, RejectReason.SHORT, "the link was lost inside a telegram")]

    def _step(self, out: list[bytes | Reject]) -> bool:
        buf = self._buf
        start = buf.find(b"/")
        if start != 0:
            junk = start if start > 0 else len(buf)
            self._tail = self._tail and junk <= MAX_LINE
            if start < 0 and junk <= MAX_READOUT:
                return False
            if not self._tail:
                junk = min(junk, MAX_READOUT)
                out.append(Reject(bytes(buf[:junk]), RejectReason.SYNTAX, "no start of a telegram"))
            del buf[:junk]
            self._tail = False
            return bool(buf)
        end = _END.search(buf, 0, MAX_READOUT)
        again = buf.find(b"\n/", 1, end.start() if end is not None else MAX_READOUT) + 1
        if again:
            out.append(Reject(bytes(buf[:again]), RejectReason.SYNTAX, "the next telegram starts before the end"))
            del buf[:again]
            return True
        if end is None:
            if len(buf) <= MAX_READOUT:
                return False
            return self._refuse(MAX_READOUT, DecodeError(RejectReason.LONG, f"no end in {MAX_READOUT} bytes"), out)
        telegram = bytes(buf[: end.end()])
        try:
            identification(telegram)
            check_p1(telegram, is_needed=self._has_crc)
        except DecodeError as error:
            return self._refuse(len(telegram), error, out)
        out.append(telegram)
        del buf[: len(telegram)]
        self._tail = True
        return True

    def _refuse(self, n: int, error: DecodeError, out: list[bytes | Reject]) -> bool:
        out.append(Reject(bytes(self._buf[:n]), error.reason, error.detail))
        del self._buf[:n]
        self._tail = False
        return True
