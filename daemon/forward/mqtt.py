"""Forwarder `mqtt`: records to an MQTT 5 broker, QoS 1, pipelined, each settled by its own PUBACK.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019. `protocol = "3.1.1"` leads to `mqtt311.py`, same contract.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from torhaus.daemon.forward.base import Context, Forwarder, Item, Outcome, Unavailable
from torhaus.daemon.forward.mqtt_commands import AT_ONCE, OrderCommands
from torhaus.daemon.forward.mqtt_config import CONTENT_TYPES, Config, Renderer, State
from torhaus.daemon.forward.parcels import Parcel, parcels_of
from torhaus.daemon.mqtt import reasons, wire
from torhaus.daemon.mqtt.flight import MAX_WINDOW, UNSENDABLE, Receipts, Render
from torhaus.daemon.mqtt.session import Session, SessionLost, Settings, connect
from torhaus.daemon.mqtt.subscriber import Keeping, connect_keeping
from torhaus.daemon.supervise import together

__all__ = ["Config", "MqttForwarder", "open_forwarder"]


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
        self._suspects: set[str] = set()  # ids of the records one of which made the broker disconnect
        self._unpacked: set[str] = set()  # ids of records that are sent by themselves: the broker refused their parcel

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
        alone = bool(self._suspects) and not self._suspects.isdisjoint(item.message.id for item in batch)
        late = bool(batch) and batch[0].message.late
        urgency = 0 if batch and batch[0].message.alarm else 2 if late else 1
        if late and self._config.backlog_pack > 1 and not alone:
            parcels = parcels_of(batch, self._renderer, self._config.backlog_pack, self._unpacked)
            render = self._render_parcels(batch, parcels)
        else:
            parcels = [Parcel([i]) for i in range(len(batch))]
            render = self._render_from(batch)
        receipts = await session.publish(len(parcels), render, alone=alone, urgency=urgency)
        return self._outcome(batch, parcels, receipts, alone=alone)

    async def gone(self) -> None:
        """Take orders until the connection is lost. Raises Unavailable."""
        if self._orders is None:
            await self._until_lost()
            return
        work: dict[str, Callable[[], Awaitable[None]]] = {"orders": self._orders.run, "connection": self._until_lost}
        raise await together(work, Unavailable)

    async def _until_lost(self) -> None:
        session = self._session
        if session is not None:
            await asyncio.shield(session.closed)
        raise Unavailable(str(session.lost) if session is not None and session.lost else "connection lost")

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

    def _outcome(self, batch: list[Item], parcels: list[Parcel], receipts: Receipts, *, alone: bool) -> Outcome:
        """The table of `reasons.py` applied."""
        codes = receipts.codes
        if codes.count(0) == len(codes):
            outcome = Outcome(accepted=list(range(len(batch))))
        else:
            outcome = Outcome([], {}, {})
            for index, code in enumerate(codes):
                self._sort(batch, parcels[index], outcome, index, code, receipts)
        if self._unpacked:
            self._unpacked.difference_update(batch[i].message.id for i in outcome.accepted)
            self._unpacked.difference_update(batch[i].message.id for i in outcome.rejected)
        if alone:
            self._suspects.difference_update(
                item.message.id for item, code in zip(batch, codes, strict=True) if code >= 0 or code == UNSENDABLE
            )
        if receipts.lost is not None:
            self._lost(batch, parcels, receipts, outcome)
        return outcome

    def _sort(
        self, batch: list[Item], parcel: Parcel, outcome: Outcome, index: int, code: int, receipts: Receipts
    ) -> None:
        """What one message's answer means for the records in it."""
        if code == 0:
            outcome.accepted += parcel.indices
            return
        is_final = code == UNSENDABLE or (code > 0 and reasons.verdict_on_message(code) is reasons.Verdict.DEAD_LETTER)
        if code == UNSENDABLE:
            why = receipts.texts.get(index, "")
        elif code > 0:
            why = reasons.describe(code, receipts.texts.get(index))
        elif index in receipts.in_flight:
            why = receipts.lost or "no PUBACK"
        else:
            return  # it was not sent: kept, and nothing is held against it
        if not is_final:
            outcome.kept |= dict.fromkeys(parcel.indices, why)
        elif len(parcel.indices) == 1:
            outcome.rejected[parcel.indices[0]] = why
        else:
            self._send_singly(batch, parcel)

    def _send_singly(self, batch: list[Item], parcel: Parcel) -> None:
        """One of them is to blame: next time each goes by itself."""
        if len(self._unpacked) > MAX_WINDOW * self._config.backlog_pack:
            self._unpacked.clear()
        self._unpacked.update(batch[i].message.id for i in parcel.indices)

    def _lost(self, batch: list[Item], parcels: list[Parcel], receipts: Receipts, outcome: Outcome) -> None:
        """The connection ended within this batch. Raises Unavailable where nothing is known of any item."""
        code = receipts.lost_code
        if code is not None and reasons.blames_message(code) and receipts.in_flight:
            suspects = [parcels[index] for index in receipts.in_flight]
            if receipts.all_in_flight == 1 and len(suspects[0].indices) == 1:
                (index,) = suspects[0].indices
                outcome.rejected[index] = receipts.lost or ""
                self._suspects.discard(batch[index].message.id)
            else:  # one of them: they go out one by one next time, until it is found
                if len(self._suspects) > MAX_WINDOW:
                    self._suspects.clear()
                self._suspects.update(batch[i].message.id for parcel in suspects for i in parcel.indices)
        if not outcome.accepted and not outcome.rejected and all(code < 0 for code in receipts.codes):
            raise Unavailable(receipts.lost or "")


def open_forwarder(config: Config, context: Context) -> Forwarder:
    """The forwarder for this config. Nothing is connected yet."""
    if config.protocol == "3.1.1":
        from torhaus.daemon.forward.mqtt311 import Mqtt311Forwarder

        return Mqtt311Forwarder(config, context)
    return MqttForwarder(config, context)
