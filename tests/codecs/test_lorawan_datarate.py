import pytest

from torhaus.codecs.lorawan.datarate import REGIONS, dr_index


@pytest.mark.parametrize(
    ("region", "modulation", "datarate", "expected"),
    [
        ("EU868", "LORA", "SF12BW125", 0),
        ("EU868", "LORA", "SF7BW125", 5),
        ("EU868", "LORA", "SF7BW250", 6),
        ("EU868", "FSK", "50000", 7),
        ("eu863-870", "LORA", "SF10BW125", 2),
        ("EU863", "LORA", "SF9BW125", 3),
        ("AS923-2", "LORA", "SF7BW250", 6),
        ("IN865", "FSK", "50000", 7),
        ("IN865", "LORA", "SF7BW250", None),
        ("KR920", "LORA", "SF7BW125", 5),
        ("KR920", "FSK", "50000", None),
        ("US915", "LORA", "SF10BW125", 0),
        ("US915", "LORA", "SF7BW125", 3),
        ("US915", "LORA", "SF8BW500", 4),
        ("US915", "LORA", "SF12BW125", None),
        ("US915", "LORA", "SF12BW500", None),
        ("AU915", "LORA", "SF12BW125", 0),
        ("AU915", "LORA", "SF8BW500", 6),
        ("EU868", "LORA", "SF6BW125", None),
        ("EU868", "LORA", "50000", None),
        ("EU868", "FSK", "100000", None),
        ("MARS", "LORA", "SF7BW125", None),
        ("MARS", "LR-FHSS", "M0CW137", None),
        ("EU868", "", "", None),
    ],
)
def test_index(region: str, modulation: str, datarate: str, expected: int | None) -> None:
    assert dr_index(region, modulation, datarate) == expected


@pytest.mark.parametrize(
    ("region", "datarate", "coderate", "expected"),
    [
        ("EU868", "M0CW137", "1/3", 8),
        ("EU868", "M0CW137", "2/6", 8),
        ("EU868", "M0CW137", "2/3", 9),
        ("EU868", "M0CW137", "4/6", 9),
        ("EU868", "M0CW336", "1/3", 10),
        ("EU868", "M0CW336", "2/3", 11),
        ("EU868", "M0CW137", None, None),
        ("EU868", "M0CW137", "4/5", None),
        ("EU868", "M0CW1523", "1/3", None),
        ("US915", "M0CW1523", "1/3", 5),
        ("US915", "M0CW1523", "2/3", 6),
        ("AU915", "M0CW1523", None, 7),
        ("KR920", "M0CW137", "1/3", None),
    ],
)
def test_lr_fhss(region: str, datarate: str, coderate: str | None, expected: int | None) -> None:
    assert dr_index(region, "LR-FHSS", datarate, coderate) == expected


def test_every_region_has_sf7_to_sf10() -> None:
    assert set(REGIONS) == {"EU868", "US915", "AU915", "AS923", "IN865", "KR920"}
    for region in REGIONS:
        rates = [dr_index(region, "LORA", f"SF{sf}BW125") for sf in (10, 9, 8, 7)]
        assert None not in rates
        assert rates == sorted(rates, key=lambda rate: rate or 0)
