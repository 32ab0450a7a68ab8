"""What the MQTT forwarders are configured with, and how a record becomes a topic and a payload."""

from typing import Annotated, Literal

import msgspec

from torhaus.daemon.forward.base import Context
from torhaus.daemon.forward.payloads import Format, Payloads
from torhaus.daemon.forward.template import MESSAGE_KEYS, STATUS_KEYS
from torhaus.daemon.mqtt.broker_config import BrokerConfig
from torhaus.daemon.mqtt.topic import BACKLOG_KEYS, Topics, check_template, fill

State = Literal["online", "offline"]
Batch = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Config(BrokerConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[forwarder]]` of type `mqtt`. Raises ValueError where the parts do not make sense together."""

    type: Literal["mqtt"] = "mqtt"
    protocol: Literal["5", "3.1.1"] = "5"
    topic: str = "torhaus/{site}/{device}/{kind}"
    format: Format = "json"
    status_topic: str = "torhaus/{site}/status"
    user_properties: bool = True
    session_expiry_s: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFE)] = 86_400
    backlog_pack: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    backlog_topic: str = "torhaus/{site}/backlog"
    command_topic: str = ""
    max_batch: Batch = 1024
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=16)] = 2

    def __post_init__(self) -> None:
        BrokerConfig.__post_init__(self)
        key = "topic"
        try:
            check_template(self.topic, MESSAGE_KEYS)
            key = "backlog_topic"
            check_template(self.backlog_topic, BACKLOG_KEYS)
            key = "status_topic"
            if self.status_topic:
                check_template(self.status_topic, STATUS_KEYS)
            key = "command_topic"
            if self.command_topic:
                check_template(self.command_topic, STATUS_KEYS)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
        if self.command_topic and self.protocol != "5":
            raise ValueError(
                'command_topic: needs protocol = "5": only there a command waits at the broker for this box'
            )


class Renderer:
    """Records as topics and payloads; what both protocol versions send."""

    def __init__(self, config: Config, context: Context) -> None:
        self.topic_of = Topics(config.topic).of
        payloads = Payloads(config.format)
        self.payload = payloads.payload
        self.pack = payloads.pack
        self.client_id = config.client_id or f"torhaus-{context.site}-{config.name}"
        self.backlog_topic = fill(config.backlog_topic, site=context.site, name=config.name)
        self.status_topic = fill(config.status_topic, site=context.site, name=config.name)
        self.command_topic = fill(config.command_topic, site=context.site, name=config.name)
        self._about = {"site": context.site, "forwarder": config.name, "version": context.version}

    def status(self, state: State) -> bytes:
        """The retained status message."""
        return msgspec.json.encode({"state": state, **self._about})
