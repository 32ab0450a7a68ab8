"""What single drivers mean by a name."""

import re

from torhaus.daemon.vectors.wmbus_drivers import PLACES, field_of, other_names


def test_a_driver_says_which_field_it_means() -> None:
    assert field_of("nemo", "active_power_at_phase_2_kw") == ("power_manufacturer_02_subunit_1", None)
    assert field_of("eltako", "active_power_overall_kw") == ("power_manufacturer_00", None)
    assert field_of("eltako", "power_l3_kw") == ("power_manufacturer_03", None)
    assert field_of("ime", "active_power_l2_kw") == ("manufacturer_specific_04_2b_tariff_9", 0.001)
    assert field_of("nemo", "total_m3") is None
    assert field_of("nobody", "total_m3") is None


def test_every_rule_is_a_regular_expression_with_one_group_at_most() -> None:
    for rules in PLACES.values():
        for name, field in rules.items():
            assert re.compile(name).groups == field.count(r"\1")
            re.compile(field.replace(r"\1", "1"))


def test_some_names_are_the_same_record() -> None:
    assert other_names("x", "current_consumption_hca") == ["consumption_hca"]
    assert other_names("x", "consumption_at_set_date_1_hca") == ["consumption_at_set_date_hca"]
    assert other_names("eltako", "total_kwh") == ["total_tariff_1_kwh"]
    assert other_names("x", "total_kwh") == []
