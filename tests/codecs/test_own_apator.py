"""Apator's meters."""

from typing import Any

import pytest

from tests.codecs.wmbus_fakes import KEY
from tests.codecs.wmbus_own_fakes import A_162, E_ITN, NA_1, na_1, other
from torhaus.codecs.meter.wmbus.own.apator import codes
from torhaus.codecs.meter.wmbus.telegram import decode, opened
from torhaus.codecs.model import DecodeError, RejectReason


def read(telegram: bytes, key: bytes | None = None) -> dict[str, Any]:
    return {name: value.value for name, value in list(decode(telegram, key=key).items())[4:]}


def test_thirds() -> None:
    assert read(other("a0 b80b0000 ff", "1486", 3, 3)) == {"volume": 1.0}
    assert read(other("a0 b80b0000", "1486", 4, 0x11)) == {"volume": 1000.0}


def test_the_volume_among_the_codes() -> None:
    assert read(other(A_162, "0106", 5, 7))["volume"] == 12.345
    for data in (b"", bytes(7), bytes(7) + b"\xee\x10\1\2\3\4", bytes(7) + b"\x10\1\2", bytes(7) + b"\x7c"):
        assert list(codes(data)) == []
    history = bytes((0x71,)) + bytes(9) + bytes((0x7C,)) + bytes(53)
    assert [r.value for r in codes(bytes(7) + history + b"\x10\1\0\0\0")] == [0.001]


def test_under_a_key() -> None:
    assert read(na_1(), KEY) == {
        "volume": 197.528, "time": "2000-01-02T00:00:00", "volume_storage_1": 193.528,
        "time_storage_1": "1999-12-31T00:00:00", "age_storage_1": 172_800, "frame_flags": "summer_time",
        "alarms": "ok", "alarms_storage_1": "battery_low,leak",
    }  # fmt: skip
    assert opened(na_1(), KEY).secured
    tenfold = NA_1[:1] + bytes((NA_1[1] | 0x10,)) + NA_1[2:]
    assert read(na_1(tenfold), KEY)["volume"] == 1975.28


@pytest.mark.parametrize(
    ("clear", "key"), [(NA_1, None), (NA_1, bytes(16)), (b"\0" + NA_1[1:], KEY), (NA_1[:13] + b"\xff" + NA_1[14:], KEY)]
)
def test_a_wrong_key_is_told(clear: bytes, key: bytes | None) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(na_1(clear), key=key)
    assert caught.value.reason is RejectReason.KEY


def test_heat_cost_allocators() -> None:
    want = {
        "heat_cost_allocator": 25, "heat_cost_allocator_storage_1": 500, "date": "2025-09-01",
        "season_start_date": "2016-05-01", "seal_broken_date": None, "external_temperature_average": 21.75,
        "external_temperature_average_storage_1": 19.5,
    }  # fmt: skip
    for maker in ("1486", "1406", "0106", "0186"):
        assert read(other(E_ITN, maker, 4, 8)) == want
    assert read(other(E_ITN[E_ITN.index("a0") :], "1486", 4, 8)) == want
    with pytest.raises(DecodeError, match="no data behind"):
        decode(other(E_ITN.replace("a0 a1", "a1 a1"), "1486", 4, 8))
    with pytest.raises(DecodeError, match="own form"):
        decode(other("a1" + E_ITN[2:], "1486", 4, 8))
