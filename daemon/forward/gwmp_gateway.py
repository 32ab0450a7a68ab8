"""One simulated packet forwarder: a socket of its own, since a server tells gateways apart by where they speak from."""

import asyncio
import secrets
from collections.abc import Container
from time import gmtime, strftime
from typing import Final, Protocol

from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.framing.semtech_udp_client import build_pull_data, build_push_data, parse_answer
from torhaus.codecs.framing.semtech_udp_down import TxAck, build_tx_ack
from torhaus.codecs.model import DecodeError
from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.gwmp_frames import Counter, Uplink

MAX_PULLS: Final = 8
"""Keep-alives whose answer is still taken."""
Stat = dict[str, float | int | str]


class Owner(Protocol):
    """Whom a simulated gateway tells what comes."""

    def answered(self) -> None:
        """The server has answered."""
        ...

    def lost(self, why: str) -> None:
        """There is no way to the server."""
        ...

    def pulled(self, gateway: "SimulatedGateway", data: bytes) -> None:
        """A PULL_RESP has come."""
        ...


class SimulatedGateway(asyncio.DatagramProtocol):
    """Speaks for one gateway. `local` is its EUI here, `remote` the one that the server knows it by."""

    def __init__(self, local: str, remote: str, clock: Clock, owner: Owner) -> None:
        self.local = local
        self.remote = remote
        self.counter = Counter()
        self.missed = 0  # keep-alives in a row without an answer
        self.answered_ns: int | None = None  # boot time of the server's last answer
        self.reported_ns: int | None = None  # boot time of the last report of its own that was passed on
        self._clock = clock
        self._owner = owner
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[bytes, asyncio.Future[bool]] = {}  # PUSH_DATA by token
        self._pulls: dict[bytes, None] = {}  # tokens of the last keep-alives
        self._zero()

    def _zero(self) -> None:
        self._frames = self._pushed = self._acked = self._downlinks = self._sent = 0

    async def open(self, address: tuple[str, int]) -> None:
        """A socket to this address. Raises OSError."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=address)
        self._transport = transport

    def close(self) -> None:
        """Nothing is waited for any more."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
        self._fail()

    def _fail(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(False)

    def error_received(self, exc: Exception) -> None:
        """An ICMP answer: nobody listens there, or there is no way."""
        self._fail()
        self._owner.lost(getattr(exc, "strerror", None) or str(exc) or type(exc).__name__)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Something from the server: the socket is connected, so nobody else is heard."""
        del addr
        try:
            answer = parse_answer(data)
        except DecodeError:
            return  # no server's datagram: nothing hangs on it, and whoever waits for an answer goes on waiting
        if answer.kind == gwmp.PUSH_ACK:
            waiting = self._waiting.get(answer.token)
            if waiting is None or waiting.done():
                return  # a token that nobody waits for: a late answer, or a repeated one
            waiting.set_result(True)
        elif answer.kind == gwmp.PULL_ACK:
            if self._pulls.pop(answer.token, self) is self:
                return
            self.missed = 0
        else:
            self._owner.pulled(self, data)
            return
        self.answered_ns = self._clock.boot_ns()
        self._owner.answered()

    def keep_alive(self) -> None:
        """Open the way down, and ask whether the server is there."""
        self.missed += 1
        token = self._token(self._pulls)
        self._pulls[token] = None
        if len(self._pulls) > MAX_PULLS:
            del self._pulls[next(iter(self._pulls))]
        self._send(build_pull_data(token, self.remote))

    async def push(self, uplinks: list[Uplink], timeout_s: float, stat: Stat | None = None) -> bool:
        """One PUSH_DATA; whether its PUSH_ACK has come."""
        token = self._token(self._waiting)
        waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[token] = waiting
        for one in uplinks:
            self.counter.note(one)
        self._frames += len(uplinks)
        self._pushed += 1
        try:
            self._send(build_push_data(token, self.remote, [(u.phy, u.radio) for u in uplinks], stat))
            async with asyncio.timeout(timeout_s):
                is_acked = await waiting
        except TimeoutError:
            return False
        finally:
            del self._waiting[token]
        self._acked += is_acked
        return is_acked

    def answer(self, token: bytes, ack: TxAck) -> None:
        """Say what became of a PULL_RESP."""
        self._downlinks += 1
        self._sent += ack.error is None
        self._send(build_tx_ack(token, self.remote, ack))

    def stat(self) -> Stat:
        """What was done since this was asked last, as packet forwarders report it (PROTOCOL.md, section 4)."""
        report: Stat = {
            "time": strftime("%Y-%m-%d %H:%M:%S GMT", gmtime(self._clock.wall_ns() // 1_000_000_000)),
            "rxnb": self._frames,
            "rxok": self._frames,
            "rxfw": self._frames,
            "ackr": round(100 * self._acked / self._pushed, 1) if self._pushed else 100.0,
            "dwnb": self._downlinks,
            "txnb": self._sent,
        }
        self._zero()
        return report

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data)

    @staticmethod
    def _token(taken: Container[bytes]) -> bytes:
        """Two bytes that nobody else could guess, and that nothing else waits for."""
        while (token := secrets.token_bytes(2)) in taken:
            pass
        return token
