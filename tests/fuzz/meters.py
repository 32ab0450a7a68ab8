"""What cuts telegrams of meters and other serial devices out of a stream of bytes, and what reads those telegrams."""

from collections.abc import Callable
from functools import partial
from typing import Final

from tests.codecs.golden import payloads, vectors
from tests.codecs.test_framing_modbus import rtu, tcp
from torhaus.codecs.framing import mbus
from torhaus.codecs.framing.base import Framer
from torhaus.codecs.framing.iec62056 import ReadoutFramer, identification
from torhaus.codecs.framing.lines import FixedFramer, LineFramer
from torhaus.codecs.framing.modbus import RtuAnswer, TcpAnswer
from torhaus.codecs.meter import dsmr, iec62056
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.text import barcode, nmea

Reader = Callable[[bytes], object]
PDU: Final = b"\x03\x04\x00\x01\x00\x02"
PIECE: Final = 7
"""Bytes of one read: telegrams come in pieces."""


def readers() -> dict[str, tuple[list[bytes], Reader]]:
    """By name, what each starts from and what reads it."""
    return {
        "mbus/stream": ([mbus.ACK + b"\0" + p for p in _good("mbus")], partial(_framed, mbus.MbusFramer, mbus.unwrap)),
        "iec62056/stream": (_pushed("iec62056"), partial(_framed, ReadoutFramer, _readout)),
        "dsmr/stream": (
            _signed(_pushed("dsmr")),
            partial(_framed, partial(ReadoutFramer, has_crc=True), dsmr.decode),
        ),
        "nmea/stream": (
            [(p.strip() + b"\r\n") * 2 for p in _good("nmea")],
            partial(_framed, nmea.NmeaFramer, nmea.decode),
        ),
        "barcode/stream": (
            [b"4006381333931\r]Q3text\r\n"],
            partial(_framed, partial(LineFramer, b"\r"), barcode.decode),
        ),
        "line/stream": ([b"ST,GS, +  12.3 kg\r\n" * 2], partial(_framed, LineFramer, bytes)),
        "line/frames": ([b"\xaa\x55\1\2\3\4" * 2], partial(_framed, partial(FixedFramer, b"\xaa\x55", 6), bytes)),
        "modbus/rtu": ([b"\0" + rtu(3, PDU)], lambda data: _answer(RtuAnswer(3, 3, 2), data)),
        "modbus/tcp": ([tcp(9, 3, PDU)], lambda data: _answer(TcpAnswer(9, 3, 3, 2), data)),
    }


def _good(name: str) -> list[bytes]:
    return [bytes.fromhex(vector["hex"]) for vector in vectors(name) if "reject" not in vector]


def _pushed(name: str) -> list[bytes]:
    """Whole telegrams: with an identification line and an end."""
    return [p for p in payloads(name) if p.startswith(b"/") and b"!" in p and p.endswith(b"\n")]


def _signed(telegrams: list[bytes]) -> list[bytes]:
    """Those with a right CRC."""
    return [p for p in telegrams if p in ReadoutFramer(has_crc=True).feed(p)]


def _readout(data: bytes) -> object:
    identification(data)
    try:
        return iec62056.decode(data)
    except DecodeError:
        return None  # a telegram without any value is one all the same


def _pieces(data: bytes) -> list[bytes]:
    return [data[at : at + PIECE] for at in range(0, len(data), PIECE)]


def _framed(framer: Callable[[], Framer], read: Reader, data: bytes) -> object:
    """Whatever comes out is read or refused; nothing is left behind."""
    cutter = framer()
    out = [piece for part in _pieces(data) for piece in cutter.feed(part)]
    cutter.reset()
    assert cutter.reset() == []
    found = [piece for piece in out if isinstance(piece, bytes)]
    if not found:
        raise DecodeError(RejectReason.SYNTAX, "nothing")
    for piece in found:
        read(piece)
    return found


def _answer(looking: RtuAnswer | TcpAnswer, data: bytes) -> object:
    """ValueError is how Modbus/TCP says that the connection is of no use any more."""
    try:
        found = next((pdu for part in _pieces(data) if (pdu := looking.feed(part)) is not None), None)
    except ValueError as error:
        raise DecodeError(RejectReason.SYNTAX, str(error)) from None
    if found is None:
        raise DecodeError(RejectReason.SHORT, "no answer in it")
    return found
