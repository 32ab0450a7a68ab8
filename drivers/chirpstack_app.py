"""Applications of a ChirpStack elsewhere (v4): decrypted uplinks, joins and devices' status from its MQTT integration.

Messages: torhaus.codecs.framing.chirpstack_app.
"""

from typing import Annotated, Literal

import msgspec

from torhaus.codecs.framing import chirpstack_app
from torhaus.drivers.broker import BrokerConfig
from torhaus.drivers.subscriber import Subscriber

Application = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,64}\Z", description="an application's id, as ChirpStack shows it")
]
Prefix = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[^#+/\x00][^#+\x00]{0,200}\Z", description="the beginning of the topics, without / after it"
    ),
]


class Config(BrokerConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type. No `applications`: all."""

    type: Literal["chirpstack_app"] = "chirpstack_app"
    applications: Annotated[tuple[Application, ...], msgspec.Meta(max_length=100)] = ()
    topic_prefix: Prefix | None = None


def open(config: Config) -> Subscriber:  # noqa: A001 - the door every driver module has
    """The driver; connects when it is run."""
    return Subscriber(config, topics(config), chirpstack_app.parse)


def topics(config: Config) -> list[str]:
    """What is subscribed to."""
    before = f"{config.topic_prefix}/" if config.topic_prefix else ""
    return [
        f"{before}application/{application}/device/+/event/{kind}"
        for application in config.applications or ("+",)
        for kind in chirpstack_app.KINDS
    ]
