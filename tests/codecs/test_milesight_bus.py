import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Scalar, Value
from torhaus.codecs.payload.milesight import decoder

BUS = decoder("uc100")


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("01", "01", "on"),
        ("02", "ffff", 65535),
        ("83", "ffff", -1),
        ("04", "01000080", 0x80000001),
        ("86", "ffffffff", -1),
        ("05", "0000c03f", 1.5),
        ("88", "feff0000", -2),
    ],
)
def test_registers_by_their_type(kind: str, raw: str, value: Scalar) -> None:
    assert BUS(bytes.fromhex(f"ff190104{kind}{raw}"), 85) == {"modbus_chn_2": Value(value)}
    alarmed = BUS(bytes.fromhex(f"ffee4104{kind}{raw}"), 85)
    assert alarmed == {"modbus_chn_2_alarm": Value("threshold alarm"), "modbus_chn_2": Value(value)}


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [(0, "01000000", "on"), (2, "ffff0000", 65535), (8, "ffff0100", 65535), (10, "0000c03f", 1.5)],
)
def test_stored_registers(kind: int, raw: str, value: Scalar) -> None:
    found = BUS(bytes.fromhex(f"20cec79afa6400{kind << 2 | 2:02x}{raw}"), 85)
    assert found["history_0_modbus_chn_1"] == Value(value)


def test_what_could_not_be_read_and_what_was_said() -> None:
    found = BUS(bytes.fromhex("ff150020cec79afa6400000000000020cdc79afa64026f6bf95fc000000000803f"), 85)
    assert found["modbus_chn_1_alarm"] == Value("mutation alarm")
    assert found["history_0_modbus_chn_1_alarm"] == Value("read error")
    assert found["history_1_custom_message"] == Value("ok")
    assert found["modbus_chn_1_mutation"] == Value(1.0)


def test_a_type_that_is_not_known_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        BUS(bytes.fromhex("ff1900040c00000000"), 85)
    assert refused.value.reason is RejectReason.UNKNOWN_TYPE


def test_a_message_that_was_written_to_the_serial_port() -> None:
    assert decoder("uc100")(b"Pumpe 3 steht\r\n", 85) == {"custom_message": Value("Pumpe 3 steht\r\n")}
    assert decoder("uc300")(b"Pumpe 3", 85) == {"text": Value("Pumpe 3")}
    with pytest.raises(DecodeError):
        decoder("uc300")(b"Pumpe\x00", 85)
    with pytest.raises(DecodeError):
        decoder("em300-th")(b"Pumpe 3", 85)


@pytest.mark.parametrize(
    ("bits", "raw", "found"),
    [
        ("8085", "feff000000000000 0100000000000000", {"modbus_chn_2": -2, "modbus_chn_2_reg_2": 1, "alarm": "normal"}),
        ("5015", "0000204100000000 0000000000000000", {"modbus_chn_2": 10.0, "alarm": "threshold alarm"}),
        ("4035", "000000000000f83f 0000000000000000", {"modbus_chn_2": 1.5, "alarm": "normal"}),
        ("403d", "0000000001000000 0000000000000000", {"modbus_chn_2": 1 << 32, "alarm": "normal"}),
        ("7001", "0100000000000000 0000000000000000", {"modbus_chn_2": "on", "alarm": "mutation alarm"}),
        ("0000", "0100000000000000 0000000000000000", {"alarm": "read error"}),
    ],
)
def test_stored_registers_of_the_second_version(bits: str, raw: str, found: dict[str, object]) -> None:
    seen = BUS(bytes.fromhex(f"21ce 01000000 01 {bits} {raw}"), 85)
    want = {"history_0_timestamp": 1, "history_0_modbus_chn_2_alarm": found.pop("alarm")}
    want |= {f"history_0_{name}": value for name, value in found.items()}
    assert {name: value.value for name, value in seen.items()} == want


def test_stored_registers_that_are_no_registers() -> None:
    for payload, reason in (("21ce 01000000 01 007f" + "00" * 16, "unknown_type"), ("21ce 01000000 01 8085", "short")):
        with pytest.raises(DecodeError) as caught:
            BUS(bytes.fromhex(payload), 85)
        assert caught.value.reason is RejectReason(reason)
