"""Temperatures in both units: what stands beside them, and how it is rounded."""

import pytest

from torhaus.codecs.model import Value
from torhaus.codecs.payload.milesight import MODELS
from torhaus.codecs.payload.milesight_doubles import DOUBLES, add_doubles


def test_the_models_are_there() -> None:
    assert set(DOUBLES) <= MODELS


@pytest.mark.parametrize(("celsius", "fahrenheit"), [(25.8, 78.4), (-0.25, 31.6), (0, 32.0), (-40.0, -40.0)])
def test_rounded_as_published(celsius: float, fahrenheit: float) -> None:
    fields = {"ambient_temperature": Value(celsius, "Cel")}
    add_doubles(DOUBLES["wt211"], fields)
    assert fields["fahrenheit_ambient_temperature"] == Value(fahrenheit, "[degF]")
    assert fields["celsius_ambient_temperature"].unit == "Cel"


def test_a_difference_has_no_zero_of_its_own_and_a_word_has_no_double() -> None:
    fields = {"target_deadband": Value(1.0, "K"), "heating_setpoint": Value("error")}
    add_doubles(DOUBLES["wt211"], fields)
    assert fields["fahrenheit_target_deadband"] == Value(1.8, "[degF]")
    assert "celsius_heating_setpoint" not in fields
