"""The CONNECT that says how we connect."""

import pytest

from torhaus.daemon.forward.flight import ProtocolError
from torhaus.daemon.mqtt import wire
from torhaus.daemon.mqtt.settings import MAX_ANSWER_BYTES, Settings, hello


def said(**values: object) -> wire.ConnectPacket:
    settings = Settings(host="h", port=1, client_id="c", **values)  # type: ignore[arg-type]
    (packet,) = wire.Decoder().feed(hello(settings))
    assert isinstance(packet, wire.ConnectPacket)
    return packet


def test_who_only_publishes_keeps_its_session() -> None:
    packet = said()
    assert (packet.clean_start, packet.session_expiry_interval, packet.receive_max) == (False, 86_400, 0xFFFF)
    assert packet.max_packet_size == MAX_ANSWER_BYTES
    assert packet.will is None


def test_who_takes_commands_wants_none_of_before() -> None:
    packet = said(clean_start=True, session_expiry_s=0, receive_max=64, will_topic="w", will_payload=b"x")
    assert (packet.clean_start, packet.session_expiry_interval, packet.receive_max) == (True, 0, 64)
    assert packet.will is not None
    assert (packet.will.topic, packet.will.payload) == ("w", b"x")


def test_what_no_connect_can_hold() -> None:
    with pytest.raises(ProtocolError):
        said(username="u" * 70_000)


def test_the_password_is_not_shown() -> None:
    assert "geheim" not in repr(Settings(host="h", port=1, client_id="c", password=b"geheim"))
