import json
import os
from pathlib import Path
from typing import Any

import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.elsys import MAX_PAYLOAD, decode

VECTORS = Path(os.environ.get("TORHAUS_VECTORS", str(Path(__file__).parents[3] / "shared" / "vectors")))
FILES = ("lorawan_codecs.jsonl", "lorawan_vectors_extra.jsonl")

# names that other platforms use: the vendor's, what their number is multiplied by
OTHERS: dict[str, tuple[str, int]] = {
    "pir": ("motion", 1),
    "pulseAbs": ("pulse_abs", 1),
    "pulseAbs1": ("pulse_abs", 1),
    "soundPeak": ("sound_peak", 1),
    "soundAvg": ("sound_avg", 1),
    "accMotion": ("acc_motion", 1),
    "accX": ("x", 1),
    "accY": ("y", 1),
    "accZ": ("z", 1),
    "batteryVoltage": ("vdd", 1000),
    "reed": ("digital", 1),
    "analog1_1": ("analog1", 1),
    "digital1_1": ("digital", 1),
    "digital1_2": ("digital", 1),
    "external_temp1_1": ("external_temperature", 1),
    "external_temp2_1": ("external_temperature2", 1),
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
        ours, factor = OTHERS.get(name, (name, 1))
        if name == "digital1_1" and "digital1_2" in expected:
            continue  # a type that comes twice: the last holds
        assert fields[ours].value == round(value * factor, 3), (name, value)
        checked.add(ours)
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
        assert set(fields) - checked <= {"lat", "long", "digital"}, line["id"]


def test_decimals_are_exact() -> None:
    for n in range(-400, 600):
        assert str(decode(b"\x01" + n.to_bytes(2, "big", signed=True))["temperature"].value) == f"{n / 10:.1f}"
    for n in range(2000, 4000):
        assert decode(b"\x07" + n.to_bytes(2, "big"))["vdd"] == Value(n, "mV")


def test_acceleration_is_as_sent() -> None:
    steps = [decode(bytes((0x03, n, 0, 0)))["x"].value for n in range(256)]
    assert steps == [*range(128), *range(-128, 0)]


def test_what_comes_again() -> None:
    assert decode(bytes.fromhex("0a11010a2111")) == {"pulse1": Value(0x2111)}
    one = "190100"
    assert decode(bytes.fromhex(one)) == {"external_temperature2": Value(25.6, "Cel")}
    assert decode(bytes.fromhex(one + "190200" + "1900ff")) == {
        "external_temperature2_0": Value(25.6, "Cel"),
        "external_temperature2_1": Value(51.2, "Cel"),
        "external_temperature2_2": Value(25.5, "Cel"),
    }


def test_offset_stands_beside_the_value_it_belongs_to() -> None:
    assert decode(bytes.fromhex("4100160507022a")) == {
        "temperature": Value(2.2, "Cel"),
        "temperature_offset": Value(5),
        # the next type follows at once
        "vdd": Value(554, "mV"),
    }
    # a value of two parts has one offset: each part carries it
    assert decode(bytes.fromhex("55010209"))["sound_avg_offset"] == Value(9)


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
    assert decode(b"\x05\x01" * 127) == {"motion": Value(1)}
    with pytest.raises(DecodeError) as caught:
        decode(b"\x05\x01" * (MAX_PAYLOAD // 2 + 1))
    assert caught.value.reason is RejectReason.LONG
