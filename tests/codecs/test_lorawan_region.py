import pytest

from torhaus.codecs.lorawan.region import (
    REGIONS,
    apply_ch_mask,
    beacon_hz,
    downlink_dr_index,
    dr_index,
    max_payload,
    ping_slot_hz,
    region,
    rx1,
    tx_power_dbm,
)
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import DecodeError, RejectReason


@pytest.mark.parametrize(
    ("name", "modulation", "datarate", "expected"),
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
def test_index(name: str, modulation: str, datarate: str, expected: int | None) -> None:
    assert dr_index(name, modulation, datarate) == expected


@pytest.mark.parametrize(
    ("name", "datarate", "coderate", "expected"),
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
def test_lr_fhss(name: str, datarate: str, coderate: str | None, expected: int | None) -> None:
    assert dr_index(name, "LR-FHSS", datarate, coderate) == expected


def test_every_region_has_sf7_to_sf10() -> None:
    assert {name[:5] for name in REGIONS} == {"EU868", "US915", "AU915", "AS923", "IN865", "KR920"}
    for name in REGIONS:
        rates = [dr_index(name, "LORA", f"SF{sf}BW125") for sf in (10, 9, 8, 7)]
        assert None not in rates
        assert rates == sorted(rates, key=lambda rate: rate or 0)


@pytest.mark.parametrize(
    ("name", "freq_hz", "dr", "offset", "expected"),
    [
        ("EU868", 868_100_000, 5, 0, (868_100_000, 5)),
        ("EU868", 867_900_000, 0, 5, (867_900_000, 0)),
        ("EU868", 868_100_000, 8, 0, (868_100_000, 1)),
        ("US915", 902_300_000, 0, 0, (923_300_000, 10)),
        ("US915", 903_900_000, 3, 1, (923_300_000, 12)),  # channel 8
        ("US915", 914_900_000, 3, 0, (927_500_000, 13)),  # channel 63
        ("US915", 904_600_000, 4, 0, (923_900_000, 13)),  # channel 65
        ("US915", 904_600_000, 6, 3, (923_900_000, 8)),
        ("AU915", 915_200_000, 2, 0, (923_300_000, 10)),
        ("AU915", 917_500_000, 6, 5, (923_900_000, 9)),  # channel 65
        ("AS923-2", 921_400_000, 5, 7, (921_400_000, 7)),
    ],
)
def test_rx1(name: str, freq_hz: int, dr: int, offset: int, expected: tuple[int, int]) -> None:
    assert rx1(region(name), freq_hz, dr, offset) == expected


@pytest.mark.parametrize(
    ("name", "freq_hz", "dr", "offset", "says"),
    [
        ("EU868", 868_100_000, 12, 0, "EU868 has no uplinks with DR12"),
        ("EU868", 868_100_000, 5, 6, "EU868 has no RX1DROffset 6, 0 to 5"),
        ("EU868", 868_100_000, 5, -1, "no RX1DROffset -1"),
        ("US915", 902_300_000, 8, 0, "no uplinks with DR8"),
        ("US915", 902_300_000, 4, 0, "no channel at 902300000 Hz with DR4"),
        ("US915", 868_100_000, 0, 0, "no channel at 868100000 Hz"),
    ],
)
def test_what_has_no_rx1(name: str, freq_hz: int, dr: int, offset: int, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        rx1(region(name), freq_hz, dr, offset)


def test_names() -> None:
    assert region("eu863") is region("EU863-870") is region("EU868")
    assert region("AS923-1") is region("AS923")
    with pytest.raises(DecodeError, match="no region MARS; there are EU868, AS923, AS923-2") as e:
        region("MARS")
    assert e.value.reason is RejectReason.UNKNOWN_TYPE


def test_downlink_rates() -> None:
    us = region("US915")
    assert downlink_dr_index(us, "LORA", "SF8BW500") == 12
    assert downlink_dr_index(us, "LORA", "SF10BW125") is None
    assert downlink_dr_index(region("EU868"), "FSK", "50000") == 7
    assert downlink_dr_index(region("EU868"), "LR-FHSS", "M0CW137") is None
    for name in REGIONS:
        for dr, rate in region(name).rates.items():
            if rate.uplink:
                assert dr_index(name, rate.modulation, rate.datarate, rate.coderate) == dr
            if rate.downlink:
                assert downlink_dr_index(region(name), rate.modulation, rate.datarate) == dr


def test_max_payload() -> None:
    assert max_payload(region("EU868"), 0) == 51
    assert max_payload(region("EU868"), 5) == 242
    assert max_payload(region("AS923"), 0, dwell=True) == 0
    assert max_payload(region("AS923"), 2, dwell=True) == 11
    with pytest.raises(DecodeError, match="EU868 has no DR14"):
        max_payload(region("EU868"), 14)


def test_tx_power() -> None:
    assert tx_power_dbm(region("EU868"), 0) == 16
    assert tx_power_dbm(region("EU868"), 7) == 2
    assert tx_power_dbm(region("AU915"), 1, 20) == 18
    with pytest.raises(DecodeError, match="EU868 has no TXPower 8, 0 to 7"):
        tx_power_dbm(region("EU868"), 8)


def test_beacons_and_ping_slots_hop_where_there_are_eight_channels() -> None:
    us, eu = region("US915"), region("EU868")
    assert [beacon_hz(us, 128 * n + 5) for n in (0, 1, 8)] == [923_300_000, 923_900_000, 923_300_000]
    assert [ping_slot_hz(us, addr, 128) for addr in (0, 6, 7)] == [923_900_000, 927_500_000, 923_300_000]
    assert beacon_hz(eu, 12345) == ping_slot_hz(eu, 7, 12345) == 869_525_000


def on(it: Region, enabled: frozenset[int], cntl: int, mask: int, defined: frozenset[int] | None = None) -> set[int]:
    found = apply_ch_mask(it, enabled, cntl, mask, defined)
    assert found is not None
    return set(found)


def test_channel_masks_of_dynamic_plans() -> None:
    eu, some = region("EU868"), frozenset({0, 1, 2, 20})
    assert on(eu, some, 0, 0b1001) == {0, 3, 20}
    assert on(eu, some, 6, 0, defined=frozenset(range(8))) == set(range(8))
    assert on(eu, some, 6, 0) == {0, 1, 2}
    assert apply_ch_mask(eu, some, 5, 0xFF) is None


def test_channel_masks_of_fixed_plans() -> None:
    us, every = region("US915"), frozenset(range(72))
    second = set(range(8, 16))
    assert on(us, every, 7, 0b10) == {65}
    assert on(us, frozenset({65}), 0, 0xFF00) == second | {65}
    assert on(us, every, 5, 0b10) == second | {65}
    assert on(us, frozenset(), 6, 0x01) == set(range(65))
    assert on(us, every, 4, 0xFF01) == set(range(65))
    assert on(us, every, 3, 0) == set(range(72)) - set(range(48, 64))
