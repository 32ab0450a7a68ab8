import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.adeunis import decoder, variant
from torhaus.codecs.payload.adeunis_frames import FLAGS, PRODUCTS, STAMPED


def test_products_are_named_alike() -> None:
    assert FLAGS.keys() | STAMPED <= PRODUCTS.keys()
    assert variant("temp_v4") == variant("temp4") == "temp-v4"
    assert variant("comfort_v2") == "comfort"
    assert variant("comfort-serenity") is None


@pytest.mark.parametrize("product", sorted(PRODUCTS))
def test_every_frame_of_every_product(product: str) -> None:
    for code, frame in PRODUCTS[product].items():
        taken = [fields for n in range(30) if (fields := attempt(product, bytes((code, 0x20)) + bytes(n)))]
        assert taken
        assert all(fields["frame"] == Value(frame.name) for fields in taken)
        assert all(fields["frame_counter"] == Value(1) for fields in taken)


def attempt(product: str, data: bytes) -> Fields | None:
    try:
        return decoder(product)(data, 1)
    except DecodeError as refusal:
        assert refusal.reason is RejectReason.SHORT  # noqa: PT017
        return None


def test_a_frame_that_has_no_table() -> None:
    fields = decoder("comfort")(bytes.fromhex("7f02abcd"), 1)
    assert fields["frame"] == Value("0x7f")
    assert fields["data"] == Value("abcd")
    assert fields["low_battery"] == Value(True)


def test_a_probe_that_is_missing() -> None:
    assert "temperature2" not in decoder("temp")(bytes.fromhex("43000100ec018000"), 1)
