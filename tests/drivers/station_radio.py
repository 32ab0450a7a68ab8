"""The radio of a real station that was built with variant=testsim: it speaks to this over a socket named `spidev`.

Both directions are libloragw's structures as they lie in memory on x86-64 (lorabasics/basicstation at ba4f85d,
src/lgwsim.c; libloragw 5.0.1, loragw_hal.h).
"""

import asyncio
import time
from pathlib import Path
from struct import Struct

import msgspec

RX = Struct("@IBBIBBBIBffffHH")
TX = Struct("@IBIBbBBIBBBHBBH")
RX_BYTES = 300
RX_HEAD = 44
TX_BYTES = 288
TX_HEAD = 30
HELLO = 255
SF7, BW125, LORA, CRC_OK, CR_4_5 = 2, 3, 0x10, 0x10, 1


class OnAir(msgspec.Struct, frozen=True):
    """What the station sent. `count_us` is the radio's counter."""

    freq_hz: int
    sf: int
    count_us: int
    power_dbm: int
    data: bytes


class SimulatedRadio:
    """One concentrator."""

    def __init__(self) -> None:
        self.on_air: list[OnAir] = []
        self.connected = asyncio.Event()
        self._offset_us = 0
        self._writer: asyncio.StreamWriter
        self._server: asyncio.Server

    async def open(self, folder: Path) -> None:
        self._server = await asyncio.start_unix_server(self._serve, folder / "spidev")

    async def close(self) -> None:
        self._server.close()
        if self.connected.is_set():
            self._writer.transport.abort()
        await asyncio.sleep(0)

    def receive(self, freq_hz: int, data: bytes) -> int:
        """Let a frame be heard with SF7 at 125 kHz, now; the radio's counter at that moment."""
        count_us = time.monotonic_ns() // 1000 - self._offset_us & 0xFFFF_FFFF
        head = RX.pack(freq_hz, 0, CRC_OK, count_us, 0, LORA, BW125, SF7, CR_4_5, -50.0, 9.0, 8.5, 9.5, 0, len(data))
        self._writer.write((head[:RX_HEAD] + data).ljust(RX_BYTES, b"\0"))
        return count_us

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                packet = await reader.readexactly(TX_BYTES)
                freq, mode, count_us, _, power, _, _, rate, *_, size = TX.unpack_from(packet)
                if mode == HELLO:
                    self._offset_us = (freq << 32) + count_us
                    self._writer = writer
                    self.connected.set()
                else:
                    data = packet[TX_HEAD : TX_HEAD + size]
                    self.on_air.append(OnAir(freq, rate.bit_length() + 5, count_us, power, data))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
