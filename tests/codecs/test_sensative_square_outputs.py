import re

import pytest

from torhaus.codecs.payload.sensative_square_outputs import OUTPUTS, Outputs


@pytest.mark.parametrize("outputs", OUTPUTS.values(), ids=OUTPUTS)
def test_numbers_and_names(outputs: Outputs) -> None:
    """An output is one of 64 from 128 on, and no name is there twice."""
    assert all(128 <= number < 192 for number in outputs)
    names = [output.name for output in outputs.values()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in names)
    assert {output.divide for output in outputs.values()} <= {1, 10, 100, 1000}


def test_the_same_number_is_another_output_elsewhere() -> None:
    assert OUTPUTS["square-comfort"][181].name == "lux"
    assert OUTPUTS["square-sound"][181] == ("sound_level", 10, "dB[SPL]")
    assert OUTPUTS["puck-radar"][180] == ("radar_voltage_v", 1000, "V")
    assert OUTPUTS["square-air"][180].name == "humidity_treshold"
