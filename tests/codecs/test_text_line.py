"""Rules for lines and binary frames: what they give, what they refuse, and what a wrong one is told."""

import random
import struct
from typing import Any

import pytest

from tests.codecs.test_fuzz import check_refusal
from torhaus.codecs.framing.crc import crc16_modbus
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.text.line import FieldRule, Layout, rule

SCALE = rule(r"ST,GS, *(?P<weight>[+-]? *\d+\.?\d*) *(?P<unit_text>kg|g)", None, {"weight": FieldRule(unit="kg")})


def test_a_pattern() -> None:
    fields = SCALE.decode(b"\x02ST,GS,+  12.340 kg")
    assert (fields["weight"].value, fields["weight"].unit) == (12.34, "kg")
    assert fields["unit_text"].value == "kg"
    with pytest.raises(DecodeError) as caught:
        SCALE.decode(b"US,GS,+  12.340 kg")
    assert caught.value.reason is RejectReason.SYNTAX


@pytest.mark.parametrize(
    ("text", "what", "want"),
    [
        ("12,5", {}, 12.5),
        ("-3", {"type": "int"}, -3),
        ("00ff", {"type": "hex"}, 255),
        ("2301", {"type": "int", "scale": 0.1}, 230.1),
        ("20", {"scale": 2, "offset": -40}, 0.0),
        ("ein", {"type": "text"}, "ein"),
        ("ja", {"type": "bool"}, True),
        ("OFF", {"type": "bool"}, False),
    ],
)
def test_types(text: str, what: dict[str, Any], want: object) -> None:
    got = rule("=(?P<x>.*)", None, {"x": FieldRule(**what)}).decode(b"=" + text.encode())["x"].value
    assert got == want
    assert type(got) is type(want)


@pytest.mark.parametrize(
    ("text", "type_"), [("x", "float"), ("1.5", "int"), ("xyz", "hex"), ("maybe", "bool"), ("9" * 400, "float")]
)
def test_what_is_no_value(text: str, type_: Any) -> None:
    with pytest.raises(DecodeError) as caught:
        rule("=(?P<x>.*)", None, {"x": FieldRule(type=type_)}).decode(b"=" + text.encode())
    assert caught.value.reason is RejectReason.RANGE


def test_a_frame() -> None:
    layout = Layout(start="aa55", format="hHB", names=("temperature", "humidity", ""), check="sum8")
    assert layout.length == 8
    data = b"\xaa\x55" + struct.pack(">hHB", -53, 421, 9)
    frame = data + bytes((sum(data) & 0xFF,))
    found = rule("", layout, {"temperature": FieldRule(scale=0.1, unit="Cel")}).decode(frame)
    assert {name: (v.value, v.unit) for name, v in found.items()} == {
        "temperature": (-5.3, "Cel"),
        "humidity": (421, None),
    }
    for wrong, reason in ((frame[:-1], "short"), (b"\0" + frame[1:], "syntax"), (frame[:-1] + b"\0", "crc")):
        with pytest.raises(DecodeError) as caught:
            layout.values(wrong)
        assert caught.value.reason == reason


def test_checks_and_text_in_frames() -> None:
    layout = Layout(start="01", format="<4sf", names=("id", "level"), check="crc16_modbus")
    data = b"\x01" + struct.pack("<4sf", b"P1\0\0", 1.5)
    assert layout.values(data + crc16_modbus(data).to_bytes(2, "little")) == {"id": "P1", "level": 1.5}
    xor = Layout(start="01", format="B", names=("a",), check="xor8")
    assert xor.values(b"\x01\x07\x06") == {"a": 7}


def test_a_number_that_is_none() -> None:
    found = rule("", Layout(start="01", format="f", names=("a",)), {})
    with pytest.raises(DecodeError) as caught:
        found.decode(b"\x01" + struct.pack(">f", float("nan")))
    assert caught.value.reason is RejectReason.RANGE


@pytest.mark.parametrize(
    ("pattern", "fields", "says"),
    [
        ("", {}, "either a pattern or a frame"),
        ("(", {}, "pattern: "),
        (r"\d+", {}, "needs a named group"),
        ("(?P<Weight>x)", {}, "must be of a-z"),
        ("(?P<weight>x)", {"wieght": FieldRule()}, '"wieght" is no name'),
    ],
)
def test_a_wrong_rule_says_so(pattern: str, fields: dict[str, FieldRule], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        rule(pattern, None, fields)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"format": "k"}, "format: "),
        ({"names": ()}, "1 values"),
        ({"format": "9999s"}, "at most"),
        ({"names": ("A",)}, "a-z"),
    ],
)
def test_a_wrong_layout_says_so(more: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Layout(**({"start": "aa", "format": "b", "names": ("a",)} | more))


def test_fuzz() -> None:
    rng = random.Random(4)
    frame = rule("", Layout(start="aa", format="fB", names=("a", "b")), {})
    for _ in range(3000):
        data = rng.choice([b"\xaa" + rng.randbytes(5), rng.randbytes(rng.randint(0, 30)), b"ST,GS," + rng.randbytes(9)])
        for each in (SCALE, frame):
            try:
                assert each.decode(data)
            except DecodeError as refusal:
                check_refusal(refusal)
