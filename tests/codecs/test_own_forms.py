"""Which form is whose."""

import pytest

from tests.codecs.test_fuzz import attempt
from tests.codecs.wmbus_fakes import Meter
from tests.codecs.wmbus_own_fakes import na_1, samples
from torhaus.codecs.meter.wmbus.telegram import decode
from torhaus.codecs.model import DecodeError, RejectReason


@pytest.mark.parametrize("telegram", samples())
def test_each_has_values_and_none_breaks_when_it_is_cut(telegram: bytes) -> None:
    whole = decode(telegram)
    assert any(value.unit for value in whole.values()) or "alarm" in whole or "heat_cost_allocator" in whole
    for n in range(10, len(telegram)):
        attempt(lambda data, _: decode(data), bytes((n - 1,)) + telegram[1:n])


@pytest.mark.parametrize("ci", range(0xA0, 0xB8))
@pytest.mark.parametrize("maker", ["2d2c", "6850", "1486", "0106", "2423"])
def test_what_is_not_known_is_refused(maker: str, ci: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(Meter(maker=maker, version=0x77, kind=0x77).telegram(bytes((ci,)) + bytes(30)))
    assert caught.value.reason in {RejectReason.UNSUPPORTED, RejectReason.KEY}


def test_one_under_a_key_says_so_without() -> None:
    with pytest.raises(DecodeError, match="no key for this meter"):
        decode(na_1())
