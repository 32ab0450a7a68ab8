import pytest

from torhaus.codecs.model import Value
from torhaus.codecs.payload.tektelic import decoder
from torhaus.codecs.payload.tektelic_current import tension


@pytest.mark.parametrize(
    ("hertz", "kilopascal"),
    [(0, 200), (292, 200), (293, 200), (485, 100), (600, 75), (770, 55), (1110, 35), (2820, 15), (4330, 9),
     (6430, 0), (6431, 0)],
)  # fmt: skip
def test_the_scale_of_a_watermark_probe(hertz: int, kilopascal: int) -> None:
    assert tension(hertz) == kilopascal


def test_more_hertz_is_never_drier() -> None:
    scale = [tension(hertz) for hertz in range(7000)]
    assert scale == sorted(scale, reverse=True)


@pytest.mark.parametrize(
    ("hertz", "moisture"),
    [(1400, "Dry"), (1399, 0.1), (1397, 0.1), (1396, 0.2), (1392, 0.2), (1391, 0.3), (1351, 1.1), (1342, 1.2),
     (1341, "Wet")],
)  # fmt: skip
def test_the_steps_of_a_gypsum_probe(hertz: int, moisture: float | str) -> None:
    found = decoder("agro")(b"\x01\x04" + hertz.to_bytes(2, "big"), 10)
    assert found["input1_frequency_to_moisture"] == Value(moisture, "bar" if isinstance(moisture, float) else None)


def test_a_probe_without_voltage_has_no_temperature() -> None:
    assert decoder("agro")(bytes.fromhex("02020000"), 10) == {"input2_voltage": Value(0.0, "V")}
