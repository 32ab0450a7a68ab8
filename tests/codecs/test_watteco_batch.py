import random

import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.watteco_batch import Batch, Series, read_batch
from torhaus.codecs.payload.watteco_models import MODELS

OUTDOOR = bytes.fromhex("20010000017d0585a8e9401708f07703fcd903")
ONE = Batch(1, {0: Series("index", "u32", 1, 1)})


def outdoor() -> Batch:
    batch = MODELS["outdoor-temperature"].batch
    assert batch is not None
    return batch


def test_older_values_stand_before_the_newest() -> None:
    assert read_batch(OUTDOOR, outdoor()) == {
        "batch_counter": Value(1),
        "history_0_temperature": Value(25.7, "Cel"),
        "history_0_age": Value(41, "s"),
        "temperature": Value(25.9, "Cel"),
        "temperature_age": Value(11, "s"),
        "history_1_battery_voltage": Value(3.7, "V"),
        "history_1_age": Value(30, "s"),
        "battery_voltage": Value(3.7, "V"),
        "battery_voltage_age": Value(0, "s"),
    }


def test_cut_off_everywhere() -> None:
    for n in range(len(OUTDOOR)):
        with pytest.raises(DecodeError) as caught:
            read_batch(OUTDOOR[:n], outdoor())
        assert caught.value.reason is RejectReason.SHORT


def test_a_series_that_the_device_has_not() -> None:
    with pytest.raises(DecodeError) as caught:
        read_batch(bytes.fromhex("1001") + bytes(20), Batch(1, {1: ONE.series[0]}))
    assert caught.value.reason is RejectReason.UNKNOWN_TYPE


def test_no_series_at_all() -> None:
    with pytest.raises(DecodeError) as caught:
        read_batch(bytes(20), ONE)
    assert caught.value.reason is RejectReason.UNSUPPORTED


def test_whatever_bits_come() -> None:
    chance = random.Random("batch")
    batches = [device.batch for device in MODELS.values() if device.batch is not None]
    reasons = set()
    for _ in range(1500):
        data = bytes((chance.randrange(8) << 5 | 16,)) + chance.randbytes(chance.randrange(255))
        try:
            assert read_batch(data, chance.choice(batches))
        except DecodeError as refusal:
            reasons.add(refusal.reason)
    assert {RejectReason.SHORT, RejectReason.UNKNOWN_TYPE, RejectReason.SYNTAX} <= reasons
