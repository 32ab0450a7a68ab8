"""Encrypted and signed telegrams, made here by the standards' text: with the right key, a wrong one, and none."""

import random
from collections.abc import Callable

import pytest

from tests.codecs.wmbus_fakes import KEY, VALUES, Meter
from torhaus.codecs.meter.wmbus.layers import Extended
from torhaus.codecs.meter.wmbus.security import opened_link
from torhaus.codecs.meter.wmbus.telegram import Counter, decode, identity_of, opened
from torhaus.codecs.model import DecodeError, RejectReason

METER = Meter()
FORMS: dict[str, Callable[[], bytes]] = {
    "mode 5": METER.mode_5,
    "mode 7": lambda: METER.mode_7(77),
    "counter mode": lambda: METER.counter_mode(100),
}


def refusal(telegram: bytes, key: bytes | None) -> RejectReason:
    with pytest.raises(DecodeError) as caught:
        decode(telegram, key=key)
    return caught.value.reason


@pytest.mark.parametrize("form", FORMS)
def test_with_the_key_without_it_and_with_another(form: str) -> None:
    telegram = FORMS[form]()
    fields = decode(telegram, key=KEY)
    assert fields["meter_id"].value == "12345678"
    assert fields["volume"].unit == "m3"
    assert refusal(telegram, None) is RejectReason.KEY
    assert refusal(telegram, bytes(16)) is (RejectReason.MIC if form == "mode 7" else RejectReason.KEY)
    assert refusal(telegram, b"short") is RejectReason.KEY
    assert str(identity_of(telegram).meter) == "KAM/12345678/1b/16"


def test_what_is_behind_the_encrypted_blocks_is_read_too() -> None:
    fields = decode(METER.mode_5(behind=bytes.fromhex("02fd170100")), key=KEY)
    assert (fields["volume"].value, fields["error_flags"].value) == (12345.678, 1)


def test_counters_and_whether_they_are_proved() -> None:
    assert opened(METER.mode_7(77), KEY).counter == Counter("message counter", 77, verified=True)
    assert opened(METER.counter_mode(100), KEY).counter == Counter("session time", 100, verified=True)
    assert opened(METER.mode_5(), KEY).counter is None


@pytest.mark.parametrize("at", range(10, 52))
def test_a_changed_byte_of_a_signed_telegram_is_found(at: int) -> None:
    telegram = bytearray(METER.mode_7(77))
    telegram[at] ^= 0x01
    try:
        fields = decode(bytes(telegram), key=KEY)
    except DecodeError:
        return
    assert at in {11, 12, 15, 16}, "not signed: the extended link layer, and the number of the fragment"
    assert fields == decode(METER.mode_7(77), key=KEY)


def test_a_signature_cannot_be_left_out() -> None:
    signed = METER.mode_7(77)
    layer = bytes.fromhex("90070028") + signed[17:22]  # the counter stays, the MAC is gone
    stripped = METER.telegram(signed[10:13] + layer + signed[30:])
    assert refusal(stripped, KEY) is RejectReason.MIC


def test_a_changed_byte_in_counter_mode_is_found() -> None:
    good = METER.counter_mode(100)
    for at in range(17, len(good)):
        assert refusal(good[:at] + bytes((good[at] ^ 0x10,)) + good[at + 1 :], KEY) is RejectReason.KEY


def test_a_telegram_that_a_repeater_passed_on() -> None:
    """Meters encrypt with the bits of hops and repetition clear, and repeaters set them."""
    good = METER.counter_mode(100, control=0x20)
    repeated = good[:11] + bytes((good[11] | 0x12,)) + good[12:]
    assert decode(repeated, key=KEY) == decode(good, key=KEY)


@pytest.mark.parametrize("security", range(2, 8))
def test_other_ways_to_encrypt_the_link_are_unsupported(security: int) -> None:
    with pytest.raises(DecodeError) as caught:
        opened_link(bytes(20), METER.address, Extended(0x20, 1, security << 29), KEY)
    assert caught.value.reason is RejectReason.UNSUPPORTED


@pytest.mark.parametrize("mode", [1, 2, 3, 4, 6, 8, 9, 10, 13, 21, 29])
def test_other_modes_are_unsupported(mode: int) -> None:
    telegram = METER.telegram(bytes((0x7A, 1, 0, 0x10, mode, 0)) + bytes(16))
    assert refusal(telegram, KEY) is RejectReason.UNSUPPORTED


def test_a_mode_7_without_a_counter_and_a_mac_without_one() -> None:
    bare = METER.telegram(bytes.fromhex("7a0900100710") + bytes(16))
    assert refusal(bare, KEY) is RejectReason.UNSUPPORTED
    uncounted = METER.telegram(bytes.fromhex("900b002425") + bytes(8) + b"\x78" + VALUES)
    assert refusal(uncounted, KEY) is RejectReason.UNSUPPORTED


def test_fewer_bytes_than_are_encrypted() -> None:
    telegram = METER.telegram(bytes((0x7A, 1, 0, 0x20, 5)) + bytes(16))
    assert refusal(telegram, KEY) is RejectReason.SHORT


def test_parts_of_a_longer_message_are_unsupported() -> None:
    telegram = METER.telegram(bytes.fromhex("90020140") + b"\x78" + VALUES)
    assert refusal(telegram, None) is RejectReason.UNSUPPORTED


def test_nothing_but_a_decode_error_leaves_it() -> None:
    rand = random.Random(577)
    seeds = [make() for make in FORMS.values()]
    for _ in range(2000):
        data = bytearray(rand.choice(seeds))
        for _ in range(rand.randrange(1, 4)):
            data[rand.randrange(len(data))] = rand.randrange(256)
        cut = bytes(data[: rand.randrange(len(data) + 1)])
        for telegram in (bytes(data), cut):
            for key in (KEY, None):
                try:
                    decode(telegram, key=key)
                except DecodeError:
                    continue
