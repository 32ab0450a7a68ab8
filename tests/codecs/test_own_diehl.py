"""Diehl's meters: PRIOS, records under a stream of bits, addresses in another order."""

import pytest

from tests.codecs.wmbus_fakes import KEY, Meter
from tests.codecs.wmbus_own_fakes import DIEHL, HYDROMETER, RECORDS, VOLUMES, prios, real_data, sappel
from torhaus.codecs.meter.wmbus.own import diehl
from torhaus.codecs.meter.wmbus.telegram import decode, identity_of, opened
from torhaus.codecs.model import DecodeError, RejectReason, Value


@pytest.mark.parametrize("key", diehl.KEYS)
def test_prios(key: int) -> None:
    fields = decode(prios(HYDROMETER, key=key))
    assert (fields["meter_id"], fields["version"], fields["medium"]) == (Value("87654321"), Value(0x85), Value("water"))
    assert fields["volume"] == Value(12345.678, "m3")
    assert (fields["volume_storage_1"], fields["date_storage_1"]) == (Value(10448.685, "m3"), Value("2024-12-31"))
    assert (fields["battery_remaining"], fields["transmission_period"]) == (Value(12.0, "a"), Value(8, "s"))
    assert (fields["alarms"], fields["previous_alarms"]) == (Value("ok"), Value("ok"))


def test_alarms() -> None:
    fields = decode(prios(DIEHL, alarms="81b84c"))
    assert fields["alarms"] == Value("general,leakage,blocked,underflow,sensor_fraud")
    assert fields["previous_alarms"] == Value("sensor_fraud")
    assert decode(prios(DIEHL, alarms="0540ff"))["previous_alarms"] == Value("leakage,sensor_fraud,mechanical_fraud")
    assert decode(prios(DIEHL, alarms="0500a2"))["alarms"] == Value("backflow,overflow,mechanical_fraud")


def test_without_a_due_date() -> None:
    fields = decode(prios(HYDROMETER, VOLUMES[:5]))
    assert "volume_storage_1" not in fields
    assert fields["volume"] == Value(12345.678, "m3")
    assert decode(prios(HYDROMETER, VOLUMES[:5] + bytes(6)))["date_storage_1"] == Value(None)


def test_what_stands_on_a_meter_of_sappel() -> None:
    fields = decode(prios(sappel("HCA", 9_000_123)))
    assert (fields["fabrication_number"], fields["medium"]) == (Value("H09CA000123"), Value("water"))
    assert str(identity_of(prios(sappel())).meter) == "SAP/214081a7/00/07"


def refusal_of(telegram: bytes) -> RejectReason | None:
    try:
        decode(telegram)
    except DecodeError as refusal:
        return refusal.reason
    return None


def test_a_key_of_its_own_is_no_reading() -> None:
    """The mark fits one key in 256; what follows has to make sense, too."""
    told = [refusal_of(prios(HYDROMETER, key=n * 0x01000193 & 0xFFFFFFFF)) for n in range(1, 3000)]
    assert told.count(RejectReason.KEY) >= len(told) - 1
    with pytest.raises(DecodeError, match="keys do not open it"):
        decode(prios(HYDROMETER, b"\x4b" + bytes.fromhex("00ca9a3b")))


def test_records_under_the_stream() -> None:
    for telegram in (real_data(HYDROMETER), real_data(HYDROMETER, key=diehl.KEYS[0])):
        fields = decode(telegram)
        assert (fields["meter_id"], fields["volume"]) == (Value("87654321"), Value(12345.678, "m3"))
        assert identity_of(telegram).security == "manufacturer's own"
        assert not opened(telegram, KEY).secured, "the keys are known to everybody"
    head = bytes((0x7A, 1, 0, 0, sum(RECORDS) & 0xEF | 0x10))
    assert decode(HYDROMETER.telegram(head + RECORDS))["volume"] == Value(12345.678, "m3"), "decrypted on the way"
    with pytest.raises(DecodeError) as caught:
        decode(real_data(HYDROMETER, key=1))
    assert caught.value.reason is RejectReason.KEY
    with pytest.raises(DecodeError, match="security mode 16"):
        decode(Meter().telegram(b"\x7a\1\0\0\x10" + RECORDS))


def test_addresses_of_others_and_in_oms_are_as_they_are_sent() -> None:
    address = HYDROMETER.address
    for body in (b"", b"\x7a\1\0\0", b"\x7a\1\0\0\5", b"\x72" + bytes(12), b"\xa8\0"):
        assert diehl.in_order(address, body) == address
    assert diehl.in_order(Meter().address, b"\xa2\0") == Meter().address
    assert diehl.in_order(address, b"\xb2\0") == address[:2] + address[4:] + address[2:4]
