"""What wired M-Bus meters answer: names, units, exact values, dates, faults, and nothing but DecodeError on junk."""

import random

import pytest

from torhaus.codecs.framing.mbus import long
from torhaus.codecs.meter.mbus.telegram import decode
from torhaus.codecs.model import DecodeError, RejectReason, Scalar, Value

HEAD = bytes.fromhex("78563412 2d2c 01 04 05 00 0000".replace(" ", ""))  # KAM, heat outlet


def one(record: str) -> dict[str, Value]:
    fields = decode(long(8, 1, 0x72, HEAD + bytes.fromhex(record.replace(" ", ""))))
    return dict(list(fields.items())[6:])


def test_the_header_is_named() -> None:
    fields = decode(long(8, 1, 0x72, HEAD))
    assert {name: value.value for name, value in fields.items()} == {
        "meter_id": "12345678",
        "manufacturer": "KAM",
        "version": 1,
        "medium": "heat_outlet",
        "access_number": 5,
        "status": "ok",
    }


def test_a_short_header_and_none() -> None:
    records = bytes.fromhex("0c1321430500")
    for ci, head, more in ((0x7A, b"\5\4\0\0", 2), (0x78, b"", 0)):
        fields = decode(long(8, 1, ci, head + records))
        assert (len(fields), fields["volume"]) == (1 + more, Value(54.321, "m3"))
    assert decode(long(8, 1, 0x7A, b"\5\4\0\0" + records))["status"] == Value("power_low")
    for ci, data, reason in ((0x7A, b"\5\4\0\5", RejectReason.KEY), (0x78, b"\x2f", RejectReason.SHORT)):
        with pytest.raises(DecodeError) as caught:
            decode(long(8, 1, ci, data))
        assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("record", "name", "value", "unit"),
    [
        ("04 06 39300000", "energy", 12345000, "W.h"),
        ("0c 13 21430500", "volume", 54.321, "m3"),
        ("0a 5a 34f2", "flow_temperature", -23.4, "Cel"),
        ("0a 5a ffff", "flow_temperature", None, "Cel"),
        ("02 5a c0ff", "flow_temperature", -6.4, "Cel"),
        ("05 2b cdcccc3d", "power", 0.1, "W"),
        ("05 2b 0000c07f", "power", None, "W"),
        ("14 2b 01000000", "power_max", 1, "W"),
        ("24 2b 01000000", "power_min", 1, "W"),
        ("34 2b 01000000", "power_error", 1, "W"),
        ("84 10 06 01000000", "energy_tariff_1", 1000, "W.h"),
        ("c4 41 06 01000000", "energy_storage_3_subunit_1", 1000, "W.h"),
        ("42 6c 1f2c", "date_storage_1", "2016-12-31", None),
        ("42 6c 0000", "date_storage_1", None, None),
        ("04 6d 0b0bcd13", "time", "2014-03-13T11:11:00", None),
        ("04 6d 8b0bcd13", "time", None, None),
        ("06 6d 3b0b0bcd1300", "time", "2014-03-13T11:11:59", None),
        ("03 65 000000", "external_temperature", 0, "Cel"),
        ("02 fd 48 e608", "voltage", 227.8, "V"),
        ("01 fd 17 00", "error_flags", 0, None),
        ("02 fb 1a c401", "relative_humidity", 45.2, "%"),
        ("04 fb 00 01000000", "energy", 100000, "W.h"),
        ("02 75 0100", "actuality_duration", 60, "s"),
        ("0d 78 03 434241", "fabrication_number", "ABC", None),
        ("0d 13 c2 3412", "volume", 1.234, "m3"),
        ("0d 13 d2 3412", "volume", -1.234, "m3"),
        ("01 7c 03 484c41 05", "text_alh", 5, None),
        ("04 93 3c 01000000", "volume_backward", 0.001, "m3"),
        ("04 86 3b 01000000", "energy_forward", 1000, "W.h"),
        ("00 13", "volume", None, "m3"),
        ("0f 0102", "manufacturer_data", "0102", None),
        ("1f", "more_records", True, None),
    ],
)
def test_a_record(record: str, name: str, value: Scalar, unit: str | None) -> None:
    assert one(record) == {name: Value(value, unit)}


def test_a_name_that_comes_again_is_numbered_and_idle_filler_is_skipped() -> None:
    assert list(one("01 13 01 2f 01 13 02 2f 2f")) == ["volume", "volume_2"]


def test_a_meters_own_fault_stands_beside_the_value() -> None:
    assert one("01 93 15 00")["volume_fault"] == Value("no data available")


def test_the_fixed_structure_has_two_counters() -> None:
    fields = decode(long(8, 5, 0x73, bytes.fromhex("78563412 0a00 e97e 01000000 35010000".replace(" ", ""))))
    assert fields["meter_id"].value == "12345678"
    assert fields["medium"].value == "water"
    assert fields["volume"] == Value(0.001, "m3")
    assert fields["volume_storage_1"] == Value(0.135, "m3")


def test_an_application_error_is_told_and_an_encrypted_telegram_asks_for_the_key() -> None:
    assert decode(long(8, 1, 0x70, b"\x08"))["error"].value == "application too busy"
    with pytest.raises(DecodeError) as caught:
        decode(long(8, 1, 0x72, HEAD[:-2] + b"\x00\x05" + bytes(16)))
    assert caught.value.reason is RejectReason.KEY


def test_nothing_but_a_decode_error_leaves_it() -> None:
    rand = random.Random(1434)
    for n in range(20_000):
        body = rand.randbytes(rand.randrange(80))
        ci = rand.choice((0x72, 0x72, 0x73, 0x77, 0x70, 0x78, 0x7A))
        try:
            decode(long(8, 1, ci, (HEAD if n & 1 else b"") + body))
        except DecodeError:
            continue


def test_what_cannot_be_read_costs_only_itself() -> None:
    assert one("01 13 01 8d 13 ff 01") == {"volume": Value(0.001, "m3"), "unread_data": Value("8d13ff01")}
    assert one("01 13 01 04 13 01") == {"volume": Value(0.001, "m3"), "unread_data": Value("041301")}
    assert one("01 13 01 3f 00") == {"volume": Value(0.001, "m3"), "unread_data": Value("3f00")}
    assert one("01 fb 7a 01 01 ab 79 02 01 fd 7d 03 01 13 01") == {
        "power_maximum_count": Value(0.1, "W"),
        "power_vife_79": Value(2, "W"),
        "reserved_fd7d": Value(3),
        "volume": Value(0.001, "m3"),
        "unknown_codes": Value(2),
    }
