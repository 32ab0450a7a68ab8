"""Modbus answers in a byte stream, as a client sees them: RTU and TCP.

Source: MODBUS over Serial Line V1.02, chapter 2.5.1; MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3.

    RTU   unit (1), function (1), data, CRC-16 (2, low byte first)
    TCP   transaction (2), protocol 0 (2), length (2) of what follows, unit (1), function (1), data

An RTU frame has no start: what is looked for is an answer of that unit to that function whose checksum is right. So
noise before it, a late answer of somebody else or an echo of the request is passed over.
"""

from typing import Final

from torhaus.codecs.framing.crc import crc16_modbus
from torhaus.codecs.framing.modbus_blocks import data_bytes

MAX_RTU: Final = 256
MAX_TCP: Final = 260
"""Bytes of one frame, by the specifications."""
MAX_HELD: Final = 1024
"""Bytes held while no answer is found; older ones are forgotten."""


class RtuAnswer:
    """Looks for the answer of one unit to one request for `count` registers or bits."""

    def __init__(self, unit: int, function: int, count: int) -> None:
        n = data_bytes(function, count)
        self._wanted = ((bytes((unit, function, n)), 3 + n + 2), (bytes((unit, function | 0x80)), 5))  # head, size
        self._looked = [0, 0]  # of each: no answer begins below, so that noise is not looked at again
        self._buf = bytearray()

    def feed(self, data: bytes) -> bytes | None:
        """The PDU (function, data) when it is there. Never raises; what came behind it is dropped."""
        self._buf += data
        buf = self._buf
        found = [answer for n in (0, 1) if (answer := self._look(n)) is not None]
        if found:
            return min(found)[1]
        if len(buf) > MAX_HELD:
            gone = len(buf) - MAX_HELD
            del buf[:gone]
            self._looked = [max(at - gone, 0) for at in self._looked]
        return None

    def _look(self, n: int) -> tuple[int, bytes] | None:
        """Where one of the two kinds of answer is, and its PDU."""
        (head, size), buf = self._wanted[n], self._buf
        while (at := buf.find(head, self._looked[n])) >= 0 and at + size <= len(buf):
            frame = bytes(buf[at : at + size])
            if crc16_modbus(frame[:-2]) == int.from_bytes(frame[-2:], "little"):
                return at, frame[1:-2]
            self._looked[n] = at + 1
        if at < 0:
            self._looked[n] = max(self._looked[n], len(buf) - len(head) + 1)
        return None


class TcpAnswer:
    """Looks for the answer to one transaction; others are passed over, as they come late."""

    def __init__(self, transaction: int, unit: int, function: int, count: int) -> None:
        self._transaction = transaction
        self._unit = unit
        self._heads = (bytes((function, data_bytes(function, count))), bytes((function | 0x80,)))
        self._buf = bytearray()

    def feed(self, data: bytes) -> bytes | None:
        """The PDU (function, data) when it is there.

        Raises ValueError when what comes is no Modbus/TCP: there is no way back into step, the connection is lost.
        """
        self._buf += data
        buf = self._buf
        while len(buf) >= 7:
            transaction, protocol = int.from_bytes(buf[:2], "big"), int.from_bytes(buf[2:4], "big")
            length = int.from_bytes(buf[4:6], "big")
            if protocol != 0 or not 2 <= length <= MAX_TCP - 6:
                raise ValueError("what answers does not speak Modbus/TCP")
            if len(buf) < 6 + length:
                return None
            unit, pdu = buf[6], bytes(buf[7 : 6 + length])
            del buf[: 6 + length]
            if transaction == self._transaction and unit == self._unit:
                if not pdu.startswith(self._heads):
                    raise ValueError("the answer is not to what was asked")
                return pdu
        return None
