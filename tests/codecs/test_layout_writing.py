import pytest

from torhaus.codecs.layout.compact import field, row
from torhaus.codecs.layout.field import run
from torhaus.codecs.layout.writing import written
from torhaus.codecs.model import DecodeError, Fields

STEPS = row(
    "plain u16", "tenths u8 /10", "shifted u8 +1", "hole skip2", "below i16 /100", field("word u8", {1: "on", 0: "off"})
)
GIVEN = {"plain": 700, "tenths": 2.5, "shifted": 1, "below": -0.5, "word": "on"}


def test_what_was_written_reads_the_same() -> None:
    data = written(STEPS, GIVEN)
    assert data == bytes.fromhex("02bc 19 00 0000 ffce 01".replace(" ", ""))
    fields: Fields = {}
    run(STEPS, data, 0, fields)
    assert {name: fields[name].value for name in GIVEN} == GIVEN
    assert written(row("little u16", endian="little"), {"little": 700}) == bytes.fromhex("bc02")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("plain", 65536, "does not fit into 2 bytes"),
        ("plain", -1, "does not fit"),
        ("below", 400, "does not fit"),
        ("plain", "many", "is no value of it"),
        ("plain", True, "is no value of it"),
        ("word", "maybe", "is no value of it"),
        ("tenths", 1e300, "is too large"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, value: object, said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        written(STEPS, GIVEN | {name: value})


def test_what_is_missing_is_named() -> None:
    with pytest.raises(DecodeError, match="plain is missing"):
        written(STEPS, {})
