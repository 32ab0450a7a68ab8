import random

import pytest

from tests.codecs.test_fuzz import attempt
from torhaus.codecs.model import DecodeError, RejectReason, Scalar, Value
from torhaus.codecs.payload.watteco import decoder
from torhaus.codecs.payload.watteco_clusters import ATTRIBUTES, LONGER, plain


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (0x10, "01", True),
        (0x21, "ffff", 65535),
        (0x29, "ffff", -1),
        (0x39, "41500000", 13.0),
        (0x41, "0102", "0102"),
        (0x42, "41423100", "AB1"),
    ],
)
def test_by_type(kind: int, raw: str, value: Scalar) -> None:
    assert plain(kind, bytes.fromhex(raw)) == value


def test_a_number_that_is_none() -> None:
    with pytest.raises(DecodeError) as caught:
        plain(0x39, bytes.fromhex("7fc00000"))
    assert caught.value.reason is RejectReason.RANGE


def test_longer_attributes_are_there_shorter() -> None:
    assert LONGER.keys() <= ATTRIBUTES.keys()


def test_what_an_inclino_counts_as_a_shock() -> None:
    assert decoder("inclino")(bytes.fromhex("110a000c80041985a0"[:12] + "21" + "8a05"), 125) == {
        "mode": Value("click"),
        "frequency": Value("10Hz"),
        "range_g": Value(8),
        "threshold_mg": Value(320),
    }


def test_sources_of_power() -> None:
    assert decoder("standard")(bytes.fromhex("110a000600001001"), None) == {"output": Value("ON")}
    assert decoder("standard")(bytes.fromhex("110a00500006410705050ce40e1001"), 125) == {
        "main_or_external_voltage": Value(3.3, "V"),
        "disposable_battery_voltage": Value(3.6, "V"),
    }


def test_an_alarm_about_several_values_in_one() -> None:
    fields = decoder("standard")(bytes.fromhex("118a000c01000b00050000a0a800050000"), 125)
    assert fields["alarm_0_value"] == Value("00050000")
    assert decoder("ino")(bytes.fromhex("118a80050000190371a0a80371"), 125)["alarm_0_value"] == Value(0x0371)


def test_whatever_attributes_come() -> None:
    chance = random.Random("attributes")
    for cluster, attribute in [*ATTRIBUTES, (0x0050, 6), (0x8007, 1), (0x8009, 0), (0x1234, 0)]:
        key = cluster.to_bytes(2, "big") + attribute.to_bytes(2, "big")
        for _ in range(60):
            kind = bytes((chance.choice((0x10, 0x21, 0x23, 0x29, 0x39, 0x41, chance.randrange(256))),))
            size = chance.randrange(60)
            command = chance.choice((b"\x11\x0a", b"\x11\x8a", b"\x11\x01"))
            data = command + key + kind + bytes((size,)) + chance.randbytes(chance.choice((size, size + 20)))
            attempt(decoder("inclino"), data, 125)
