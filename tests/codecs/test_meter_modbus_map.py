"""What a map may say, SunSpec's models, and hostile input."""

import random
from typing import Any

import msgspec
import pytest

from tests.codecs.test_fuzz import check_refusal
from torhaus.codecs.framing.modbus_blocks import Block, encode_blocks
from torhaus.codecs.meter.modbus import SUNS, decode_mapped
from torhaus.codecs.meter.modbus_map import Map, Model, Register
from torhaus.codecs.model import DecodeError

INVERTER = Model(
    ids=(103,),
    register=(Register(field="power", address=2, type="int16", scale_from=3, unit="W"),),
    repeat=(Register(field="string_voltage", address=0, type="uint16", scale_from=3),),
    repeat_at=4,
    repeat_words=2,
)
SUNSPEC = Map(name="t", source="t", model=(INVERTER,))


def words(*numbers: int) -> bytes:
    return b"".join((n & 0xFFFF).to_bytes(2, "big") for n in numbers)


def test_sunspec_models_parts_and_scale_factors() -> None:
    chain = SUNS + words(1, 2, 0, 0, 103, 6, -5, -1, 3000, 0, 3100, 0, 103, 2, 7, 2, 0xFFFF, 0)
    fields = decode_mapped(encode_blocks([Block(3, 40000, len(chain) // 2, chain)]), SUNSPEC)
    assert {k: v.value for k, v in fields.items()} == {
        "power": -0.5,
        "string_voltage_1": 300.0,
        "string_voltage_2": 310.0,
        "power_2": 700,
    }


def test_a_model_that_is_cut_over_two_answers() -> None:
    data = words(103, 6, 5, 0, 1, 0, 2, 0)
    frame = encode_blocks([Block(3, 500, 5, data[:10]), Block(3, 505, 3, data[10:])])
    assert [v.value for v in decode_mapped(frame, SUNSPEC).values()] == [5, 1, 2]


def test_scale_factors_that_mean_nothing() -> None:
    for power in (0x8000, 11, -11):
        with pytest.raises(DecodeError):
            decode_mapped(encode_blocks([Block(3, 0, 4, words(103, 2, 5, power))]), SUNSPEC)


def test_fuzz() -> None:
    rng = random.Random(3)
    for _ in range(3000):
        n = rng.randint(1, 60)
        data = rng.choice([rng.randbytes(2 * n), SUNS + words(103, rng.randint(0, 70)) + rng.randbytes(2 * n)])
        frame = encode_blocks([Block(3, rng.choice([0, 40000, 100]), len(data) // 2, data)])
        if rng.random() < 0.3:
            frame = frame[: rng.randint(0, len(frame))]
        try:
            assert decode_mapped(frame, SUNSPEC)
        except DecodeError as refusal:
            check_refusal(refusal)


@pytest.mark.parametrize(
    ("register", "says"),
    [
        ({"field": "Bad Name", "type": "int16"}, "must be of a-z"),
        ({"type": "string"}, "how many registers"),
        ({"type": "int16", "words": 2}, "fixed size"),
        ({"type": "int16", "bit": 1}, "unsigned"),
        ({"type": "uint16", "values": {"on": "1"}}, "needs numbers"),
        ({"type": "float16"}, "float16"),
        ({"type": "bool"}, "functions 1 and 2"),
        ({"type": "int32", "address": 65535}, "does not fit"),
        ({"type": "int16", "adress": 3}, "adress"),
    ],
)
def test_a_wrong_map_says_so(register: dict[str, Any], says: str) -> None:
    table = {"name": "t", "source": "t", "register": [{"field": "x", "address": 1} | register]}
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert(table, Map)
