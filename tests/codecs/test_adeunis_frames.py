import pytest

from torhaus.codecs.model import Value
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
        fields = decoder(product)(bytes((code, 0x20)) + bytes(24), 1)
        assert fields["frame"] == Value(frame.name)
        assert fields["frame_counter"] == Value(1)


def test_a_frame_that_has_no_table() -> None:
    fields = decoder("comfort")(bytes.fromhex("7f02abcd"), 1)
    assert fields["frame"] == Value("0x7f")
    assert fields["data"] == Value("abcd")
    assert fields["low_battery"] == Value(True)


def test_a_probe_that_is_missing() -> None:
    assert "temperature2" not in decoder("temp")(bytes.fromhex("43000100ec018000"), 1)
