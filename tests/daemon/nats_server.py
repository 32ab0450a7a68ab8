"""A small NATS server with a stream for everything, on loopback, in the test's own loop; bad manners on request."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

import msgspec

GOOD = '{"stream":"TORHAUS", "seq":%d}'


class Manners(msgspec.Struct, kw_only=True):
    """What it does other than a good one. May be changed while it runs; counts start with the server.

    `answer_for` gives what is answered to a message, None for nothing, b"" for "no responders". `close_after` ends a
    connection when so many messages have come over it, before the last is answered; `say_after` says `says` then.
    """

    never_ack: bool = False
    hold_acks: bool = False
    acks: int = 1
    answer_for: Callable[["Received", int], bytes | None] | None = None
    close_after: int | None = None
    say_after: int | None = None
    says: bytes = b""
    no_pong: bool = False
    refuse: str | None = None
    info: dict[str, Any] = {}
    hello: bytes | None = None
    forbidden: str | None = None
    """Subjects that begin so are refused."""


class Received(msgspec.Struct):
    """A message as it came."""

    subject: str
    reply: str
    headers: dict[str, str]
    payload: bytes
    is_acked: bool = False


class Peer(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: "NatsServer") -> None:
        self.server = server
        self.subscriptions: dict[str, str] = {}
        self.transport: asyncio.Transport
        self.connect: dict[str, Any] = {}
        self.count = 0
        self._data = b""
        self._held: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.peers.append(self)
        manners = self.server.manners
        self.transport.write(self.server.info() if manners.hello is None else manners.hello)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.peers.remove(self)

    def data_received(self, data: bytes) -> None:
        self._data += data
        while b"\r\n" in self._data and not self.transport.is_closing():
            line, _, rest = self._data.partition(b"\r\n")
            words = line.decode().split()
            if words[0] in {"PUB", "HPUB"}:
                size = int(words[-1])
                if len(rest) < size + 2:
                    return
                body, self._data = rest[:size], rest[size + 2 :]
                self._message(words, body)
            else:
                self._data = rest
                self._line(words, line)

    def _line(self, words: list[str], line: bytes) -> None:
        manners = self.server.manners
        if words[0] == "CONNECT":
            self.connect = json.loads(line[8:])
            if manners.refuse:
                self.say(f"-ERR '{manners.refuse}'\r\n".encode())
                self.transport.close()
        elif words[0] == "SUB":
            self.subscriptions[words[1]] = words[-1]
            self.server.subscribed.append(words[1])
            if manners.forbidden and words[1].startswith(manners.forbidden):
                self.say(f"-ERR 'Permissions Violation for Subscription to \"{words[1]}\"'\r\n".encode())
        elif words[0] == "PING" and not manners.no_pong:
            self.say(b"PONG\r\n")

    def _message(self, words: list[str], body: bytes) -> None:
        server, manners = self.server, self.server.manners
        head: dict[str, str] = {}
        if words[0] == "HPUB":
            block, body = body[: int(words[-2])], body[int(words[-2]) :]
            assert block.startswith(b"NATS/1.0\r\n")
            assert block.endswith(b"\r\n\r\n")
            head = dict(row.split(": ", 1) for row in block.decode().split("\r\n")[1:-2])
        one = Received(words[1], words[2] if len(words) > (4 if head else 3) else "", head, body)
        server.messages.append(one)
        self.count += 1
        if self.count == manners.close_after:
            self.transport.abort()
            return
        if self.count == manners.say_after:
            self.say(manners.says)
            return
        if manners.forbidden and one.subject.startswith(manners.forbidden):
            self.say(f"-ERR 'Permissions Violation for Publish to \"{one.subject}\"'\r\n".encode())
            return
        number = len(server.messages)
        answer = (GOOD % number).encode()
        if manners.answer_for is not None:
            found = manners.answer_for(one, number)
            if found is None:
                return
            answer = found
        one.is_acked = answer == (GOOD % number).encode()
        if not manners.never_ack and one.reply:
            for _ in range(manners.acks):
                self._ack(one.reply, answer)

    def _ack(self, reply: str, answer: bytes) -> None:
        sid = next(sid for subject, sid in self.subscriptions.items() if reply.startswith(subject.rstrip("*>")))
        data = f"MSG {reply} {sid} {len(answer)}\r\n".encode() + answer + b"\r\n"
        if not answer:
            data = f"HMSG {reply} {sid} 16 16\r\n".encode() + b"NATS/1.0 503\r\n\r\n\r\n"
        if self.server.manners.hold_acks:
            self._held.append(data)
        else:
            self.say(data)

    def release(self) -> None:
        held, self._held = self._held, []
        for data in held:
            self.say(data)

    def say(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)


class NatsServer:
    """`async with NatsServer() as server:` listens on `server.port`; `server.messages` is all that came."""

    def __init__(self, port: int = 0, **manners: Any) -> None:
        self.port = port
        self.manners = Manners(**manners)
        self.messages: list[Received] = []
        self.subscribed: list[str] = []
        self.peers: list[Peer] = []
        self._server: asyncio.Server

    def info(self, **more: Any) -> bytes:
        values = {"server_id": "X", "version": "2.9.10", "headers": True, "max_payload": 1 << 20, "jetstream": True}
        return f"INFO {json.dumps(values | self.manners.info | more)}\r\n".encode()

    def say(self, data: bytes) -> None:
        for peer in self.peers:
            peer.say(data)

    def release(self) -> None:
        self.manners.hold_acks = False
        for peer in self.peers:
            peer.release()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Peer(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for peer in list(self.peers):
            peer.transport.abort()
        while self.peers:  # noqa: ASYNC110 - its transports end in the next rounds of the loop
            await asyncio.sleep(0)
        await self._server.wait_closed()
