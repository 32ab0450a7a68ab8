"""IMST iM871A and its kin: messages between host and radio module.

Source: IMST WiMOD HCI specification of the iM871A, chapters on the HCI message and on its services.

    A5 | control, endpoint | message | n | n bytes | [time stamp, 4] | [RSSI] | [CRC, 2]

The upper half of the second byte says which of the last three are there: 2 time stamp, 4 RSSI, 8 CRC (X.25, over all
behind A5, least significant byte first). A received telegram has no L and no checksums of the radio frame.
"""

from typing import Final

import msgspec

from torhaus.codecs.framing.crc import crc16_x25
from torhaus.codecs.framing.seeking import Fault, SeekingFramer, check_whole
from torhaus.codecs.framing.wmbus import HEAD, Heard
from torhaus.codecs.model import DecodeError, RejectReason

MAX_FRAME: Final = 4 + 255 + 7
DEVICE: Final = 1
RADIO: Final = 2
SET_CONFIG: Final = 0x03
CONFIG_SET: Final = 0x04
TELEGRAM: Final = 0x03
MODES: Final = {"S1": 0x00, "T1": 0x03, "C1": 0x06, "C1T1": 0x0A}
"""Link modes by number. Both at once needs firmware 1.4 or newer."""

_START: Final = 0xA5
_LAST: Final = {DEVICE: 0x27, RADIO: 0x05, 3: 0x07, 4: 0x02}
"""The highest message number of each endpoint."""
_TIME, _RSSI, _CRC = 0x20, 0x40, 0x80


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message. `rssi_dbm` where the module was told to attach it."""

    endpoint: int
    number: int
    payload: bytes
    rssi_dbm: float | None = None


def build(endpoint: int, number: int, payload: bytes = b"") -> bytes:
    """A message to the module, with its CRC. ValueError when it is too long."""
    body = bytes((_CRC | endpoint, number, len(payload))) + payload
    return bytes((_START,)) + body + crc16_x25(body).to_bytes(2, "little")


def set_mode(mode: str) -> bytes:
    """Listen in this mode and attach the RSSI; forgotten when the module is unplugged."""
    # not to be kept | the link mode follows | mode | RSSI and time stamp follow | on | off
    return build(DEVICE, SET_CONFIG, bytes((0, 0x02, MODES[mode], 0x30, 1, 0)))


def unwrap(frame: bytes) -> Message:
    """One whole message. Raises DecodeError SHORT, LONG, SYNTAX or CRC."""
    check_whole(frame, _size, _fault)
    flags, end = frame[1], 4 + frame[3]
    rssi = None
    if flags & _RSSI:
        rssi = round(frame[end + (4 if flags & _TIME else 0)] * 80 / 150 - 100 - 4000 / 150, 1)
    return Message(flags & 0x0F, frame[2], frame[4:end], rssi)


def heard(message: Message, mode: str | None = None) -> Heard | None:
    """The telegram in a message; None when it is about something else. Raises DecodeError SHORT."""
    if (message.endpoint, message.number) != (RADIO, TELEGRAM):
        return None
    if len(message.payload) < HEAD - 1:
        raise DecodeError(RejectReason.SHORT, f"{len(message.payload)} bytes are no telegram")
    return Heard(bytes((len(message.payload),)) + message.payload, message.rssi_dbm, mode)


def _size(data: bytes | bytearray) -> int | None:
    if not data:
        return 1
    if data[0] != _START:
        return None
    if len(data) > 1 and (data[1] & 0x10 or data[1] & 0x0F not in _LAST):
        return None
    if len(data) > 2 and not 1 <= data[2] <= _LAST[data[1] & 0x0F]:
        return None
    if len(data) < 4:
        return 4
    flags = data[1]
    return 4 + data[3] + (4 if flags & _TIME else 0) + (1 if flags & _RSSI else 0) + (2 if flags & _CRC else 0)


def _fault(frame: bytes) -> Fault | None:
    if frame[1] & _CRC and crc16_x25(frame[1:-2]) != int.from_bytes(frame[-2:], "little"):
        return RejectReason.CRC, "checksum of the message does not match"
    return None


class ImstFramer(SeekingFramer):
    """Cuts a byte stream into messages of the module. Without a CRC their form is all there is to check."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(MAX_FRAME, _size, _fault)
