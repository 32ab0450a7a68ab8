import json
import os
from pathlib import Path
from typing import Any

import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.elsys import MAX_PAYLOAD, decode

VECTORS = Path(os.environ.get("TORHAUS_VECTORS", str(Path(__file__).parents[3] / "shared" / "vectors")))
FILES = ("lorawan_codecs.jsonl", "lorawan_vectors_extra.jsonl")

# upstream name: our name, what upstream's number is divided by
PLAIN: dict[str, tuple[str, int]] = {
    "temperature": ("temperature", 1),
    "humidity": ("humidity", 1),
    "light": ("light", 1),
    "motion": ("motion", 1),
    "pir": ("motion", 1),
    "co2": ("co2", 1),
    "tvoc": ("tvoc", 1),
    "pressure": ("pressure", 1),
    "distance": ("distance", 1),
    "occupancy": ("occupancy", 1),
    "waterleak": ("water_leak", 1),
    "pulse1": ("pulse_1", 1),
    "pulseAbs": ("pulse_total_1", 1),
    "pulseAbs1": ("pulse_total_1", 1),
    "soundPeak": ("sound_peak", 1),
    "soundAvg": ("sound_average", 1),
    "accMotion": ("acceleration_motion", 1),
    "x": ("acceleration_x", 63),
    "y": ("acceleration_y", 63),
    "z": ("acceleration_z", 63),
    "accX": ("acceleration_x", 63),
    "accY": ("acceleration_y", 63),
    "accZ": ("acceleration_z", 63),
    "vdd": ("battery_voltage", 1000),
    "batteryVoltage": ("battery_voltage", 1),
    "reed": ("digital_1", 1),
    "analog1_1": ("analog_1", 1000),
    "digital1_1": ("digital_1", 1),
    "digital1_2": ("digital_1_2", 1),
    "external_temp1_1": ("external_temperature_1", 1),
    "external_temp2_1": ("external_temperature_2", 1),
}
# computed by the platform from earlier messages or from the voltage, or units beside values
DERIVED = {"batteryLevel", "doorClosings", "usageCount", "relativePulse1"}
# upstream says itself that it guesses: big-endian and without a scale
GUESSED = {"gps_lat_1", "gps_lon_1"}


def upstream() -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for file in FILES:
        if (VECTORS / file).exists():
            found = (json.loads(line) for line in (VECTORS / file).read_text("utf-8").splitlines())
            lines += [line for line in found if line["vendor"] == "elsys"]
    return lines


def compare(fields: Fields, expected: dict[str, Any]) -> set[str]:
    """Check every value that upstream gives; returns our names that were checked."""
    checked: set[str] = set()
    for name, value in expected.items():
        if name in DERIVED | GUESSED or name.endswith("_unit"):
            continue
        if name == "debug_1":
            assert fields["debug"].value == value.lower()
            checked.add("debug")
            continue
        ours, divisor = PLAIN[name]
        want = round(value / divisor, 3) if divisor == 63 else value / divisor
        # where a type comes twice, most platforms keep only the last
        got = {key: field.value for key, field in fields.items() if key in {ours, f"{ours}_2"}}
        assert want in got.values(), (name, value, got)
        checked |= set(got)
    return checked


@pytest.mark.skipif(not upstream(), reason=f"no LoRaWAN vectors at {VECTORS} (TORHAUS_VECTORS)")
def test_every_upstream_line_agrees() -> None:
    lines = upstream()
    assert len(lines) >= 30
    for line in lines:
        fields = decode(bytes.fromhex(line["bytes_hex"]), line.get("fport"))
        expected = line["expected"]
        samples = [expected] if isinstance(expected, dict) else [s.get("data") or s["values"] for s in expected]
        checked: set[str] = set()
        for sample in samples:
            if "splPer" in sample:
                assert fields["settings_length"].value == len(line["bytes_hex"]) // 2 - 2
                checked.add("settings_length")
            else:
                checked |= compare(fields, sample)
        assert set(fields) - checked <= {"latitude", "longitude", "digital_1"}, line["id"]


def test_decimals_are_exact() -> None:
    for n in range(-400, 600):
        assert str(decode(b"\x01" + n.to_bytes(2, "big", signed=True))["temperature"].value) == f"{n / 10:.1f}"
    for n in range(2000, 4000):
        volts = decode(b"\x07" + n.to_bytes(2, "big"))["battery_voltage"].value
        assert f"{volts:.3f}" == f"{n // 1000}.{n % 1000:03d}"
        assert len(str(volts)) <= 5


def test_acceleration_keeps_every_step() -> None:
    steps = [decode(bytes((0x03, n, 0, 0)))["acceleration_x"].value for n in range(256)]
    assert len(set(steps)) == 256
    assert steps[63] == 1.0
    assert steps[256 - 63] == -1.0


def test_offset_stands_beside_the_value_it_belongs_to() -> None:
    assert decode(bytes.fromhex("4100160507022a")) == {
        "temperature": Value(2.2, "Cel"),
        "temperature_offset": Value(5),
        # the next type follows at once
        "battery_voltage": Value(0.554, "V"),
    }
    # a value of two parts has one offset: each part carries it
    assert decode(bytes.fromhex("55010209"))["sound_average_offset"] == Value(9)


def test_a_value_without_its_last_byte_is_not_half_a_value() -> None:
    payload = bytes.fromhex("0100e202290400270506070e38")
    boundaries = {3, 5, 8, 10}
    for n in range(1, len(payload)):
        if n in boundaries:
            assert decode(payload[:n])
            continue
        with pytest.raises(DecodeError) as caught:
            decode(payload[:n])
        assert caught.value.reason is RejectReason.SHORT


def test_longest_payload() -> None:
    assert len(decode(b"\x05\x01" * 127)) == 127
    with pytest.raises(DecodeError) as caught:
        decode(b"\x05\x01" * (MAX_PAYLOAD // 2 + 1))
    assert caught.value.reason is RejectReason.LONG
