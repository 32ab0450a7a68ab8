"""Whatever bytes come: a registered codec returns fields that can be stored, or raises DecodeError."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.codecs.golden import payloads
from torhaus.codecs.model import MAX_DETAIL, DecodeError, RejectReason, Value
from torhaus.codecs.registry import CODECS, FAMILIES, Decode, load, models

FPORTS = st.none() | st.integers(0, 255)
NAMES = [*sorted(CODECS), *(f"{family}:{models(family)[0]}" for family in sorted(FAMILIES))]
"""Of a family one model: tests/codecs/test_families.py goes through all of them."""


def check_refusal(refusal: DecodeError) -> None:
    assert isinstance(refusal.reason, RejectReason)
    assert len(refusal.detail) <= MAX_DETAIL


def attempt(decode: Decode, data: bytes, fport: int | None = None) -> None:
    before = bytes(data)
    try:
        fields = decode(data, fport)
    except DecodeError as refusal:
        check_refusal(refusal)
        return
    assert data == before
    assert fields or not data, "neither fields nor a reason"
    for field, value in fields.items():
        assert field
        assert isinstance(value, Value)
        assert type(value.value) in {int, float, str, bool, type(None)}
    # what is decoded must survive the store and the wire
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(fields), type=dict[str, Value]) == fields
    msgspec.json.encode(fields)


@pytest.mark.parametrize("name", NAMES)
def test_truncated_at_every_byte(name: str) -> None:
    decode = load(name)
    for payload in payloads(name):
        for n in range(len(payload)):
            attempt(decode, payload[:n])
            attempt(decode, payload[n:])


@pytest.mark.parametrize("name", NAMES)
def test_every_byte_changed(name: str) -> None:
    decode = load(name)
    for payload in payloads(name):
        for n in range(len(payload)):
            for octet in {0x00, 0xFF, payload[n] ^ 0x01, payload[n] ^ 0x80}:
                attempt(decode, payload[:n] + bytes((octet,)) + payload[n + 1 :])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_extended(name: str, data: st.DataObject) -> None:
    payload = data.draw(st.sampled_from(payloads(name)))
    attempt(load(name), payload + data.draw(st.binary(min_size=1, max_size=64)), data.draw(FPORTS))
    attempt(load(name), data.draw(st.binary(min_size=1, max_size=64)) + payload, data.draw(FPORTS))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200, deadline=None)
@given(payload=st.binary(max_size=300), fport=FPORTS)
def test_random(name: str, payload: bytes, fport: int | None) -> None:
    attempt(load(name), payload, fport)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("octet", [0x00, 0x01, 0x1B, 0x71, 0x76, 0x7F, 0xF1, 0xFF])
def test_long_and_monotonous(name: str, octet: int) -> None:
    decode = load(name)
    for size in (1, 256, 20_000, 100_000):
        attempt(decode, bytes((octet,)) * size)
