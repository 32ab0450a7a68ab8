"""Where a broker is and how to prove who we are: its URL, and what is read from files at each connection."""

import ipaddress
import ssl
from typing import Final
from urllib.parse import urlsplit

import msgspec

from torhaus.daemon.config.secret import SecretError, read_secret
from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.mqtt.reasons import printable

_MAX_SECRET_BYTES: Final = 65_535
"""The longest password MQTT can carry (MQTT 5.0, 3.1.3.6)."""

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class Endpoint(msgspec.Struct, frozen=True):
    """A broker's address. `loopback`: it is this machine."""

    host: str
    port: int
    encrypted: bool
    loopback: bool


def parse_url(text: str) -> Endpoint:
    """`mqtts://host[:port]` or `mqtt://host[:port]`. Raises ValueError that says what would be right."""
    url = urlsplit(text)
    port = url.port
    if url.scheme not in _PORTS or not url.hostname or port == 0:
        raise ValueError("expected mqtts://host or mqtts://host:8883")
    if "@" in url.netloc:
        raise ValueError("no user or password here; use username and password_file")
    if url.path not in {"", "/"} or url.query or url.fragment:
        raise ValueError("nothing may follow the port; the topic has a key of its own")
    try:
        loopback = ipaddress.ip_address(url.hostname).is_loopback
    except ValueError:
        loopback = url.hostname == "localhost"
    return Endpoint(url.hostname, port or _PORTS[url.scheme], url.scheme == "mqtts", loopback)


class Secrets(msgspec.Struct, frozen=True):
    """Read anew at each connection, so that a changed certificate or password needs no restart."""

    tls: ssl.SSLContext | None
    password: bytes | None

    def __repr__(self) -> str:
        return "Secrets(…)"


def read_secrets(
    *, encrypted: bool, ca_file: str | None, cert_file: str | None, key_file: str | None, password_file: str | None
) -> Secrets:
    """Certificates and password; blocks. Raises Unavailable that names the key of the config, never a content."""
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
        raise Unavailable(f"{key} cannot be used: {error}") from None
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise Unavailable(f"{key} cannot be used: {printable(str(error))}") from None
    return Secrets(tls, password)
