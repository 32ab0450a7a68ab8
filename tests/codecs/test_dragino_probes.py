"""Payloads by hand after the fields in the vendor's decoders (LHT65N-VIB, GroPoint Air)."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.models import native
from torhaus.codecs.payload.dragino import decoder

_VIB = decoder("lht65n-vib")
_SOIL = decoder("gropoint-air")


@pytest.mark.parametrize(
    ("mode", "behind", "expected"),
    [
        (1, "00010002 0000003c", {"vib_count": 65538, "work_min": 60}),
        (2, "00000005 ff38 f1c2", {"vib_count": 5, "temp_c_sht": -2.0, "hum_sht": 45.0}),
        (3, "0866 0258 00000001", {"temp_c_sht": 21.5, "hum_sht": 60.0, "work_min": 1}),
    ],
)
def test_vibrations(mode: int, behind: str, expected: dict[str, object]) -> None:
    seen = _VIB(bytes.fromhex(f"0bb8{mode << 2 | 1:02x}{behind}"), 2)
    assert {name: value.value for name, value in seen.items()} == {
        "bat_v": 3.0,
        "alarm": "TRUE",
        "tdc": "NO",
        **expected,
    }


def test_accelerations() -> None:
    assert _VIB(bytes.fromhex("0bb8 03e8 fc18 0000"), 9)["max_acc_y_g"] == Value(-1.0, "[g]")
    seen = _VIB(bytes.fromhex("0bb8 03e8 fc18 0000 0001 0002 0003"), 7)
    assert seen["datalog_0_y"] == Value(-1.0, "[g]")
    assert seen["datalog_1_z"] == Value(0.003, "[g]")


def test_soil_with_and_without_temperatures() -> None:
    """Two segments: four temperatures, two moistures."""
    seen = _SOIL(bytes.fromhex("0ce4 32 00d7 fff6 0000 0001 00fa 012c"), 2)
    assert {name: value.value for name, value in seen.items()} == {
        "bat": 3.3,
        "sen": 2,
        "tem1": 21.5,
        "tem2": -1.0,
        "tem3": 0.0,
        "tem4": 0.1,
        "soil_moisture1": 25.0,
        "soil_moisture2": 30.0,
    }
    assert [*_SOIL(bytes.fromhex("0ce4 32 00fa 012c"), 2)] == ["bat", "sen", "soil_moisture1", "soil_moisture2"]


def test_a_probe_that_does_not_answer() -> None:
    assert _SOIL(bytes.fromhex("0ce4 32 7fff"), 2)["soil_moisture1"] == Value("Invalid data")
    seen = _SOIL(bytes.fromhex("0ce4 32 00d7 00d8 00d9 00da 7fff"), 2)
    assert (seen["tem4"], seen["soil_moisture1"]) == (Value(21.8, "Cel"), Value("Invalid data"))


@pytest.mark.parametrize(
    ("model", "payload", "fport", "reason"),
    [
        ("lht65n-vib", "0bb804000100020000003c"[:-2], 2, "short"),
        ("lht65n-vib", "0bb8100001000200000000", 2, "unknown_type"),
        ("lht65n-vib", "0bb803e8fc1800000001", 7, "short"),
        ("lht65n-vib", "0bb803e8fc18", 9, "short"),
        ("gropoint-air", "0ce43900fa012c", 2, "unknown_type"),
        ("gropoint-air", "0ce43200fa01", 2, "short"),
        ("gropoint-air", "0ce43200fa", 2, "short"),
    ],
)
def test_what_is_refused(model: str, payload: str, fport: int, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder(model)(bytes.fromhex(payload), fport)
    assert caught.value.reason is RejectReason(reason)


def test_their_names() -> None:
    assert native("dragino", "LHT65N-VIB") == "dragino:lht65n-vib"
    assert native("dragino", "gropoint") == "dragino:gropoint-air"
