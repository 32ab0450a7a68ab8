import pytest

from torhaus.codecs.model import DecodeError
from torhaus.codecs.payload.orders import command, flag, items, whole


@pytest.mark.parametrize("value", ["yes", "on", "enable", 1, True])
def test_what_means_yes(value: object) -> None:
    assert flag("x", value) is True
    command("x", value)


@pytest.mark.parametrize("value", ["no", "off", "disable", 0, False])
def test_what_means_no(value: object) -> None:
    assert flag("x", value) is False
    with pytest.raises(DecodeError, match="does nothing"):
        command("x", value)


@pytest.mark.parametrize("value", ["maybe", 2, None, 1.5, [], {}])
def test_what_is_neither(value: object) -> None:
    with pytest.raises(DecodeError, match='"yes" or "no"'):
        flag("x", value)


@pytest.mark.parametrize("value", [True, 1.0, "1", 0, 4, None])
def test_what_is_no_number_within_bounds(value: object) -> None:
    assert whole("x", 3, 1, 3) == 3
    with pytest.raises(DecodeError, match="from 1 to 3"):
        whole("x", value, 1, 3)


def test_an_empty_order_is_none() -> None:
    assert items({"a": 1}) == {"a": 1}
    nothing: list[object] = [{}, [], "x", None]
    for data in nothing:
        with pytest.raises(DecodeError, match="names and values"):
            items(data)
