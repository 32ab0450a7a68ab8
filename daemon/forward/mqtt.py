"""Forwarder `mqtt`: records to an MQTT 5 broker, QoS 1, pipelined, each settled by its own PUBACK.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019. `protocol = "3.1.1"` leads to `mqtt311.py`, same contract.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from torhaus.daemon.forward.base import Context, Forwarder, Item, Outcome, Unavailable
from torhaus.daemon.forward.connection import until_lost
from torhaus.daemon.forward.flight import UNSENDABLE, Receipts, Render
from torhaus.daemon.forward.mqtt_config import Config, Renderer, State
from torhaus.daemon.forward.order_commands import AT_ONCE, OrderCommands
from torhaus.daemon.forward.parcels import Parcel
from torhaus.daemon.forward.payloads import CONTENT_TYPES
from torhaus.daemon.forward.verdicts import Verdicts
from torhaus.daemon.mqtt import reasons, wire
from torhaus.daemon.mqtt.session import Session, SessionLost, Settings, connect
from torhaus.daemon.mqtt.subscriber import Keeping, connect_keeping
from torhaus.daemon.supervise import together

__all__ = ["Config", "MqttForwarder", "open_forwarder"]


class _Reasons:
    """The table of `reasons.py`, as Verdicts asks it."""

    no_receipt = "no PUBACK"
    describe = staticmethod(reasons.describe)
    blames_message = staticmethod(reasons.blames_message)

    @staticmethod
    def is_final(code: int) -> bool:
        return reasons.verdict_on_message(code) is reasons.Verdict.DEAD_LETTER


class MqttForwarder:
    """One MQTT 5 broker."""

    def __init__(self, config: Config, context: Context) -> None:
        self.max_batch = config.max_batch
        self.concurrency = config.concurrency
        self.note: str | None = None  # why the broker did not take the status message or the subscription, if so
        self._no_commands: str | None = None
        self.commands: Counter[tuple[str, str]] = Counter()
        self._config = config
        self._renderer = Renderer(config, context)
        self._session: Session | None = None
        orders = context.downlinks.orders if context.downlinks is not None and config.command_topic else None
        self._orders = OrderCommands(orders, config.name, context.clock, self.commands) if orders is not None else None
        self._last_id = 0
        self._verdicts = Verdicts(_Reasons(), self._renderer, config.backlog_pack)

    async def open(self) -> None:
        """Connect and say so on the status topic. Raises Unavailable."""
        await self.close()
        config, renderer = self._config, self._renderer
        endpoint = config.endpoint()
        secrets = await config.secrets()
        settings = Settings(
            host=endpoint.host,
            port=endpoint.port,
            client_id=renderer.client_id,
            tls=secrets.tls,
            username=config.username,
            password=secrets.password,
            keepalive_s=config.keepalive_s,
            session_expiry_s=config.session_expiry_s,
            timeout_s=config.timeout_s,
            will_topic=renderer.status_topic or None,
            will_payload=renderer.status("offline"),
            receive_max=0xFFFF if self._orders is None else AT_ONCE,
        )
        try:
            session = await self._connect(settings)
        except SessionLost as lost:
            raise Unavailable(str(lost)) from None
        self._session = session
        receipts = await self._say(session, "online")
        if receipts is not None and receipts.lost is not None:
            raise Unavailable(receipts.lost)

    async def _connect(self, settings: Settings) -> Session:
        """A session; where orders are taken, with the subscription. Raises SessionLost."""
        if self._orders is None:
            return await connect(settings, self._last_id)
        self._orders.forget()
        session: Keeping = await connect_keeping(settings, self._orders.put, self._last_id)
        refused = await session.subscribe([self._renderer.command_topic])
        why = next(iter(refused.values()), None)
        self.note = self._no_commands = None if why is None else f"no commands: subscription refused: {why}"
        return session

    async def send(self, batch: list[Item]) -> Outcome:
        """Publish and wait for all PUBACKs. Raises Unavailable when the connection was lost before the first."""
        session = self._session
        if session is None or session.lost is not None:
            raise Unavailable(str(session.lost) if session is not None and session.lost else "not connected")
        verdicts = self._verdicts
        alone = verdicts.alone(batch)
        urgency = 0 if batch and batch[0].message.alarm else 2 if batch and batch[0].message.late else 1
        parcels = verdicts.parcels(batch, alone=alone)
        render = self._render_from(batch) if parcels is None else self._render_parcels(batch, parcels)
        count = len(batch) if parcels is None else len(parcels)
        receipts = await session.publish(count, render, alone=alone, urgency=urgency)
        return verdicts.outcome(batch, parcels, receipts, alone=alone)

    async def gone(self) -> None:
        """Take orders until the connection is lost. Raises Unavailable."""
        session = self._session
        work: dict[str, Callable[[], Awaitable[None]]] = {"connection": lambda: until_lost(session)}
        if self._orders is not None:
            work["orders"] = self._orders.run
        raise await together(work, Unavailable)

    async def close(self) -> None:
        """Say `offline`, disconnect in order. Never raises."""
        session, self._session = self._session, None
        if session is None:
            return
        try:
            async with asyncio.timeout(2.0):
                await self._say(session, "offline")
        except TimeoutError:
            session.abandon()  # the will says it instead
        await session.close()
        self._last_id = session.last_id

    def _render_from(self, batch: list[Item]) -> Render:
        """The hot path: one record as one PUBLISH."""
        topic_of, payload_of = self._renderer.topic_of, self._renderer.payload
        encode_publish = wire.encode_publish
        content_type = CONTENT_TYPES[self._config.format]
        utf8 = self._config.format == "json"
        with_properties = self._config.user_properties

        def render(index: int, packet_id: int) -> bytes:
            message = batch[index].message
            late = "1" if message.late else "0"
            return encode_publish(
                topic_of(message),
                payload_of(message),
                packet_id,
                content_type=content_type,
                utf8=utf8,
                user_properties=[("id", message.id), ("late", late)] if with_properties else None,
            )

        return render

    def _render_parcels(self, batch: list[Item], parcels: list[Parcel]) -> Render:
        """Late records, several in a PUBLISH."""
        single = self._render_from([batch[p.indices[0]] for p in parcels])
        topic, utf8 = self._renderer.backlog_topic, self._config.format == "json"
        content_type = CONTENT_TYPES[self._config.format]
        properties = [("late", "1")] if self._config.user_properties else None

        def render(index: int, packet_id: int) -> bytes:
            payload = parcels[index].payload
            if payload is None:
                return single(index, packet_id)
            return wire.encode_publish(
                topic, payload, packet_id, content_type=content_type, utf8=utf8, user_properties=properties
            )

        return render

    async def _say(self, session: Session, state: State) -> Receipts | None:
        renderer = self._renderer
        if not renderer.status_topic:
            return None
        payload = renderer.status(state)
        receipts = await session.publish(
            1, lambda _, pid: wire.encode_publish(renderer.status_topic, payload, pid, retain=True, utf8=True)
        )
        code, text = receipts.codes[0], receipts.texts.get(0)
        if code == UNSENDABLE:
            self.note = f"status message not sent: {text}"
        elif code >= 0:
            refused = f"status message refused: {reasons.describe(code, text)}"
            self.note = refused if code >= 0x80 else self._no_commands
        return receipts


def open_forwarder(config: Config, context: Context) -> Forwarder:
    """The forwarder for this config. Nothing is connected yet."""
    if config.protocol == "3.1.1":
        from torhaus.daemon.forward.mqtt311 import Mqtt311Forwarder

        return Mqtt311Forwarder(config, context)
    return MqttForwarder(config, context)
