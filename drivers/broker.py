"""Where a broker is and how to prove who we are: its URL, and what is read from files at each connection."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from typing import Annotated, Any, Final, cast
from urllib.parse import urlsplit

import msgspec

from torhaus.drivers.secret import SecretError, read_secret

_MAX_SECRET_BYTES: Final = 65_535
"""The longest password MQTT can carry (MQTT 5.0, 3.1.3.6)."""

_ROUNDS: Final = 100
"""Rounds of the event loop in which a socket that was shut down has to be let go."""


class FilesUnusable(Exception):  # noqa: N818 - reads as a fact, like DriverGone
    """A certificate, key or password cannot be read. The text names the key of the config, never a content."""


class Scheme(msgspec.Struct, frozen=True):
    """How URLs of one protocol begin, in clear and encrypted, each with its port. `names`: what is named elsewhere."""

    plain: str
    encrypted: str
    plain_port: int
    encrypted_port: int
    names: str

    def port(self, scheme: str) -> int:
        """Where no other is said."""
        return self.encrypted_port if scheme == self.encrypted else self.plain_port


MQTT: Final = Scheme("mqtt", "mqtts", 1883, 8883, "topic")


class Endpoint(msgspec.Struct, frozen=True):
    """A broker's address. `loopback`: it is this machine."""

    host: str
    port: int
    encrypted: bool
    loopback: bool


def parse_url(text: str, of: Scheme = MQTT) -> Endpoint:
    """`mqtts://host[:port]` or `mqtt://host[:port]`, say. Raises ValueError that says what would be right."""
    url = urlsplit(text)
    port = url.port
    if url.scheme not in {of.plain, of.encrypted} or not url.hostname or port == 0:
        raise ValueError(f"expected {of.encrypted}://host or {of.encrypted}://host:{of.encrypted_port}")
    if "@" in url.netloc:
        raise ValueError("no user or password here; use username and password_file")
    if url.path not in {"", "/"} or url.query or url.fragment:
        raise ValueError(f"nothing may follow the port; the {of.names} has a key of its own")
    try:
        loopback = ipaddress.ip_address(url.hostname).is_loopback
    except ValueError:
        loopback = url.hostname == "localhost"
    return Endpoint(url.hostname, port or of.port(url.scheme), url.scheme == of.encrypted, loopback)


class Secrets(msgspec.Struct, frozen=True):
    """Read anew at each connection, so that a changed certificate or password needs no restart."""

    tls: ssl.SSLContext | None
    password: bytes | None

    def __repr__(self) -> str:
        return "Secrets(…)"


def read_secrets(
    *, encrypted: bool, ca_file: str | None, cert_file: str | None, key_file: str | None, password_file: str | None
) -> Secrets:
    """Certificates and password; blocks. Raises FilesUnusable."""
    key = "ca_file"
    tls = password = None
    try:
        if encrypted:
            tls = ssl.create_default_context(cafile=ca_file)
            tls.minimum_version = ssl.TLSVersion.TLSv1_2
            key = "key_file"
            if key_file is not None:
                read_secret(key_file)  # the library below takes any file, whoever else can read it
            key = "cert_file or key_file"
            if cert_file is not None:
                tls.load_cert_chain(cert_file, key_file, password="")
        key = "password_file"
        if password_file is not None:
            password = read_secret(password_file, limit=_MAX_SECRET_BYTES).encode()
    except SecretError as error:  # ends with what to do: not cut
        raise FilesUnusable(f"{key} cannot be used: {error}") from None
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise FilesUnusable(f"{key} cannot be used: {printable(str(error))}") from None
    return Secrets(tls, password)


def printable(text: str) -> str:
    """One short line, whatever a library said."""
    return "".join(c if c.isprintable() else "?" for c in text[:100])


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys by which a broker is reached in a way that can be trusted, and by which it trusts us."""

    insecure: bool = False
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 60
    timeout_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 30.0

    def check(self, endpoint: Endpoint, key: str, of: Scheme) -> None:
        """Raises ValueError where these keys do not fit together, or not to what `key` says."""
        if not endpoint.encrypted:
            if not (self.insecure or endpoint.loopback):
                instead = f"use {of.encrypted}://, or insecure = true on a trusted line"
                raise ValueError(f"{key}: {of.plain}:// is not encrypted; {instead}")
            if self.ca_file or self.cert_file or self.key_file:
                raise ValueError(f"{key}: ca_file, cert_file and key_file need a url with {of.encrypted}://")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file: and key_file belong together: set both or neither")
        if self.password_file is not None and self.user() is None:
            raise ValueError("password_file: needs a username")

    def user(self) -> str | None:
        """The user name to log in with."""
        return self.username

    async def secrets_for(self, endpoint: Endpoint) -> Secrets:
        """What the files hold now. Raises FilesUnusable."""
        return await asyncio.to_thread(
            read_secrets,
            encrypted=endpoint.encrypted,
            ca_file=self.ca_file,
            cert_file=self.cert_file,
            key_file=self.key_file,
            password_file=self.password_file,
        )


class Broker(Access, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys of whatever connects to an MQTT broker. ValueError where they do not make sense together."""

    name: str
    url: str
    client_id: str | None = None

    def __post_init__(self) -> None:
        self.check(self.endpoint(), "url", MQTT)

    def endpoint(self) -> Endpoint:
        """The address in `url`. Raises ValueError."""
        try:
            return parse_url(self.url)
        except ValueError as e:
            raise ValueError(f"url: {e}") from None

    async def secrets(self) -> Secrets:
        """What the files hold now. Raises FilesUnusable."""
        return await self.secrets_for(self.endpoint())


class BrokerConfig(Broker, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys of a driver that subscribes at a broker. `client_id` names the session that the broker keeps for us."""

    client_id: Annotated[
        str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z", description="1 to 64 letters, digits, '.', '_' and '-'")
    ]


async def drop(client: Any) -> None:  # noqa: ANN401 - an aiomqtt.Client: who only reads a config need not load it
    """Close the connection at once. aiomqtt leaves the socket to paho, which lets go of it when it reads the end."""
    paho = client._client  # noqa: SLF001 - there is no public way to a socket that must not stay open
    paho.on_disconnect = None  # aiomqtt's raises where connecting was cancelled (2.5: it asks the future of that)
    raw = cast("socket.socket | None", paho.socket())
    if raw is None:
        return
    with contextlib.suppress(OSError):  # it may be closed already
        raw.shutdown(socket.SHUT_RDWR)
    for _ in range(_ROUNDS):
        if paho.socket() is None:
            break
        await asyncio.sleep(0)
