import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.sensative_square import decoder


def decode(payload: str, fport: int) -> Fields:
    return decoder("square-tracker")(bytes.fromhex(payload), fport)


def test_power() -> None:
    assert decode("00", 5) == {"network_powered": Value(1), "battery_percent": Value(0, "%")}
    assert decode("5f", 5)["battery_percent"] == Value(95, "%")
    assert decode("0102", 5) == {"pwr_data": Value("0102")}


def test_how_the_device_hears() -> None:
    assert decode("a0f6", 6) == {
        "link_control_link_control_index": Value(-1),
        "link_control_link_control_dl_rssi": Value(-96, "dB[mW]"),
        "link_control_link_control_dl_snr": Value(-10, "dB"),
        "link_control_adr": Value(1),
    }
    assert decode("03a0f6", 6)["link_control_link_control_index"] == Value(3)


def test_customization() -> None:
    assert decode("01", 7)["customization_status"] == Value("Applied")
    seen = decode("800000010000000204", 7)
    assert seen["customization_customization_crc"] == Value(0x80000001)
    assert seen["customization_customized_app_crc"] == Value(2)
    assert seen["customization_status"] == Value("Unknown")


def test_mesh_and_what_is_passed_on() -> None:
    seen = decode("000000070000003c0102aabb", 8)
    assert seen["mesh_age"] == Value(60, "s")
    assert seen["mesh_hex"] == Value("aabb")
    assert decode("aa", 33) == {"forward_port33_data": Value("aa")}
    assert decode("0001aabb", 3) == {"crash_index": Value(1), "crash_bytes": Value("aabb")}


def test_rules_of_an_application_that_is_not_known() -> None:
    assert decode("00000001", 15) == {"rules_crc32": Value(1)}
    assert decode("000000016749a591", 15)["build_type"] == Value(1)
    assert decode("0000000100000003", 15)["build_type"] == Value(0)


def test_a_position_to_be_solved_in_parts() -> None:
    """0xc0 05: the first of five bytes with a position that helps, 45 degrees north and 90 east."""
    head = decode("c0055a0000000400040000aabb", 21)
    assert head["gnss_assistance_latitude"] == Value(45.0, "deg")
    assert head["gnss_assistance_longitude"] == Value(90.0, "deg")
    assert (head["gnss_complete_hex"], head["gnss_incomplete_hex"]) == (Value(""), Value("aabb"))
    part = decode("00035a000000ccdd", 21)
    assert part["gnss_stream_offset"] == Value(3)
    assert part["gnss_incomplete_hex"] == Value("ccdd")
    whole = decode("a0035a00000000aabb11", 21)
    assert whole["gnss_autonomous"] == Value(1)
    assert decode("80035a00000000aabb11", 21)["gnss_complete_hex"] == Value("")


@pytest.mark.parametrize(
    ("payload", "fport"), [("80015a0000", 21), ("aa", 6), ("0102", 7), ("000102", 22), ("00" * 47, 4)]
)
def test_cut_off(payload: str, fport: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(payload, fport)
    assert caught.value.reason is RejectReason.SHORT


def test_almanac() -> None:
    assert decode("1234", 22) == {"gnss_almanac_chunk_checksum": Value(0x1234)}
    assert "gnss_device_time" not in decode("00" * 12, 22)
