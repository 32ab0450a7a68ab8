"""What every forwarder to an MQTT broker is configured with: where it is, and how to prove who we are."""

import asyncio
from typing import Annotated

import msgspec

from torhaus.daemon.mqtt.endpoint import Endpoint, Secrets, parse_url, read_secrets

Seconds = Annotated[float, msgspec.Meta(ge=1, le=600)]


class BrokerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[forwarder]]` that connects to an MQTT broker. ValueError where the parts do not make sense."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    url: str
    insecure: bool = False
    client_id: str | None = None
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 60
    timeout_s: Seconds = 30.0

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
