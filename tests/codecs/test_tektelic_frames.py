"""Frames by hand after the fields in the vendor's decoders (eDoctor)."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.tektelic import decoder

_READ = decoder("edoctor")


def test_the_first_firmware() -> None:
    """Battery 92.17 % as in the published example, 36.5 degrees, 15 breaths, resting, 60 beats."""
    assert _READ(bytes.fromhex("ea820f 45 07 85 3c 0000"), 10) == {
        "battery": Value(92.17, "%"),
        "body_temperature": Value(36.5, "Cel"),
        "respiratory_rate": Value(15, "/min"),
        "ua_mode_active": Value(0),
        "rest_mode_status": Value(1),
        "ce": Value(5),
        "csc": Value(7),
        "af": Value(1),
        "position": Value(5),
        "heart_rate": Value(60, "/min"),
    }


def test_version_1_2() -> None:
    """st1 and st2 share a byte: 0x2da is 36.5, 0x3ff is none."""
    seen = _READ(bytes.fromhex("ff 8b 6b ff 48 10 14 ff 64"), 11)
    assert {name: value.value for name, value in seen.items()} == {
        "remaining_battery_capacity": "Unavailable",
        "reporting_mode": "Enhanced Reporting Mode",
        "battery_saving_mode": "Not in battery saving mode",
        "st1": 36.5,
        "st2": "Unavailable",
        "pr": 72,
        "rr": 16,
        "ce": 1.0,
        "af1": "Activity detected",
        "position": "Unavailable",
        "af2": 1.0,
    }
    assert _READ(b"\x01", 12) == {"er_mode_config": Value(1)}


@pytest.mark.parametrize(
    ("payload", "fport", "reason"),
    [
        ("ea", 10, "short"),
        ("ea" * 8, 11, "short"),
        ("ea" * 10, 10, "long"),
        ("00" * 9, 13, "unknown_type"),
        ("", 10, "short"),
    ],
)
def test_what_is_refused(payload: str, fport: int, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        _READ(bytes.fromhex(payload), fport)
    assert caught.value.reason is RejectReason(reason)


def test_answers_to_downlinks() -> None:
    assert _READ(b"\x05\x00", 101) == {"response_0_downlink": Value(5), "response_0_refused": Value(0)}
