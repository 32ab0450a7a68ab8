"""Link layer, extended link layer, authentication layer and transport header of wireless M-Bus."""

import pytest

from tests.codecs.wmbus_fakes import Meter
from torhaus.codecs.meter.wmbus.layers import (
    COMPACT,
    DATA,
    NOTHING,
    Extended,
    Header,
    authentication_of,
    extended_of,
    header_of,
    link_of,
)
from torhaus.codecs.model import DecodeError, RejectReason


def test_the_link_layer() -> None:
    control, sender, body = link_of(Meter().telegram(b"\x78\x01"))
    assert (control, str(sender), body) == (0x44, "KAM/12345678/1b/16", b"\x78\x01")


@pytest.mark.parametrize(
    ("head", "want"),
    [
        ("8c2005", Extended(0x20, 5)),
        ("8d200511223344", Extended(0x20, 5, 0x44332211)),
        ("8e20052d2c785634121b16", Extended(0x20, 5)),
        ("8f20052d2c785634121b1611223344", Extended(0x20, 5, 0x44332211)),
    ],
)
def test_the_extended_link_layers(head: str, want: Extended) -> None:
    assert extended_of(bytes.fromhex(head) + b"\x78") == (want, b"\x78")
    for n in range(1, len(head) // 2):
        with pytest.raises(DecodeError) as caught:
            extended_of(bytes.fromhex(head)[:n])
        assert caught.value.reason is RejectReason.SHORT


def test_a_session_number() -> None:
    session = Extended(0, 0, 1 << 29 | 4711 << 4 | 3)
    assert (session.security, session.minutes) == (1, 4711)
    assert Extended(0, 0).security == 0


def test_the_authentication_layer() -> None:
    layer, rest = authentication_of(bytes.fromhex("900f002c2544332211a1a2a3a4a5a6a7a8") + b"\x7a")
    assert layer is not None
    assert (layer.fragment, layer.more, layer.counter, layer.length) == (0, False, 0x11223344, None)
    assert (layer.mac.hex(), layer.signed.hex(), rest) == ("a1a2a3a4a5a6a7a8", "2544332211", b"\x7a")
    layer, _ = authentication_of(bytes.fromhex("900401504000"))  # more fragments follow, and the length of all
    assert layer is not None
    assert (layer.fragment, layer.more, layer.length) == (1, True, 64)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("90", RejectReason.SHORT),
        ("900f00", RejectReason.SHORT),
        ("9003002c25", RejectReason.SHORT),
        ("90040000aabb", RejectReason.SYNTAX),
        ("9003002429", RejectReason.UNSUPPORTED),
    ],
)
def test_what_is_no_authentication_layer(data: str, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        authentication_of(bytes.fromhex(data))
    assert caught.value.reason is reason


def test_transport_headers() -> None:
    assert header_of(b"\x78\x01\x02") == (DATA, Header(), b"\x01\x02")
    assert header_of(bytes.fromhex("7a2a012025aa")) == (DATA, Header(None, 0x2A, 1, 5, 2), b"\xaa")
    content, header, data = header_of(bytes.fromhex("73443322112d2c1b162a00100710ff"))
    assert (content, data) == (COMPACT, b"\xff")
    assert header == Header(bytes.fromhex("2d2c443322111b16"), 0x2A, 0, 7, 1, 0x10)
    assert header_of(b"") == (NOTHING, Header(), b"")
    for n in range(1, 13):
        with pytest.raises(DecodeError):
            header_of(bytes.fromhex("72443322112d2c1b162a000000")[:n])


@pytest.mark.parametrize("ci", [0x00, 0x51, 0x5A, 0x9F, 0xB8, 0xFF])
def test_other_forms_are_unsupported(ci: int) -> None:
    with pytest.raises(DecodeError) as caught:
        header_of(bytes((ci,)) + bytes(20))
    assert caught.value.reason is RejectReason.UNSUPPORTED
