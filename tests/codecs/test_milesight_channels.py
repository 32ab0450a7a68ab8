from torhaus.codecs.layout.field import run
from torhaus.codecs.model import Fields, Value
from torhaus.codecs.payload.milesight import decoder
from torhaus.codecs.payload.milesight_channels import guarded, history, named, row


def test_about_the_device() -> None:
    told = decoder("em300-th")(
        bytes.fromhex("ff0101ff090320ff0a0114ffff0110ff166136d12345678901ff0f00fffe01ff0bff"), 85
    )
    assert {name: value.value for name, value in told.items()} == {
        "ipso_version": "v0.1",
        "hardware_version": "v3.2",
        "firmware_version": "v1.14",
        "tsl_version": "v1.16",
        "sn": "6136d12345678901",
        "lorawan_class": "Class A",
        "reset_event": "reset",
        "device_status": "on",
    }


def test_answers_to_commands() -> None:
    assert decoder("em300-th")(bytes.fromhex("fe033c00ff6801"), 85) == {
        "report_interval": Value(60, "s"),
        "history_enable": Value("enable"),
    }


def test_states_instead_of_a_number() -> None:
    steps = row(guarded("current u16 /100 A", "current_sensor_status", {0xFFFF: "read failed"}))
    for data, want in (
        (b"\xe8\x03", {"current": Value(10.0, "A")}),
        (b"\xff\xff", {"current_sensor_status": Value("read failed")}),
    ):
        out: Fields = {}
        run(steps, data, 0, out)
        assert out == want


def test_history_is_a_list() -> None:
    out: Fields = {}
    run(history("level u8", named("state u8", {1: "on"})), b"\x01\0\0\0\x05\x07", 0, out, "3")
    assert {name: value.value for name, value in out.items()} == {
        "history_3_timestamp": 1,
        "history_3_level": 5,
        "history_3_state": "unknown",
    }
