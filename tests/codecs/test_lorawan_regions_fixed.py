from torhaus.codecs.lorawan.regions.fixed import AU915, US915


def test_channels() -> None:
    for it, first, first_wide in ((US915, 902_300_000, 903_000_000), (AU915, 915_200_000, 915_900_000)):
        assert len(it.channels) == 72
        assert (it.channels[0].freq_hz, it.channels[63].freq_hz) == (first, first + 63 * 200_000)
        assert (it.channels[64].freq_hz, it.channels[71].freq_hz) == (first_wide, first_wide + 7 * 1_600_000)
        assert it.downlink_hz[0] == 923_300_000
        assert it.downlink_hz[7] == 927_500_000
        assert it.is_fixed


def test_joining() -> None:
    assert {c.max_dr for c in US915.join_channels} == {0, 4}
    assert {c.max_dr for c in AU915.join_channels} == {2, 6}


def test_directions_share_no_index() -> None:
    for it in (US915, AU915):
        assert all(r.uplink != r.downlink for r in it.rates.values())
        assert {dr for dr, r in it.rates.items() if r.downlink} == set(range(8, 14))
