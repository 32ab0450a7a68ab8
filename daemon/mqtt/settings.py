"""How to connect to an MQTT 5 broker, and the CONNECT that says so.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019, 3.1.
"""

import ssl
from typing import Final

import msgspec

from torhaus.daemon.mqtt import wire

MAX_ANSWER_BYTES: Final = 1 << 16
"""The longest packet taken from a broker; announced to it. Answers are short; so are commands to gateways."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How to connect. Durations in seconds."""

    host: str
    port: int
    client_id: str
    tls: ssl.SSLContext | None = None
    username: str | None = None
    password: bytes | None = None
    keepalive_s: int = 60
    session_expiry_s: int = 86_400
    clean_start: bool = False  # forget what an earlier connection left at the broker, such as messages that wait
    receive_max: int = 0xFFFF  # messages that the broker may send before they are acknowledged
    timeout_s: float = 30.0  # for the connection, and for each PUBACK
    will_topic: str | None = None
    will_payload: bytes = b""

    def __repr__(self) -> str:
        return f"Settings({self.host}:{self.port})"  # never the password


def hello(settings: Settings) -> bytes:
    """The CONNECT. Raises ProtocolError."""
    return wire.build(
        lambda: wire.ConnectPacket(
            settings.client_id,
            username=settings.username,
            password=settings.password,
            clean_start=settings.clean_start,
            will=wire.will_of(settings.will_topic, settings.will_payload) if settings.will_topic else None,
            keep_alive=settings.keepalive_s,
            session_expiry_interval=settings.session_expiry_s,
            receive_max=settings.receive_max,
            max_packet_size=MAX_ANSWER_BYTES,
        )
    )
