"""What the MQTT forwarders are configured with, and how a record becomes a topic and a payload."""

import asyncio
import struct
from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec

from torhaus.daemon.forward.base import Context
from torhaus.daemon.forward.message import Message
from torhaus.daemon.mqtt.bounds import ProtocolError
from torhaus.daemon.mqtt.endpoint import Endpoint, Secrets, parse_url, read_secrets
from torhaus.daemon.mqtt.topic import BACKLOG_KEYS, MESSAGE_KEYS, STATUS_KEYS, Topics, check_template, fill

CONTENT_TYPES: Final = {"json": "application/json", "msgpack": "application/msgpack"}

_MSGPACK_ARRAY: Final = struct.Struct(">BH")  # array 16 of the MessagePack specification

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
    backlog_pack: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    backlog_topic: str = "torhaus/{site}/backlog"
    max_batch: Batch = 1024
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
            key = "backlog_topic"
            check_template(self.backlog_topic, BACKLOG_KEYS)
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
        self.backlog_topic = fill(config.backlog_topic, site=context.site, name=config.name)
        self.status_topic = fill(config.status_topic, site=context.site, name=config.name)
        self._about = {"site": context.site, "forwarder": config.name, "version": context.version}

    def payload(self, message: Message) -> bytes:
        """The record as it is sent. Raises ProtocolError where it cannot be written."""
        try:
            return self._encode(message)
        except (ValueError, TypeError, OverflowError, msgspec.MsgspecError) as error:
            raise ProtocolError(f"cannot be written as {self._format}: {error}") from None

    def pack(self, payloads: list[bytes]) -> bytes:
        """Several payloads as one: an array of them."""
        if self._format == "json":
            return b"[" + b",".join(payloads) + b"]"
        return _MSGPACK_ARRAY.pack(0xDC, len(payloads)) + b"".join(payloads)

    def status(self, state: State) -> bytes:
        """The retained status message."""
        return msgspec.json.encode({"state": state, **self._about})
