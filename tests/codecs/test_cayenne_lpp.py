import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.cayenne_lpp import MAX_PAYLOAD, decode

VECTORS = Path(os.environ.get("TORHAUS_VECTORS", str(Path(__file__).parents[3] / "shared" / "vectors")))

NAMES = {
    "digital_input": "digital_input",
    "digital_output": "digital_output",
    "analog_input": "analog_input",
    "analog_output": "analog_output",
    "temperature": "temperature",
    "humidity": "humidity",
    "presence": "presence",
    "barometer": "pressure",
    "accelerometer_x": "acceleration_x",
    "accelerometer_y": "acceleration_y",
    "accelerometer_z": "acceleration_z",
    "accX": "acceleration_x",
    "accY": "acceleration_y",
    "accZ": "acceleration_z",
    "gyrometer_x": "rotation_x",
    "gyrometer_y": "rotation_y",
    "gyrometer_z": "rotation_z",
    "gps_lat": "latitude",
    "gps_lon": "longitude",
    "gps_alt": "altitude",
    "latitude": "latitude",
    "longitude": "longitude",
    "altitude": "altitude",
    "voltage": "voltage",
}


def upstream() -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for file in ("lorawan_codecs.jsonl", "lorawan_vectors_extra.jsonl"):
        if (VECTORS / file).exists():
            found = (json.loads(line) for line in (VECTORS / file).read_text("utf-8").splitlines())
            lines += [d for d in found if d["vendor"] in {"cayenne", "mydevices"} or d["model"] == "rak_standard"]
    return lines


def samples(expected: Any) -> list[dict[str, Any]]:
    """Upstream's values as {"channel": n, name: value}: three shapes, by platform."""
    if isinstance(expected, dict):  # rakwireless: name_channel
        split = [re.fullmatch(r"(.+)_(\d+)", name) for name in expected]
        return [{"channel": int(m[2]), m[1]: expected[m[0]]} for m in split if m]
    if isinstance(expected[0], dict):  # akenza: topics
        return [sample["data"] for sample in expected]
    return [sample for sample, _location in expected]  # element-parsers: [values, options]


@pytest.mark.skipif(not upstream(), reason=f"no LoRaWAN vectors at {VECTORS} (TORHAUS_VECTORS)")
def test_every_upstream_line_agrees() -> None:
    lines = upstream()
    assert len(lines) >= 18
    for line in lines:
        fields = decode(bytes.fromhex(line["bytes_hex"]), line.get("fport"))
        checked = set()
        for sample in samples(line["expected"]):
            channel = sample.pop("channel")
            for name, value in sample.items():
                ours = f"{NAMES[name]}_{channel}"
                # upstream multiplies by 0.1 and keeps the dirt: 219.70000000000002
                assert fields[ours].value == round(value, 6), (line["id"], name)
                checked.add(ours)
        assert checked == set(fields), line["id"]


def test_decimals_are_exact() -> None:
    for n in range(-1000, 1000):
        raw = n.to_bytes(2, "big", signed=True)
        assert str(decode(b"\x01\x67" + raw)["temperature_1"].value) == f"{n / 10:.1f}"
        assert len(str(abs(float(decode(b"\x01\x02" + raw)["analog_input_1"].value or 0)))) <= 5


def test_a_repeated_channel_loses_nothing() -> None:
    assert decode(bytes.fromhex("0100000100010101010067000a")) == {
        "digital_input_1": Value(0),
        "digital_input_1_2": Value(1),
        "digital_output_1": Value(1),
        "temperature_0": Value(1.0, "Cel"),
    }


def test_an_unknown_type_refuses_the_whole() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(bytes.fromhex("0167ffd7026900"))
    assert caught.value.reason is RejectReason.UNKNOWN_TYPE
    assert caught.value.detail == "type 105 on channel 2"


def test_longest_payload() -> None:
    assert len(decode(b"\x01\x00\x01" * 85)) == 85
    with pytest.raises(DecodeError) as caught:
        decode(b"\x01\x00\x01" * (MAX_PAYLOAD // 3 + 1))
    assert caught.value.reason is RejectReason.LONG


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(-(2**15), 2**15 - 1)), min_size=1, max_size=60))
def test_one_field_for_each_value_sent(sent: list[tuple[int, int]]) -> None:
    payload = b"".join(bytes((channel, 103)) + n.to_bytes(2, "big", signed=True) for channel, n in sent)
    fields = decode(payload)
    assert [field.value for field in fields.values()] == [n / 10 for _, n in sent]
