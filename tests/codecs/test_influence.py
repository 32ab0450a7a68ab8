from torhaus.codecs.influence import MASKS, Outcome, Stretch, stretches, variants
from torhaus.codecs.model import DecodeError, Fields
from torhaus.codecs.registry import Decode, load


def explained(decode: Decode, payload: bytes, fport: int | None = None) -> tuple[Fields, list[Stretch]]:
    def outcome(data: bytes) -> Outcome:
        try:
            return decode(data, fport)
        except DecodeError as e:
            return e

    fields = decode(payload, fport)
    return fields, stretches(payload, fields, [outcome(v) for v in variants(payload)])


def test_each_byte_is_changed_alone() -> None:
    all_ = variants(b"\x00\xff")
    assert len(all_) == 2 * len(MASKS)
    assert all_[0] == b"\x01\xff"
    assert all_[-1] == b"\x00\x00"
    assert variants(b"") == []


def test_values_of_a_row_of_types() -> None:
    """Elsys: type 0x01 temperature, 0x02 humidity, 0x04 light."""
    fields, found = explained(load("elsys"), bytes.fromhex("0100e20229040027"))
    assert list(fields) == ["temperature", "humidity", "light"]
    assert [(s.start, s.end, s.fields) for s in found] == [
        (0, 1, ()), (1, 3, ("temperature",)), (3, 4, ()), (4, 5, ("humidity",)), (5, 6, ()), (6, 8, ("light",)),
    ]  # fmt: skip
    assert [s.is_structure for s in found] == [True, False, True, False, True, False]


def test_two_fields_of_one_byte() -> None:
    from torhaus.codecs.model import Value

    def decode(data: bytes, fport: int | None) -> Fields:
        return {"high": Value(data[0] >> 4), "low": Value(data[0] & 15), "unused": Value(0)}

    _, found = explained(decode, b"\x12\x00\x00")
    assert found == [Stretch(0, 1, ("high", "low"), False), Stretch(1, 3, (), False)]


def test_nothing() -> None:
    assert stretches(b"", {}, []) == []
