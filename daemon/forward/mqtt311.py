"""Forwarder `mqtt` for brokers that speak only MQTT 3.1.1, through aiomqtt. Same config, same contract as `mqtt.py`.

Source: MQTT Version 3.1.1, OASIS Standard, 29 October 2014. Its PUBACK (3.4) has no reason: a broker that does not want
a message acknowledges it all the same or closes the connection, so a broker never refuses anything for good here, and a
message that nobody subscribes to counts as delivered.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Final

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from torhaus.daemon.forward.base import Context, Item, Outcome, Unavailable
from torhaus.daemon.forward.flight import ProtocolError
from torhaus.daemon.forward.mqtt_config import Config, Renderer
from torhaus.daemon.forward.parcels import Parcel, parcels_of
from torhaus.daemon.forward.unreachable import why
from torhaus.daemon.mqtt import reasons
from torhaus.drivers.broker import drop

_IN_FLIGHT: Final = 20
"""Publishes at once. 3.1.1 has no receive maximum; common brokers queue or drop beyond 20."""

_MAX_TOPIC_BYTES: Final = 65_535
_CLOSE_S: Final = 2.0

_SILENT: Final = logging.getLogger(__name__)
_SILENT.disabled = True
"""What aiomqtt and paho would log: a forwarder says nothing, it returns facts."""


class Mqtt311Forwarder:
    """One MQTT 3.1.1 broker."""

    note: str | None = None

    def __init__(self, config: Config, context: Context) -> None:
        self.max_batch = config.max_batch
        self.concurrency = config.concurrency
        self._config = config
        self._renderer = Renderer(config, context)
        self._client: aiomqtt.Client | None = None

    async def open(self) -> None:
        """Connect and say so on the status topic. Raises Unavailable."""
        await self.close()
        config, renderer = self._config, self._renderer
        endpoint = config.endpoint()
        secrets = await config.secrets()
        status = renderer.status_topic
        client = aiomqtt.Client(
            endpoint.host,
            endpoint.port,
            identifier=renderer.client_id,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=True,  # only publishes, and what has no PUBACK is sent again anyway
            username=config.username,
            password=secrets.password.decode("utf-8", "surrogateescape") if secrets.password is not None else None,
            tls_context=secrets.tls,
            keepalive=config.keepalive_s,
            timeout=config.timeout_s,
            will=aiomqtt.Will(status, renderer.status("offline"), qos=1, retain=True) if status else None,
            max_inflight_messages=_IN_FLIGHT,
            max_queued_incoming_messages=1,
            logger=_SILENT,
        )
        client.pending_calls_threshold = 1 << 16
        try:
            await client.__aenter__()
            if status:
                await client.publish(status, renderer.status("online"), qos=1, retain=True)
        except BaseException as error:
            await drop(client)
            if isinstance(error, (aiomqtt.MqttError, ValueError)):
                raise Unavailable(_why(error)) from None
            raise
        self._client = client

    async def send(self, batch: list[Item]) -> Outcome:
        """Publish and wait for each PUBACK, a bounded number at once. Raises Unavailable when none came."""
        client = self._client
        if client is None:
            raise Unavailable("not connected")
        outcome = Outcome([], {}, {})
        if batch and batch[0].message.late and self._config.backlog_pack > 1:
            parcels = parcels_of(batch, self._renderer, self._config.backlog_pack, set())
        else:
            parcels = [Parcel([i]) for i in range(len(batch))]
        rest = iter(parcels)
        lost: str | None = None
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(_until_lost(client))
                workers = [
                    group.create_task(self._work(client, batch, rest, outcome))
                    for _ in range(min(_IN_FLIGHT, len(parcels)))
                ]
                for worker in workers:
                    await worker
                watch.cancel()
        except* aiomqtt.MqttError as errors:
            lost = _why(errors.exceptions[0])
        outcome.accepted.sort()
        if lost is not None:
            self._client = None
            await drop(client)
            if not outcome.accepted and not outcome.rejected:
                raise Unavailable(lost)
            unsent = {i for parcel in rest for i in parcel.indices}  # nothing is held against them
            settled = {*outcome.accepted, *outcome.rejected, *unsent}
            outcome.kept = {index: lost for index in range(len(batch)) if index not in settled}
        return outcome

    async def gone(self) -> None:
        """Wait until the connection is lost. Raises Unavailable."""
        client = self._client
        if client is not None:
            try:
                await _until_lost(client)
            except aiomqtt.MqttError as error:
                raise Unavailable(_why(error)) from None
        raise Unavailable("connection lost")

    async def close(self) -> None:
        """Say `offline`, disconnect in order. Never raises."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_S):
                if self._renderer.status_topic:
                    status = self._renderer.status("offline")
                    await client.publish(self._renderer.status_topic, status, qos=1, retain=True)
                await client.__aexit__(None, None, None)
        except (aiomqtt.MqttError, TimeoutError):
            await drop(client)  # the will says it instead

    async def _work(self, client: aiomqtt.Client, batch: list[Item], rest: Iterator[Parcel], outcome: Outcome) -> None:
        """Take the next parcel, publish, wait; so messages leave in order. Raises MqttError for a loss."""
        renderer = self._renderer
        for parcel in rest:
            message = batch[parcel.indices[0]].message
            try:
                topic = renderer.topic_of(message) if parcel.payload is None else renderer.backlog_topic
                if len(topic.encode()) > _MAX_TOPIC_BYTES:
                    raise ProtocolError("topic longer than 65,535 bytes")  # noqa: TRY301
                payload = renderer.payload(message) if parcel.payload is None else parcel.payload
                await client.publish(topic, payload, qos=1)
            except (ProtocolError, ValueError) as error:  # ValueError: what paho says of a topic or payload
                outcome.rejected |= dict.fromkeys(parcel.indices, reasons.printable(str(error)))
            else:
                outcome.accepted += parcel.indices


async def _until_lost(client: aiomqtt.Client) -> None:
    """Raises MqttError when the connection is lost: a publish that waits for its PUBACK would not notice."""
    async for _ in client.messages:
        pass  # nothing is subscribed


def _why(error: BaseException) -> str:
    """One line for status and log."""
    if isinstance(error, aiomqtt.MqttCodeError) and isinstance(error.rc, ReasonCode):
        # paho gives a 3.1.1 return code as that of MQTT 5
        return f"broker refused: {reasons.describe(error.rc.value, is_connack=True)}"
    if isinstance(error.__cause__, OSError):
        return why(error.__cause__)
    return reasons.printable(str(error.__cause__ or error)) or type(error).__name__
