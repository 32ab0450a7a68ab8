"""The QR code on a device (TR005)."""

import random

import pytest

from tests.fuzz.targets import QR
from torhaus.codecs.lorawan.qr import MAX_TEXT, Label, checksum, parse_qr
from torhaus.codecs.model import DecodeError, RejectReason

SHORT = "LW:D0:70B3D57ED0000010:0018B20000000101:000AF8BE"


def test_the_whole_label() -> None:
    """The code that open network servers test theirs with; its checksum fits."""
    assert parse_qr(QR) == Label(
        0x1122334455667788, 0xAABBCCDDEEFF0011, 0xAABB, 0x1122, "AABBCCDDEEFF", "YYWWNNNNNN", "FOOBAR"
    )
    assert parse_qr(f"  {SHORT.replace('B3', 'b3')}\n") == Label(0x70B3D57ED0000010, 0x0018B20000000101, 0x000A, 0xF8BE)


def test_the_check_value_of_the_catalogue() -> None:
    assert checksum(b"123456789") == 0x4B37


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", RejectReason.UNKNOWN_TYPE),
        ("https://example.org/1", RejectReason.UNKNOWN_TYPE),
        ("LW:D1:1:2:3", RejectReason.UNKNOWN_TYPE),
        ("LW:D0", RejectReason.SYNTAX),
        (SHORT[:-1], RejectReason.SYNTAX),
        (SHORT.replace("70B3", "70_3"), RejectReason.SYNTAX),
        (SHORT + ":", RejectReason.SYNTAX),
        (SHORT + ":X1", RejectReason.SYNTAX),
        (SHORT + ":S1:S2", RejectReason.SYNTAX),
        (SHORT + ":Sä", RejectReason.SYNTAX),
        (SHORT + ":C12", RejectReason.SYNTAX),
        (SHORT + ":C0000", RejectReason.CRC),
        (QR + ":S1", RejectReason.SYNTAX),
        (QR.replace("FOOBAR", "FOOBAX"), RejectReason.CRC),
        ("LW:D0:" + "1" * MAX_TEXT, RejectReason.LONG),
    ],
)
def test_what_is_none(text: str, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as refused:
        parse_qr(text)
    assert refused.value.reason is reason


def test_nothing_but_decode_errors() -> None:
    chance = random.Random(5)
    for cut in range(len(QR)):
        texts = [QR[:cut], QR[cut:], QR[:cut] + chr(chance.randrange(0x110000)) + QR[cut + 1 :]]
        for text in texts:
            try:
                parse_qr(text)
            except DecodeError:
                continue
            assert text == QR or text.startswith("LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122")
