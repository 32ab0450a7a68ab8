import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.dragino import decoder


def test_the_external_sensor_decides() -> None:
    climate = bytes.fromhex("cbf60b0d0376")
    assert decoder("lht65")(climate + bytes.fromhex("010add7fff"), 2) == {
        "bat_v": Value(3.062, "V"),
        "bat_status": Value(3),
        "temp_c_sht": Value(28.29, "Cel"),
        "hum_sht": Value(88.6, "%"),
        "ext_sensor": Value("Temperature Sensor"),
        "temp_c_ds": Value(27.81, "Cel"),
    }
    gone = decoder("lht65")(climate + bytes.fromhex("850102ffff"), 2)
    assert gone["no_connect"] == Value("Sensor no connection")
    assert gone["ill_lx"] == Value(258, "lx")
    probe = decoder("lht65")(bytes.fromhex("cbf6280102030f04050607"), 2)
    assert probe["id"] == Value("28 01 02 03 04 05 06 07 ")


def test_old_and_new_distance() -> None:
    assert decoder("ldds75")(bytes.fromhex("0d0a07e900"), 2)["distance"] == Value(2025, "mm")
    assert decoder("ldds75")(bytes.fromhex("0d0a000a00"), 2)["distance"] == Value("Invalid Reading")
    assert decoder("ldds75")(bytes.fromhex("0d0a0000000100ff"), 2)["distance"] == Value("No Sensor")
    below = decoder("ldds75")(bytes.fromhex("0d0a07e900fff601"), 2)
    assert below["temp_c_ds18_b20"] == Value(-1.0, "Cel")


def test_frozen_ground() -> None:
    """The vendor's decoder takes 0xffff for zero; it is a hundredth below."""
    soil = decoder("lse01")(bytes.fromhex("0d0a00640bb8ffff00c801"), 2)
    assert soil["temp_soil"] == Value(-0.01, "Cel")


@pytest.mark.parametrize(
    ("model", "data"), [("lsn50-v2", "0d0a00e600007c00000000"), ("lsn50-v2", "0d0a00e600001000e60064")]
)
def test_working_modes(model: str, data: str) -> None:
    assert "work_mode" in decoder(model)(bytes.fromhex(data), 2)


def test_modes_that_are_not_known() -> None:
    for model, data in (("lsn50-v2", "0d0a00e600003000000000"), ("laq4", "0d0a080000000000000000")):
        with pytest.raises(DecodeError) as caught:
            decoder(model)(bytes.fromhex(data), 2)
        assert caught.value.reason is RejectReason.UNKNOWN_TYPE


def test_the_strongest_beacon() -> None:
    uuid, address = b"0123456789abcdef0123456789ABCDEF", b"A4C138000001"
    seen = decoder("lbt1")(bytes.fromhex("0fc710000502") + uuid + address, 2)
    assert seen["uuid"] == Value(uuid.decode())
    assert seen["addr"] == Value(address.decode())
    assert (seen["alarm"], seen["step_count"]) == (Value(1), Value(5))
    numbers = decoder("lbt1")(bytes.fromhex("0fc700000003") + b"0123456789ab" + b"001F00FFC5-063", 2)
    assert (numbers["major"], numbers["minor"], numbers["rssi"]) == (Value(31), Value(255), Value(-63, "dB[mW]"))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (bytes.fromhex("0fc700000004"), RejectReason.UNKNOWN_TYPE),
        (bytes.fromhex("0fc70000000130"), RejectReason.SHORT),
        (bytes.fromhex("0fc700000003") + b"0123456789ab" + b"x01F00FFC5-063", RejectReason.SYNTAX),
        (bytes.fromhex("0fc700000003") + b"0123456789ab" + b"\xff01F00FFC5-063", RejectReason.SYNTAX),
    ],
)
def test_no_beacon(payload: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder("lbt1")(payload, 2)
    assert caught.value.reason is reason
