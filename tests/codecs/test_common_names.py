from torhaus.codecs.model import Value
from torhaus.codecs.payload.common_names import COMMON, to_common
from torhaus.codecs.registry import load


def test_one_name_and_one_unit() -> None:
    elsys = to_common(load("elsys")(bytes.fromhex("0100e20229070e10"), 5))
    assert elsys == {
        "temperature": Value(22.6, "Cel"),
        "relative_humidity": Value(41, "%"),
        "battery_voltage": Value(3.6, "V"),
    }
    netvox = to_common(load("netvox")(bytes.fromhex("0135012409ea1a90012c00"), 6))
    assert netvox["battery_voltage"] == Value(3.6, "V")
    assert netvox["temperature"] == Value(25.38, "Cel")
    assert netvox["device"] == Value("RA0716")


def test_what_has_no_common_meaning_stays() -> None:
    fields = {
        "temperature": Value("no echo"),
        "temp": Value(21.0, "Cel"),  # the name is taken
        "volt": Value("2.3(low battery)"),
        "light": Value(3, "%"),  # a unit that is none of light
        "x": Value(None),
    }
    assert to_common(fields) == fields


def test_the_first_is_taken_and_the_others_keep_their_names() -> None:
    assert to_common({"temp_c1": Value(1.0, "Cel"), "temp_c_sht": Value(2.0, "Cel")}) == {
        "temp_c1": Value(1.0, "Cel"),
        "temperature": Value(2.0, "Cel"),
    }
    assert to_common({"distance_cm": Value(12.5, "cm")}) == {"distance": Value(125.0, "mm")}


def test_no_name_stands_for_two() -> None:
    names = [name for common, (_, others) in COMMON.items() for name in (common, *others)]
    assert len(names) == len(set(names))
