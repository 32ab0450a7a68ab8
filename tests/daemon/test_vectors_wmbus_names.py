"""What the words of an expected name ask of the record that is meant."""

import pytest

from torhaus.daemon.vectors.wmbus_names import Place, meaning_of, place_of


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("volume", Place("volume", "")),
        ("power_max_storage_3_tariff_2_subunit_1", Place("power", "max", 3, 2, 1)),
        ("voltage_l2", Place("voltage_l", "", phase=2)),
        ("energy_compact_profile_storage_8_value_12", Place("energy_compact_profile", "", 8, value=12)),
        ("access_number_2", Place("access_number", "")),
    ],
)
def test_our_names_are_taken_apart(name: str, place: Place) -> None:
    assert place_of(name) == place


@pytest.mark.parametrize(
    ("name", "ours", "others"),
    [
        ("total_m3", "volume", "volume_storage_1 volume_tariff_1 volume_subunit_1 volume_flow volume_backward"),
        ("target_m3", "volume_storage_1", "volume volume_storage_1_tariff_1"),
        ("target_energy_consumption_tariff_2_kwh", "energy_storage_4_tariff_2", "energy_tariff_2 energy_storage_4"),
        ("total_backward_m3", "volume_backward", "volume volume_forward"),
        ("max_flow_m3h", "volume_flow_max_storage_2", "volume_flow volume_flow_min"),
        ("total_volume_subunit2_m3", "volume_subunit_2", "volume volume_subunit_1"),
        ("flow_temperature_c", "flow_temperature", "return_temperature flow_temperature_max"),
        ("t2_temperature_c", "return_temperature", "flow_temperature return_temperature_storage_1"),
        ("operating_time_h", "operating_time", "on_time operating_time_storage_1"),
        ("on_time_at_error_h", "on_time_error", "on_time"),
        ("average_temperature_24h_c", "external_temperature_storage_2", "external_temperature"),
        ("total_at_date_m3", "volume_storage_1", "volume"),
    ],
)
def test_words_say_the_place(name: str, ours: str, others: str) -> None:
    assert meaning_of(name).fits(place_of(ours))
    assert [other for other in others.split() if meaning_of(name).fits(place_of(other))] == []


def test_moments_are_dates_and_times() -> None:
    meaning = meaning_of("target_date", is_moment=True)
    assert [
        meaning.fits(place_of(name)) for name in ("date_storage_1", "time_storage_8", "date", "volume_storage_1")
    ] == [
        True,
        True,
        False,
        False,
    ]


def test_a_word_that_nobody_knows_leaves_the_place_open_but_not_the_quantity() -> None:
    meaning = meaning_of("zaphod_m3")
    assert meaning.fits(place_of("volume_storage_3_tariff_1"))
    assert not meaning.fits(place_of("energy"))
    assert not meaning.fits(place_of("volume_max"))


def test_numbers_make_a_series_and_dates_have_their_values() -> None:
    names = ("consumption_at_history_3_m3", "due_17_date_m3", "voltage_at_phase_2_v", "total_m3")
    assert [(meaning_of(name).series, meaning_of(name).number) for name in names] == [
        ("consumption_at_history_#_m3", 3),
        ("due_#_date_m3", 17),
        ("voltage_at_phase_#_v", 2),
        ("", 0),
    ]
    assert meaning_of("due_17_date", is_moment=True).time == meaning_of("due_17_date_m3").time == ("due", "17")
    assert meaning_of("total_m3").time == ()
