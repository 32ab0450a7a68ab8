"""Messages of a network server elsewhere, from its MQTT broker: acknowledged to the broker once they are on disk.

MQTT 3.1.1 (OASIS Standard, 29 October 2014) with a session that the broker keeps: what comes while nobody is here waits
there. A broker sends what it has no acknowledgement for again when we connect anew, so that is what is done about a
message that could not be stored.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import aiomqtt
from paho.mqtt.client import MQTTMessage

from torhaus.codecs.model import DecodeError, Frame, Reject, Served, Stamp
from torhaus.drivers.base import DriverGone, Host, LinkChanged
from torhaus.drivers.broker import BrokerConfig, FilesUnusable, Secrets, drop, printable
from torhaus.drivers.said import Said

Parse = Callable[[str, bytes], Served | None]

MAX_PACKET_BYTES: Final = 256 << 10
"""A broker that announces more is hung up on: nothing that is subscribed to comes near it."""
MAX_REJECT_BYTES: Final = 4096
"""As much of a message that cannot be read is kept."""
REMEMBERED: Final = 10_000
"""Messages by which repeats are recognised."""
_FUTURE_NS: Final = 300 * 10**9
_PAST_NS: Final = 1_420_070_400 * 10**9  # 2015: before that there was no LoRaWAN
_LAST_NS: Final = 4_102_444_800 * 10**9  # 2100
_QOS: Final = 1
_REFUSED: Final = 0x80
_SILENT: Final = logging.getLogger(__name__)
_SILENT.disabled = True
"""What aiomqtt and paho would log: a driver says nothing, it returns facts."""


class Subscriber:
    """One broker. `topics` are subscribed to at QoS 1; `parse` reads a message, None for one of no use."""

    def __init__(self, config: BrokerConfig, topics: list[str], parse: Parse) -> None:
        self.config = config
        self._topics = topics
        self._parse = parse
        self._seen: OrderedDict[str, list[Callable[[], None]] | None] = OrderedDict()
        """By key: acknowledgements that wait for the commit, or None: it is on disk."""

    async def run(self, host: Host) -> None:
        """Subscribe and receive until cancelled. Raises DriverGone when the broker is."""
        try:
            secrets = await self.config.secrets()
        except FilesUnusable as e:
            raise DriverGone(str(e)) from None
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            client = self._client(secrets)
        except ValueError as e:
            raise DriverGone(printable(str(e))) from None
        connection = _Connection(self, host, client, lost)
        try:
            async with client:
                granted = await client.subscribe([(topic, _QOS) for topic in self._topics])
                host.event(LinkChanged(up=True, detail=self._words(granted)))
                await self._receive(client, lost)
        except aiomqtt.MqttError as e:
            raise DriverGone(_why(e)) from None
        finally:
            connection.is_open = False
            await drop(client)

    async def _receive(self, client: aiomqtt.Client, lost: asyncio.Future[None]) -> None:
        """Until the connection is lost, or is to be. Raises DriverGone, MqttError, or what was found to be a defect."""
        try:
            async with asyncio.TaskGroup() as group:
                waits = group.create_task(_until_lost(client))
                try:
                    await asyncio.wait([waits, lost], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    waits.cancel()
        except* aiomqtt.MqttError as errors:
            if not lost.done():
                raise errors.exceptions[0] from None
        if lost.done():
            lost.result()

    def _client(self, secrets: Secrets) -> aiomqtt.Client:
        c, endpoint = self.config, self.config.endpoint()
        return aiomqtt.Client(
            endpoint.host,
            endpoint.port,
            identifier=c.client_id,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=False,
            username=c.user(),
            password=secrets.password.decode("utf-8", "surrogateescape") if secrets.password is not None else None,
            tls_context=secrets.tls,
            keepalive=c.keepalive_s,
            timeout=c.timeout_s,
            logger=_SILENT,
        )

    def _words(self, granted: Any) -> str:  # noqa: ANN401 - as aiomqtt has it
        """What the broker says to our subscriptions. Raises DriverGone for a refusal."""
        codes = [int(getattr(code, "value", code)) for code in granted]
        for topic, code in zip(self._topics, codes, strict=False):
            if code >= _REFUSED:
                raise DriverGone(Said("not_subscribed", topic=topic))
        if any(code < _QOS for code in codes):
            return Said("qos_0")
        return ""

    def take(self, topic: str, payload: bytes, host: Host, ack: Callable[[], None], refuse: Callable[[], None]) -> None:
        """One message. `ack` once it is on disk, or of no use; `refuse` when it could not be stored."""
        now = host.stamp()
        try:
            served = self._parse(topic, payload)
        except DecodeError as e:
            reject = Reject(payload[:MAX_REJECT_BYTES], e.reason, e.detail, printable(topic))
            host.deliver([], [reject], lambda stored: (ack if stored else refuse)())
            return
        if served is None:
            ack()
            return
        waiting = [ack]
        key = f"{served.dev_eui} {served.key}" if served.key else None
        if key is not None:
            if key in self._seen:
                others = self._seen[key]
                if others is None:
                    ack()  # a repeat of what is on disk
                else:
                    others.append(ack)
                return
            self._seen[key] = waiting
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        frame = Frame(self.config.name, served.payload or b"", _stamp(now, served.at_ns), served=served)

        def done(stored: bool) -> None:
            if key is not None and self._seen.get(key) is waiting:
                if stored:
                    self._seen[key] = None
                else:
                    del self._seen[key]
            for one in waiting:
                (one if stored else refuse)()

        host.deliver([frame], [], done)


class _Connection:
    """What hangs on one connection: acknowledgements of another one would mean other messages."""

    def __init__(self, subscriber: Subscriber, host: Host, client: aiomqtt.Client, lost: asyncio.Future[None]) -> None:
        self.is_open = True
        self._take = subscriber.take
        self._host = host
        self._lost = lost
        self._paho = paho = client._client  # noqa: SLF001 - aiomqtt acknowledges what nobody has stored yet
        paho.manual_ack_set(True)
        paho.on_message = self._on_message
        self._receive = paho._sock_recv  # noqa: SLF001 - there is no other way to bound what is read at once
        setattr(paho, "_sock_recv", self._bounded)  # noqa: B010 - a method of this one instance

    def _bounded(self, size: int) -> bytes:
        if size > MAX_PACKET_BYTES:
            self._fail(DriverGone(Said("too_long", size=size, most=MAX_PACKET_BYTES)))
            raise OSError("too long")
        data: bytes = self._receive(size)
        return data

    def _on_message(self, _client: object, _data: object, message: MQTTMessage) -> None:
        mid, qos, came_ns = message.mid, message.qos, self._host.boot_ns()

        def ack() -> None:
            if self.is_open and qos:
                self._paho.ack(mid, qos)
                self._host.acked((self._host.boot_ns() - came_ns) / 1e9)

        def refuse() -> None:
            if qos:
                self._host.ack_withheld()
            self._fail(DriverGone(Said("not_stored")))

        try:
            self._take(message.topic, bytes(message.payload), self._host, ack, refuse)
        except Exception as e:  # noqa: BLE001 - paho would swallow it: it ends the connection, and is told as a defect
            self._fail(e)

    def _fail(self, error: Exception) -> None:
        if not self._lost.done():
            self._lost.set_exception(error)


async def _until_lost(client: aiomqtt.Client) -> None:
    """Raises MqttError when the connection is lost."""
    async for _ in client.messages:
        pass  # they go another way


def _stamp(now: Stamp, at_ns: int | None) -> Stamp:
    """When the server says that it was received, where that can be: it may have waited at the broker for days."""
    if at_ns is None or not _PAST_NS < at_ns < _LAST_NS or (now.synced and at_ns > now.wall_ns + _FUTURE_NS):
        return now
    return Stamp(at_ns, now.boot_ns, synced=True)


def _why(error: BaseException) -> str:
    return printable(str(error.__cause__ or error)) or type(error).__name__
