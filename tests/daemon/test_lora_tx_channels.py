"""Which channel numbers a frequency may have: a device's own, of which the usual one comes first."""

import pytest

from torhaus.daemon.lora.tx_channels import tx_channels
from torhaus.daemon.outbox.record import Lora


@pytest.mark.parametrize(
    ("region", "hz", "dr", "first", "count"),
    [
        ("EU868", 868_300_000, 5, 1, 16),
        ("EU868", 867_900_000, 0, 7, 16),
        ("EU868", 866_900_000, 0, 0, 16),
        ("AS923", 923_200_000, 2, 0, 16),
        ("US915", 902_300_000, 0, 0, 1),
        ("US915", 903_000_000, 4, 64, 1),
    ],
)
def test_the_likeliest_is_the_first(region: str, hz: int, dr: int, first: int, count: int) -> None:
    found = tx_channels(region, Lora(hz, "LORA", "SF7BW125", dr=dr))
    assert (found[0], len(set(found)), len(found)) == (first, count, count)


def test_a_frequency_that_a_fixed_region_has_not() -> None:
    assert tx_channels("US915", Lora(868_100_000, "LORA", "SF7BW125", dr=0)) == ()
