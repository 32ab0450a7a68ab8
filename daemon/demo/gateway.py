"""A simulated packet forwarder: sends PUSH_DATA and PULL_DATA like the real ones, and answers downlinks with TX_ACK."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.framing.semtech_udp_client import build_pull_data, build_push_data, parse_answer
from torhaus.codecs.framing.semtech_udp_down import TxAck, Txpk, build_tx_ack, parse_pull_resp
from torhaus.codecs.lorawan.airtime import airtime_us
from torhaus.codecs.model import DecodeError, Radio

CHANNELS: Final = (868.1, 868.3, 868.5, 867.1, 867.3, 867.5, 867.7, 867.9)
"""The usual eight of EU868, MHz."""
BAND_HZ: Final = (863_000_000, 870_000_000)
LEAD_US: Final = 40_000
"""What comes later than this before its time is too late: so long it takes to program a concentrator, with a margin."""
ADVANCE_US: Final = 8_000_000
"""What comes earlier than this is too early; a join-accept's RX2 is six seconds after the request."""
_WRAP: Final = 0xFFFF_FFFF
_HALF: Final = 1 << 31


def push_data(eui: str, version: int, token: int, phys: Sequence[bytes], tmst: int = 0) -> bytes:
    """A PUSH_DATA datagram with one rxpk for each PHYPayload."""
    rxpk = [
        {
            "tmst": (tmst + 70_000 * i) & 0xFFFFFFFF,
            "chan": (token + i) % 8,
            "rfch": 0,
            "freq": CHANNELS[(token + i) % 8],
            "stat": 1,
            "modu": "LORA",
            "datr": "SF7BW125",
            "codr": "4/5",
            "rssi": -60 - (token + i) % 50,
            "lsnr": 9.5 - (token + i) % 12,
            "size": len(phy),
            "data": base64.b64encode(phy).decode(),
        }
        for i, phy in enumerate(phys)
    ]
    body = msgspec.json.encode({"rxpk": rxpk})
    return bytes((version,)) + token.to_bytes(2, "big") + b"\0" + bytes.fromhex(eui) + body


def _on_air_us(txpk: Txpk) -> int:
    return airtime_us(txpk.modulation, txpk.datarate, len(txpk.data), txpk.coderate, uplink=txpk.crc)


def stat(eui: str, version: int, token: int, values: dict[str, Any]) -> bytes:
    """A PUSH_DATA datagram with the gateway's own report."""
    body = msgspec.json.encode({"stat": values})
    return bytes((version,)) + token.to_bytes(2, "big") + b"\0" + bytes.fromhex(eui) + body


class Sent(msgspec.Struct, frozen=True):
    """A downlink that the gateway took. `lead_us`: how long before its time it came; 0 when it was to go at once."""

    txpk: Txpk
    at_us: int  # of the concentrator's counter
    lead_us: int


class SimulatedGateway(asyncio.DatagramProtocol):
    """One gateway: what it was acknowledged (`acked` are tokens), and what it was given to send.

    `counter_us` is the concentrator's counter; `refuse` may give a reason of one's own (GWMP `error`) for a downlink,
    and with `answers` off nothing is said of any.
    """

    def __init__(self, eui: str, version: int = 2, counter_us: Callable[[], int] | None = None) -> None:
        self.eui = eui
        self.version = version
        self.acked: set[int] = set()
        self.pulled = 0
        self.sent: list[Sent] = []
        self.refused: list[tuple[Txpk, str]] = []
        self.refuse: Callable[[Txpk], str | None] = lambda _: None
        self.on_sent: Callable[[Sent], None] | None = None
        self.answers = True
        self._counter_us = counter_us or (lambda: int(asyncio.get_running_loop().time() * 1e6) & _WRAP)
        self._token = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[int, asyncio.Future[None]] = {}

    async def open(self, host: str, port: int) -> None:
        """Bind a socket towards the daemon."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=(host, port))

    def push(self, phys: Sequence[bytes], tmst: int | None = None) -> int:
        """Send frames once, like a real forwarder; returns the token."""
        assert self._transport is not None
        self._token = (self._token + 1) & 0xFFFF
        self.acked.discard(self._token)
        at = self._counter_us() if tmst is None else tmst
        self._transport.sendto(push_data(self.eui, self.version, self._token, phys, at))
        return self._token

    def hear(self, frames: Sequence[tuple[bytes, Radio]]) -> None:
        """Send what was heard, with its radio data."""
        assert self._transport is not None
        self._token = (self._token + 1) & 0xFFFF
        token = self._token.to_bytes(2, "big")
        self._transport.sendto(build_push_data(token, self.eui, frames, version=self.version))

    async def push_acked(self, phys: Sequence[bytes], timeout_s: float) -> bool:
        """Send and wait for the acknowledgement. False when none came in time."""
        token = self.push(phys)
        if token in self.acked:
            return True
        future = self._waiting[token] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(token, None)
        return True

    def report(self, values: dict[str, Any]) -> None:
        """Send a `stat`."""
        assert self._transport is not None
        self._token = (self._token + 1) & 0xFFFF
        self._transport.sendto(stat(self.eui, self.version, self._token, values))

    def pull(self) -> None:
        """Keep-alive: opens the way down."""
        assert self._transport is not None
        self._transport.sendto(build_pull_data(b"\x5a\x5a", self.eui, self.version))

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """An acknowledgement, or something to send."""
        del addr
        try:
            answer = parse_answer(data)
            if answer.version != self.version:
                return
            if answer.kind == gwmp.PULL_RESP:
                self._take(answer.token, parse_pull_resp(data).txpk)
        except DecodeError:
            return  # a real forwarder drops it, too
        if answer.kind == gwmp.PUSH_ACK:
            token = int.from_bytes(answer.token, "big")
            self.acked.add(token)
            waiting = self._waiting.get(token)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        elif answer.kind == gwmp.PULL_ACK:
            self.pulled += 1

    def _take(self, token: bytes, txpk: Txpk) -> None:
        """Queue a downlink or refuse it, and say so: version 1 has no way to."""
        now = self._counter_us()
        at = now if txpk.tmst_us is None else txpk.tmst_us
        lead_us = ((at - now + _HALF) & _WRAP) - _HALF  # the counter wraps
        error = self.refuse(txpk) or self._fault(txpk, at, lead_us)
        if error is None:
            self.sent.append(Sent(txpk, at, lead_us))
            if self.on_sent is not None:
                self.on_sent(self.sent[-1])
        else:
            self.refused.append((txpk, error))
        if self.answers and self.version > 1 and self._transport is not None:
            self._transport.sendto(build_tx_ack(token, self.eui, TxAck(error), self.version))

    def _fault(self, txpk: Txpk, at: int, lead_us: int) -> str | None:
        """Why a concentrator would not send it (sx1302_hal: jitqueue.c has the limits)."""
        if txpk.gps_time_ms is not None:
            return "GPS_UNLOCKED"
        if not BAND_HZ[0] <= txpk.freq_hz <= BAND_HZ[1]:
            return "TX_FREQ"
        if txpk.immediate:
            return None
        if lead_us < LEAD_US:
            return "TOO_LATE"
        if lead_us > ADVANCE_US:
            return "TOO_EARLY"
        mine_us = _on_air_us(txpk)
        for one in self.sent[-32:]:
            after_us = ((at - one.at_us + _HALF) & _WRAP) - _HALF
            if -mine_us < after_us < _on_air_us(one.txpk):
                return "COLLISION_PACKET"
        return None

    def error_received(self, exc: Exception) -> None:
        """Nobody listens: a real forwarder goes on all the same."""

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
