"""Forwarder `mqtt`: records to an MQTT 5 broker, QoS 1, pipelined, each settled by its own PUBACK.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019. `protocol = "3.1.1"` leads to `mqtt311.py`, same contract.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec

from torhaus.daemon.forward.base import Context, Forwarder, Item, Outcome, Unavailable
from torhaus.daemon.forward.message import Message
from torhaus.daemon.mqtt import reasons, wire
from torhaus.daemon.mqtt.bounds import ProtocolError
from torhaus.daemon.mqtt.endpoint import Endpoint, Secrets, parse_url, read_secrets
from torhaus.daemon.mqtt.flight import MAX_WINDOW, UNSENDABLE, Receipts, Render
from torhaus.daemon.mqtt.session import Session, SessionLost, Settings, connect
from torhaus.daemon.mqtt.topic import MESSAGE_KEYS, STATUS_KEYS, Topics, check_template, fill

_CONTENT_TYPES: Final = {"json": "application/json", "msgpack": "application/msgpack"}

State = Literal["online", "offline"]
Seconds = Annotated[float, msgspec.Meta(ge=1, le=600)]
Batch = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[forwarder]]` of type `mqtt`. Raises ValueError where the parts do not make sense together."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    type: Literal["mqtt"] = "mqtt"
    url: str
    insecure: bool = False
    protocol: Literal["5", "3.1.1"] = "5"
    client_id: str | None = None
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    topic: str = "torhaus/{site}/{device}/{kind}"
    format: Literal["json", "msgpack"] = "json"
    status_topic: str = "torhaus/{site}/status"
    user_properties: bool = True
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 60
    session_expiry_s: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFE)] = 86_400
    timeout_s: Seconds = 30.0
    max_batch: Batch = 256
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=16)] = 2

    def __post_init__(self) -> None:
        endpoint = self.endpoint()
        if not endpoint.encrypted:
            if not (self.insecure or endpoint.loopback):
                raise ValueError("url: mqtt:// is not encrypted; use mqtts://, or insecure = true on a trusted line")
            if self.ca_file or self.cert_file or self.key_file:
                raise ValueError("ca_file, cert_file and key_file need a url with mqtts://")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together: set both or neither")
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file needs a username")
        key = "topic"
        try:
            check_template(self.topic, MESSAGE_KEYS)
            key = "status_topic"
            if self.status_topic:
                check_template(self.status_topic, STATUS_KEYS)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None

    def endpoint(self) -> Endpoint:
        """The address in `url`. Raises ValueError."""
        try:
            return parse_url(self.url)
        except ValueError as error:
            raise ValueError(f"url: {error}") from None

    async def secrets(self) -> Secrets:
        """What the files hold now. Raises Unavailable."""
        return await asyncio.to_thread(
            read_secrets,
            encrypted=self.endpoint().encrypted,
            ca_file=self.ca_file,
            cert_file=self.cert_file,
            key_file=self.key_file,
            password_file=self.password_file,
        )


class Renderer:
    """Records as topics and payloads; what both protocol versions send."""

    def __init__(self, config: Config, context: Context) -> None:
        self.topic_of = Topics(config.topic).of
        encoder = msgspec.json.Encoder() if config.format == "json" else msgspec.msgpack.Encoder()
        self._encode: Callable[[Message], bytes] = encoder.encode
        self._format = config.format
        self.client_id = config.client_id or f"torhaus-{context.site}-{config.name}"
        self.status_topic = fill(config.status_topic, site=context.site, name=config.name)
        self._about = {"site": context.site, "forwarder": config.name, "version": context.version}

    def payload(self, message: Message) -> bytes:
        """The record as it is sent. Raises ProtocolError where it cannot be written."""
        try:
            return self._encode(message)
        except (ValueError, TypeError, OverflowError, msgspec.MsgspecError) as error:
            raise ProtocolError(f"cannot be written as {self._format}: {error}") from None

    def status(self, state: State) -> bytes:
        """The retained status message."""
        return msgspec.json.encode({"state": state, **self._about})


class MqttForwarder:
    """One MQTT 5 broker."""

    def __init__(self, config: Config, context: Context) -> None:
        self.max_batch = config.max_batch
        self.concurrency = config.concurrency
        self.note: str | None = None  # why the broker did not take the status message, if so
        self._config = config
        self._renderer = Renderer(config, context)
        self._session: Session | None = None
        self._last_id = 0
        self._suspects: set[str] = set()  # ids of the records one of which made the broker disconnect

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
        )
        try:
            session = await connect(settings, self._last_id)
        except SessionLost as lost:
            raise Unavailable(str(lost)) from None
        self._session = session
        receipts = await self._say(session, "online")
        if receipts is not None and receipts.lost is not None:
            raise Unavailable(receipts.lost)

    async def send(self, batch: list[Item]) -> Outcome:
        """Publish and wait for all PUBACKs. Raises Unavailable when the connection was lost before the first."""
        session = self._session
        if session is None or session.lost is not None:
            raise Unavailable(str(session.lost) if session is not None and session.lost else "not connected")
        alone = bool(self._suspects) and not self._suspects.isdisjoint(item.message.id for item in batch)
        receipts = await session.publish(len(batch), self._render_from(batch), alone=alone)
        return self._outcome(batch, receipts, alone=alone)

    async def gone(self) -> None:
        """Wait until the connection is lost. Raises Unavailable."""
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
        content_type = _CONTENT_TYPES[self._config.format]
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
            self.note = f"status message refused: {reasons.describe(code, text)}" if code >= 0x80 else None
        return receipts

    def _outcome(self, batch: list[Item], receipts: Receipts, *, alone: bool) -> Outcome:
        """The table of `reasons.py` applied."""
        codes = receipts.codes
        if codes.count(0) == len(codes):
            outcome = Outcome(accepted=list(range(len(codes))))
        else:
            outcome = Outcome([], {}, {})
            for index, code in enumerate(codes):
                _sort(outcome, index, code, receipts)
        if alone:
            self._suspects.difference_update(
                item.message.id for item, code in zip(batch, codes, strict=True) if code >= 0 or code == UNSENDABLE
            )
        if receipts.lost is not None:
            self._lost(batch, receipts, outcome)
        return outcome

    def _lost(self, batch: list[Item], receipts: Receipts, outcome: Outcome) -> None:
        """The connection ended within this batch. Raises Unavailable where nothing is known of any item."""
        code = receipts.lost_code
        if code is not None and reasons.blames_message(code) and receipts.in_flight:
            suspects = receipts.in_flight
            if receipts.all_in_flight == 1:
                outcome.kept.pop(suspects[0], None)
                outcome.rejected[suspects[0]] = receipts.lost or ""
                self._suspects.discard(batch[suspects[0]].message.id)
            else:  # one of them: they go out one by one next time, until it is found
                if len(self._suspects) > MAX_WINDOW:
                    self._suspects.clear()
                self._suspects.update(batch[index].message.id for index in suspects)
        if not outcome.accepted and not outcome.rejected and all(receipts.codes[i] < 0 for i in outcome.kept):
            raise Unavailable(receipts.lost or "")


def _sort(outcome: Outcome, index: int, code: int, receipts: Receipts) -> None:
    if code == 0:
        outcome.accepted.append(index)
    elif code == UNSENDABLE:
        outcome.rejected[index] = receipts.texts.get(index, "")
    elif code < 0:
        outcome.kept[index] = receipts.lost or "no PUBACK"
    elif reasons.verdict_on_message(code) is reasons.Verdict.DEAD_LETTER:
        outcome.rejected[index] = reasons.describe(code, receipts.texts.get(index))
    else:
        outcome.kept[index] = reasons.describe(code, receipts.texts.get(index))


def open_forwarder(config: Config, context: Context) -> Forwarder:
    """The forwarder for this config. Nothing is connected yet."""
    if config.protocol == "3.1.1":
        from torhaus.daemon.forward.mqtt311 import Mqtt311Forwarder

        return Mqtt311Forwarder(config, context)
    return MqttForwarder(config, context)
