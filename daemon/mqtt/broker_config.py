"""What every forwarder to an MQTT broker is configured with: where it is, and how to prove who we are."""

from typing import Annotated

import msgspec

from torhaus.daemon.forward.base import Unavailable
from torhaus.drivers.broker import Broker, FilesUnusable, Secrets


class BrokerConfig(Broker, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[forwarder]]` that connects to an MQTT broker. ValueError where the parts do not make sense."""

    name: Annotated[str, msgspec.Meta(min_length=1)]

    async def secrets(self) -> Secrets:
        """What the files hold now. Raises Unavailable that names the key of the config, never a content."""
        try:
            return await Broker.secrets(self)
        except FilesUnusable as e:
            raise Unavailable(str(e)) from None
