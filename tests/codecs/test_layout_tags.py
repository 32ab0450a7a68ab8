import pytest

from torhaus.codecs.layout.compact import row
from torhaus.codecs.layout.tags import Item, Special, item, run_tags
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value


def count(data: bytes, pos: int, out: Fields) -> int:
    out["rest"] = Value(len(data) - pos)
    return len(data)


ITEMS: dict[int, Item | Special] = {
    0x01: item(row("t i16 /10 Cel")),
    0x02: item(row("list_#_a u8", "list_#_b u8"), 1),
    0x7F: count,
}


def read(data: str, *, is_strict: bool = True) -> dict[str, object]:
    out: Fields = {}
    run_tags(bytes.fromhex(data), 0, 1, ITEMS, out, is_strict=is_strict)
    return {name: value.value for name, value in out.items()}


def test_items_in_any_order_and_lists_counted() -> None:
    assert read("0201020100e6020304") == {"list_1_a": 1, "list_1_b": 2, "t": 23.0, "list_2_a": 3, "list_2_b": 4}
    assert read("7f0000") == {"rest": 2}


@pytest.mark.parametrize(("data", "reason"), [("0100", RejectReason.SHORT), ("0100e655", RejectReason.UNKNOWN_TYPE)])
def test_refused(data: str, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        read(data)
    assert caught.value.reason is reason


def test_what_stands_before_an_unknown_key_may_be_kept() -> None:
    assert read("0100e655", is_strict=False) == {"t": 23.0}
    with pytest.raises(DecodeError):
        read("55", is_strict=False)


def test_half_a_key() -> None:
    with pytest.raises(DecodeError) as caught:
        run_tags(b"\x01", 0, 2, {}, {})
    assert caught.value.reason is RejectReason.SHORT
