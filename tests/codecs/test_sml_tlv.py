import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.meter.sml_tlv import MAX_DEPTH, MAX_LIST, Node, Number, parse
from torhaus.codecs.model import DecodeError, RejectReason


@pytest.mark.parametrize(
    ("hexed", "node"),
    [
        ("01", None),
        ("04414243", b"ABC"),
        ("8101" + "41" * 15, b"A" * 15),
        ("4201", True),
        ("4200", False),
        ("52ff", Number(-1, 1)),
        ("62ff", Number(255, 1)),
        ("53fffe", Number(-2, 2)),
        ("5401e240", Number(123456, 3)),
        ("69ffffffffffffffff", Number(2**64 - 1, 8)),
        ("598000000000000000", Number(-(2**63), 8)),
        ("70", []),
        ("7201620a", [None, Number(10, 1)]),
        ("f101" + "01" * 17, [None] * 17),
        ("8302" + "41" * 48, b"A" * 48),
        ("808004" + "41", b"A"),  # more length bytes than needed
    ],
)
def test_elements(hexed: str, node: Node) -> None:
    data = bytes.fromhex(hexed)
    assert parse(data) == (node, len(data))
    assert parse(b"xx" + data + b"yy", 2) == (node, len(data) + 2)


@pytest.mark.parametrize(
    ("hexed", "reason"),
    [
        ("", RejectReason.SHORT),
        ("04", RejectReason.SHORT),
        ("0441", RejectReason.SHORT),
        ("63ff", RejectReason.SHORT),
        ("72", RejectReason.SHORT),
        ("7201", RejectReason.SHORT),
        ("81", RejectReason.SHORT),
        ("ff", RejectReason.SHORT),
        ("8080808001", RejectReason.LONG),
        ("ff8f8f0f", RejectReason.LONG),
        ("8141", RejectReason.SYNTAX),
        ("00", RejectReason.SYNTAX),
        ("8000", RejectReason.SYNTAX),
        ("61", RejectReason.SYNTAX),
        ("6a" + "00" * 9, RejectReason.SYNTAX),
        ("41", RejectReason.UNKNOWN_TYPE),
        ("430101", RejectReason.UNKNOWN_TYPE),
        ("1101", RejectReason.UNKNOWN_TYPE),
        ("3201", RejectReason.UNKNOWN_TYPE),
    ],
)
def test_refused(hexed: str, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        parse(bytes.fromhex(hexed))
    assert caught.value.reason is reason


def test_depth_and_list_length_are_bounded() -> None:
    assert parse(b"\x71" * (MAX_DEPTH - 1) + b"\x70")[1] == MAX_DEPTH
    with pytest.raises(DecodeError) as caught:
        parse(b"\x71" * 10_000)
    assert caught.value.reason is RejectReason.LONG
    exactly = bytes((0xF0 | MAX_LIST >> 8, 0x80 | MAX_LIST >> 4 & 15, MAX_LIST & 15))
    assert parse(exactly + b"\x01" * MAX_LIST) == ([None] * MAX_LIST, len(exactly) + MAX_LIST)
    more = bytes((0xF0 | MAX_LIST >> 8, 0x80 | MAX_LIST >> 4 & 15, MAX_LIST + 1 & 15))
    with pytest.raises(DecodeError) as caught:
        parse(more + b"\x01" * (MAX_LIST + 1))
    assert caught.value.reason is RejectReason.LONG


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=64) | st.lists(st.sampled_from([b"\x71", b"\x72", b"\xf1", b"\x62", b"\x01"])).map(b"".join))
def test_anything(data: bytes) -> None:
    try:
        _, pos = parse(data)
    except DecodeError:
        return
    assert 0 < pos <= len(data)
