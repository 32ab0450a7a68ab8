"""An application of The Things Stack (v3): decrypted uplinks and joins from its MQTT server.

Messages: torhaus.codecs.framing.tts_app.
"""

from typing import Annotated, Literal

import msgspec

from torhaus.codecs.framing import tts_app
from torhaus.drivers.broker import BrokerConfig
from torhaus.drivers.subscriber import Subscriber

Id = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z0-9](-?[a-z0-9]){1,62}\Z", description="an id such as rathaus or stadtwerke-2")
]
Tenant = Annotated[
    str, msgspec.Meta(pattern=r"^([a-z0-9](-?[a-z0-9]){1,62})?\Z", description='a tenant\'s id, or "" for none')
]


class Config(BrokerConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type. An empty `tenant` is for servers without tenants."""

    type: Literal["tts_app"] = "tts_app"
    application: Id
    tenant: Tenant = "ttn"

    def user(self) -> str:
        """The application is the user, and an API key its password."""
        return self.username or full_id(self)


def open(config: Config) -> Subscriber:  # noqa: A001 - the door every driver module has
    """The driver; connects when it is run."""
    return Subscriber(config, topics(config), tts_app.parse)


def full_id(config: Config) -> str:
    """The application as its topics name it."""
    return f"{config.application}@{config.tenant}" if config.tenant else config.application


def topics(config: Config) -> list[str]:
    """What is subscribed to."""
    return [f"v3/{full_id(config)}/devices/+/{kind}" for kind in tts_app.KINDS]
