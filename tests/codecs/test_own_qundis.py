"""The container that Qundis' meters send to a receiver that walks by."""

import pytest

from tests.codecs.wmbus_fakes import Meter
from torhaus.codecs.meter.wmbus.own.qundis import walk_by
from torhaus.codecs.meter.wmbus.telegram import decode
from torhaus.codecs.model import Value

QDS = Meter(maker="9344", version=0x19, kind=0x07)
DELTAS = "00800080008000800080008000800a0065005000200019002f"


def container(kind: str = "c113", now: str = "78563412", size: str = "35") -> str:
    head = f"0dff5f{size}0082930000810007{kind}ffff{now}"
    return f"{head}ff2c265402001e3433220400{DELTAS}"


def test_values_are_those_of_the_records_in_clear() -> None:
    fields = decode(QDS.telegram(bytes.fromhex("78" + container() + "046d06091d35")))
    assert {name: fields[name] for name in list(fields)[5:]} == {
        "time": Value("2024-05-29T09:06:00"),
        "date_error": Value(None),
        "volume": Value(12345.678, "m3"),
        "date_storage_1": Value("2023-12-31"),
        "volume_storage_1": Value(25.426, "m3"),
        "date_storage_17": Value("2024-04-30"),
        "volume_storage_17": Value(42.233, "m3"),
    }
    assert str(fields["manufacturer_specific_5f"].value).startswith("0082930000810007c113")


@pytest.mark.parametrize(("kind", "now"), [("c00d", (1234567800000, "J")), ("c006", (12345678000, "W.h"))])
def test_heat_meters_say_their_unit(kind: str, now: tuple[int, str]) -> None:
    assert decode(QDS.telegram(bytes.fromhex("78" + container(kind))))["energy"] == Value(*now)


def test_digits_that_are_none_give_no_value() -> None:
    assert decode(QDS.telegram(bytes.fromhex("78" + container(now="ffffffff"))))["volume"] == Value(None, "m3")


def test_other_forms_and_other_makers_keep_their_bytes() -> None:
    raw = bytes.fromhex(container())[4:]
    assert len(walk_by(raw.hex())) == 6
    for n in range(len(raw)):
        assert walk_by(raw[:n].hex()) == []
    for other_form in ((raw + b"\0").hex(), "x" * 106, "", None, 0x5F, True):
        assert walk_by(other_form) == []
    for at, byte in ((8, 0xC2), (9, 0x6E), (9, 0xFD)):
        assert walk_by((raw[:at] + bytes((byte,)) + raw[at + 1 :]).hex()) == []
    other = decode(Meter().telegram(bytes.fromhex("78" + container())))
    assert "manufacturer_specific_5f" in other
    assert "volume" not in other


def test_a_record_of_this_name_may_have_any_value() -> None:
    """Empty, text, a number: what other firmware may have there."""
    for record in ("00ff5f", "0dff5f03616263", "04ff5f01020304", "0dff5fc2" + "1234", "0dff5f35" + "41" * 53):
        fields = decode(QDS.telegram(bytes.fromhex("78" + record + "046d06091d35")))
        assert "volume" not in fields
        assert fields["time"] == Value("2024-05-29T09:06:00")
