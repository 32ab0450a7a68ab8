"""Radio modules of AMBER wireless, now Würth Elektronik (AMB8465, AMB8665): messages of their command interface.

Source: manuals of the AMB8465-M and AMB8665-M, chapters on the command interface and on the user settings.

    FF | command | n | n bytes | XOR of all before

A received telegram has no L and no checksums of the radio frame, and its RSSI behind it where that is switched on.
"""

from functools import reduce
from operator import xor
from typing import Final

import msgspec

from torhaus.codecs.framing.seeking import Fault, SeekingFramer, check_whole
from torhaus.codecs.framing.wmbus import HEAD, Heard
from torhaus.codecs.model import DecodeError, RejectReason

MAX_FRAME: Final = 4 + 255
TELEGRAM: Final = 0x03
SET_MODE: Final = 0x04
RESET: Final = 0x05
SET: Final = 0x09
GET: Final = 0x0A
CONFIRM: Final = 0x80
"""Added to a command's number in its confirmation."""
COMMANDS_OUT: Final = 0x05
"""Setting: telegrams are handed out as messages, with a checksum."""
RSSI: Final = 0x45
"""Setting: the RSSI is attached."""
MODES: Final = {"S1": 0x03, "T1": 0x08, "C1": 0x0E, "C1T1": 0x09}

_START: Final = 0xFF


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message."""

    command: int
    payload: bytes


def build(command: int, payload: bytes = b"") -> bytes:
    """A message. ValueError when it is too long."""
    body = bytes((_START, command, len(payload))) + payload
    return body + bytes((reduce(xor, body),))


def unwrap(frame: bytes) -> Message:
    """One whole message. Raises DecodeError SHORT, LONG, SYNTAX or CRC."""
    check_whole(frame, _size, _fault)
    return Message(frame[1], frame[3:-1])


def heard(message: Message, *, has_rssi: bool, mode: str | None = None) -> Heard | None:
    """The telegram in a message; None when it is about something else. Raises DecodeError SHORT."""
    if message.command != TELEGRAM:
        return None
    data, rssi = message.payload, None
    if has_rssi and data:
        data, raw = data[:-1], data[-1]
        rssi = (raw - 256 if raw >= 128 else raw) / 2 - 74
    if len(data) < HEAD - 1:
        raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes are no telegram")
    return Heard(bytes((len(data),)) + data, rssi, mode)


def _size(data: bytes | bytearray) -> int | None:
    if not data:
        return 1
    if data[0] != _START or (len(data) > 1 and data[1] != TELEGRAM and not data[1] & CONFIRM):
        return None
    if len(data) > 1 and data[1] == _START:
        return None
    return 4 if len(data) < 3 else 4 + data[2]


def _fault(frame: bytes) -> Fault | None:
    if reduce(xor, frame):
        return RejectReason.CRC, "checksum of the message does not match"
    return None


class AmberFramer(SeekingFramer):
    """Cuts a byte stream into messages of the module: telegrams and confirmations."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(MAX_FRAME, _size, _fault)
