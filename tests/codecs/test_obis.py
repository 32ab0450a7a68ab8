import pytest

from torhaus.codecs.meter.obis import UNITS, meter_id_text, obis_bytes, obis_text, octets_text, unit_code
from torhaus.codecs.model import DecodeError, RejectReason


@pytest.mark.parametrize(
    ("code", "text"),
    [("0100010800ff", "1-0:1.8.0*255"), ("8181c78203ff", "129-129:199.130.3*255"), ("010060320101", "1-0:96.50.1*1")],
)
def test_code_and_text(code: str, text: str) -> None:
    assert obis_text(bytes.fromhex(code)) == text
    assert obis_bytes(text) == bytes.fromhex(code)


@pytest.mark.parametrize("code", [b"", bytes(5), bytes(7)])
def test_a_code_has_six_bytes(code: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        obis_text(code)
    assert caught.value.reason is RejectReason.SYNTAX


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1-0:1.8.0", RejectReason.SYNTAX),
        ("1-0:1.8.0*255\n", RejectReason.SYNTAX),
        ("1-0:1.8.0*٣", RejectReason.SYNTAX),
        ("1-0:1.8.0*256", RejectReason.RANGE),
    ],
)
def test_text_that_is_no_code(text: str, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        obis_bytes(text)
    assert caught.value.reason is reason


def test_units() -> None:
    assert [unit_code(n) for n in (30, 27, 35, 33, 44, 29)] == ["W.h", "W", "V", "A", "Hz", "var"]
    assert unit_code(None) is unit_code(0) is unit_code(255) is None
    assert unit_code(254) == "{dlms-254}"
    assert all(unit.isascii() and " " not in unit for unit in UNITS.values())


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        ("0a01445a47000393ad48", "1DZG0060009800"),
        ("090145425a0100003039", "1EBZ0100012345"),
        ("06454d48010212345678", "06454d48010212345678"),  # an older form
        ("3031323334353637", "01234567"),
        ("0a01445a4700ffffffff", "0a01445a4700ffffffff"),  # more than eight digits
        ("0a01647a67000393ad48", "0a01647a67000393ad48"),  # small letters
        ("", ""),
    ],
)
def test_meter_identity(identity: str, text: str) -> None:
    assert meter_id_text(bytes.fromhex(identity)) == text


def test_octets() -> None:
    assert octets_text(b"HLY 1") == "HLY 1"
    assert octets_text(b"A\x00") == "4100"
    assert octets_text(b"\x7f") == "7f"
