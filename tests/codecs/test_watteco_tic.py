import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.watteco_tic import CLUSTERS, read_tic


def test_fields_by_number() -> None:
    out: Fields = {}
    read_tic(0x56, 0x0100, bytes.fromhex("24020514" + "45140a18052519" + "0001a814" + "01cd4593"), out)
    assert out["date_s"] == Value("E")
    assert out["date_date"] == Value("20/10/24 05:37:25")
    assert out["east"] == Value(108564, "W.h")
    assert out["eait"] == Value(30229907, "W.h")


def test_fields_by_bit() -> None:
    out: Fields = {}
    read_tic(0x54, 0, bytes.fromhex("0000000000000040242d0e6a"), out)
    assert out["base"] == Value(606932586, "W.h")
    assert out["descriptor_indexes_0"] == Value(6)


@pytest.mark.parametrize(("hexed", "text"), [("27f7e5a0", "01/04/21 04:00:00"), ("00000000", "01/01/00 01:00:00")])
def test_time_in_france(hexed: str, text: str) -> None:
    out: Fields = {}
    read_tic(0x57, 0, bytes.fromhex("2228" + hexed), out)
    assert out["deb_p"] == Value(text)


def test_words_by_number_and_by_letters() -> None:
    out: Fields = {}
    read_tic(0x56, 0, bytes.fromhex("220483494e44"), out)
    assert out["ltarf"] == Value("IND")
    read_tic(0x56, 0, bytes.fromhex("220404"), out)
    assert out["ltarf"] == Value("HC")


def test_a_field_that_no_table_has() -> None:
    out: Fields = {}
    read_tic(0x54, 0, bytes.fromhex("227f0102"), out)
    assert out["tic_rest"] == Value("0102")


@pytest.mark.parametrize(
    ("attribute", "hexed", "reason"),
    [(0, "2202", "short"), (0, "", "short"), (7, "2202", "unknown_type"), (0, "220041", "short")],
)
def test_what_is_refused(attribute: int, hexed: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read_tic(0x56, attribute, bytes.fromhex(hexed), {})
    assert caught.value.reason is RejectReason(reason)


def test_whatever_fields_are_announced() -> None:
    for cluster in CLUSTERS:
        for number in range(120):
            out: Fields = {}
            try:
                read_tic(cluster, 0, bytes((0x22, number)) + bytes(range(1, 80)) + bytes(80), out)
            except DecodeError as refusal:
                assert refusal.reason in {RejectReason.SHORT, RejectReason.UNKNOWN_TYPE}  # noqa: PT017
            else:
                assert len(out) >= 3
