"""A simulated packet forwarder: sends PUSH_DATA and PULL_DATA like the real ones, and counts what is acknowledged."""

import asyncio
import base64
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from torhaus.codecs.framing import semtech_udp as gwmp

CHANNELS: Final = (868.1, 868.3, 868.5, 867.1, 867.3, 867.5, 867.7, 867.9)
"""The usual eight of EU868, MHz."""


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


def stat(eui: str, version: int, token: int, values: dict[str, Any]) -> bytes:
    """A PUSH_DATA datagram with the gateway's own report."""
    body = msgspec.json.encode({"stat": values})
    return bytes((version,)) + token.to_bytes(2, "big") + b"\0" + bytes.fromhex(eui) + body


class SimulatedGateway(asyncio.DatagramProtocol):
    """One gateway. `sent` and `acked` are tokens; `on_ack` is called with the token of each PUSH_ACK."""

    def __init__(self, eui: str, version: int = 2) -> None:
        self.eui = eui
        self.version = version
        self.acked: set[int] = set()
        self.pulled = 0
        self._token = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[int, asyncio.Future[None]] = {}

    async def open(self, host: str, port: int) -> None:
        """Bind a socket towards the daemon."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=(host, port))

    def push(self, phys: Sequence[bytes]) -> int:
        """Send frames once, like a real forwarder; returns the token."""
        assert self._transport is not None
        self._token = (self._token + 1) & 0xFFFF
        self.acked.discard(self._token)
        self._transport.sendto(push_data(self.eui, self.version, self._token, phys))
        return self._token

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
        """Keep-alive."""
        assert self._transport is not None
        token = b"\x5a\x5a"
        self._transport.sendto(bytes((self.version,)) + token + b"\x02" + bytes.fromhex(self.eui))

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """An acknowledgement."""
        del addr
        if len(data) != 4 or data[0] != self.version:
            return
        token = int.from_bytes(data[1:3], "big")
        if data[3] == gwmp.PUSH_ACK:
            self.acked.add(token)
            waiting = self._waiting.get(token)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        elif data[3] == gwmp.PULL_ACK:
            self.pulled += 1

    def error_received(self, exc: Exception) -> None:
        """Nobody listens: a real forwarder goes on all the same."""

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
