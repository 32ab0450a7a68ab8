"""One conversation on a Modbus line: ask for registers, get them or the device's refusal.

Requests and answers are built and read by pymodbus. Its transports and its cutting of the stream are not used: they
know no RFC 2217 and no captures, and drop an answer that stands behind noise (torhaus.codecs.framing.modbus finds it).
"""

import asyncio
import struct
from collections.abc import Sequence
from typing import Final, Literal

from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from torhaus.codecs.framing.modbus import RtuAnswer, TcpAnswer
from torhaus.codecs.framing.modbus_blocks import BIT_FUNCTIONS, EXCEPTIONS, Block, Span, data_bytes
from torhaus.drivers.base import DriverGone
from torhaus.drivers.link import Link
from torhaus.drivers.polling import NoAnswer
from torhaus.drivers.said import Said, about

Framing = Literal["rtu", "tcp"]

_REQUESTS: Final[dict[int, type[ModbusPDU]]] = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
_PASSING: Final = frozenset({5, 6, 10, 11})
"""Exceptions that say something about now, not about the register: asking again may help."""


class Talk:
    """Asks over one open link. RTU: `pause_s` of silence before every request; what arrives in it is dropped."""

    def __init__(self, link: Link, framing: Framing, timeout_s: float, retries: int, pause_s: float) -> None:
        self._link = link
        self._framing = framing
        self._timeout_s = timeout_s
        self._retries = retries
        self._pause_s = pause_s
        self._transaction = 0
        self._decoder = DecodePDU(False)
        self._rtu = FramerRTU(self._decoder)
        self._tcp = FramerSocket(self._decoder)

    async def read(self, unit: int, span: Span) -> Block:
        """What the device says: the registers, or its exception. Raises NoAnswer, or DriverGone."""
        fault: str = ""
        for _ in range(1 + self._retries):
            try:
                block = await self._once(unit, span)
            except TimeoutError:
                fault = Said("no_answer", s=self._timeout_s)
                continue
            except ValueError as error:
                fault = str(error)
                continue
            if block.exception in _PASSING:
                fault = EXCEPTIONS[block.exception]
                continue
            return block
        raise NoAnswer(Said("unit", unit=str(unit), what=fault))

    async def _once(self, unit: int, span: Span) -> Block:
        self._transaction = self._transaction % 0xFFFF + 1
        request = _REQUESTS[span.function](
            address=span.address, count=span.count, dev_id=unit, transaction_id=self._transaction
        )
        answer: RtuAnswer | TcpAnswer
        if self._framing == "rtu":
            await self._link.drain(self._pause_s)
            answer = RtuAnswer(unit, span.function, span.count)
            await self._link.write(self._rtu.buildFrame(request))
        else:
            answer = TcpAnswer(self._transaction, unit, span.function, span.count)
            await self._link.write(self._tcp.buildFrame(request))
        async with asyncio.timeout(self._timeout_s):
            while True:
                data = await self._link.read()
                try:
                    pdu = answer.feed(data)
                except ValueError as error:
                    raise DriverGone(about(self._link.name, str(error))) from error
                if pdu is not None:
                    return self._block(pdu, span)

    def _block(self, pdu: bytes, span: Span) -> Block:
        """ValueError when it is not what was asked for."""
        response = self._decoder.decode(pdu)
        if isinstance(response, ExceptionResponse):
            return Block(span.function, span.address, span.count, exception=response.exception_code or 0xFF)
        if response is None or response.function_code != span.function:
            raise ValueError("an answer that means nothing")
        if span.function in BIT_FUNCTIONS:
            data = pack_bits(response.bits, span.count)
        else:
            data = struct.pack(f">{len(response.registers)}H", *response.registers)
        if len(data) != data_bytes(span.function, span.count):
            raise ValueError("an answer of another length than was asked for")
        return Block(span.function, span.address, span.count, data)


def pack_bits(bits: Sequence[bool], count: int) -> bytes:
    """Bits as an answer has them: eight to a byte, the first in the lowest bit. Filling bits are dropped."""
    number = sum(1 << n for n, bit in enumerate(bits[:count]) if bit)
    return number.to_bytes((count + 7) // 8, "little")
