from torhaus.codecs.lorawan.regions.dynamic import AS923, AS923_2, AS923_3, AS923_4, EU868, IN865, KR920


def test_europe() -> None:
    assert [c.freq_hz for c in EU868.channels] == [868_100_000, 868_300_000, 868_500_000]
    assert EU868.channels == EU868.join_channels
    p = next(b for b in EU868.bands if b.min_hz <= EU868.rx2_hz <= b.max_hz)
    assert (p.max_eirp_dbm, p.duty_cycle) == (29.15, 0.1)
    assert EU868.rates[8].coderate == "1/3"
    assert not EU868.rates[8].downlink


def test_asian_groups_are_shifted() -> None:
    assert [c.freq_hz for c in AS923.channels] == [923_200_000, 923_400_000]
    shifts = [r.channels[0].freq_hz - AS923.channels[0].freq_hz for r in (AS923_2, AS923_3, AS923_4)]
    assert shifts == [-1_800_000, -6_600_000, -5_900_000]
    assert {r.tx_param_setup for r in (AS923, AS923_2, AS923_3, AS923_4)} == {True}
    assert {(c.min_dr, c.max_dr) for c in AS923.join_channels} == {(2, 5)}


def test_india_and_korea() -> None:
    assert [c.freq_hz for c in IN865.channels] == [865_062_500, 865_402_500, 865_985_000]
    assert 6 not in IN865.rates
    assert [c.freq_hz for c in KR920.channels] == [922_100_000, 922_300_000, 922_500_000]
    assert [b.max_eirp_dbm for b in KR920.bands] == [10, 14]  # less below 922 MHz
