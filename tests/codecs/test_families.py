"""Every model of every family: it decodes its vectors, refuses rubbish, and is found by its name."""

import random

import pytest

from tests.codecs.golden import payloads
from tests.codecs.test_fuzz import attempt
from torhaus.codecs.model import DecodeError
from torhaus.codecs.registry import FAMILIES, is_codec, load, models, names, variant

PORTS = (None, 1, 2, 3, 4, 5, 6, 7, 10, 85, 100, 101, 125)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_models_are_found_by_their_names(family: str) -> None:
    for model in models(family):
        assert variant(family, model) == model
        assert is_codec(f"{family}:{model}")
        assert f"{family}:{model}" in set(names())
    assert variant(family, "no-such-model") is None
    assert not is_codec(f"{family}:no-such-model")
    with pytest.raises(KeyError):
        load(f"{family}:no-such-model")


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_whatever_bytes_come(family: str) -> None:
    """Each model gets every sample of its family, cut and changed, and bytes at random."""
    chance = random.Random(family)
    found = payloads(family)
    for model in models(family):
        decode = load(f"{family}:{model}")
        attempt(decode, b"")
        for _ in range(60):
            payload = bytearray(chance.choice(found))
            for _ in range(chance.randrange(4)):
                payload[chance.randrange(len(payload))] = chance.randrange(256)
            attempt(decode, bytes(payload[: chance.randrange(1, len(payload) + 1)]), chance.choice(PORTS))
            attempt(decode, chance.randbytes(chance.randrange(60)), chance.choice(PORTS))


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_too_long(family: str) -> None:
    for model in models(family):
        for port in PORTS:
            with pytest.raises(DecodeError):
                load(f"{family}:{model}")(b"\2" * 256, port)
