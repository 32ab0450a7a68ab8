"""Vendor and model to a codec that there is."""

import pytest

from torhaus.codecs.models import MODELS, native, natives
from torhaus.codecs.registry import CODECS, FAMILIES

SPELLED = [
    ("Milesight", "EM300-TH", "milesight:em300-th"),
    ("Milesight IoT Co., Ltd", "EM300-TH", "milesight:em300-th"),
    ("milesight", "milesight-em300-cl", "milesight:em300-cl"),
    ("milesight-iot", "Milesight CTH01", "milesight:cth01"),
    ("milesight-iot", "AM104 - LoRaWAN® Indoor Air Quality Sensor (4 in 1)", "milesight:am104"),
    ("milesight-iot", "wt301wt302", "milesight:wt301-wt302"),
    ("Dragino Technology Co., Limited", "LHT65", "dragino:lht65"),
    ("dragino", "LT-22222-L", "dragino:lt22222-l"),
    ("dragino", "lsn50-v2_v2", "dragino:lsn50-v2"),
    ("dragino", "lsn50v2-d20-d22_v2", "dragino:lsn50v2-d20-d22-d23"),
    ("Decentlab GmbH", "DecentLab DL-PR26", "decentlab:dl-pr26"),
    ("decentlab", "dl-zn1-002_v2", "decentlab:dl-zn1"),
    ("nke WATTECO", "Vaqa'O+Plus", "watteco:vaqao-plus"),
    ("nke-watteco", "Lev'O+", "watteco:levo"),
    ("nke", "Pulse Sens'O AtEx Zone 1", "watteco:pulse-senso-atex"),
    ("watteco", "Remote Temperature 2", "watteco:remote-temperature2"),
    ("watteco", "hygrotempo_v1.0", "watteco:hygrotempo-v1"),
    ("TEKTELIC", "TEKTELIC BREEZE CO2 Smart Room Sensor", "tektelic:smart-room-sensor-co2"),
    ("Tektelic Communications Inc.", "t00061xx-vivid", "tektelic:smart-room-sensor"),
    ("tektelic", "t00048xx-smart-r_v4", "tektelic:smart-room-sensor-pir-base"),
    ("tektelic", "Smart Room Sensor - PIR", "tektelic:smart-room-sensor-pir-base"),
    ("Adeunis", "Temperature Sensor V4", "adeunis:temp-v4"),
    ("adeunis", "FTD Network Tester", "adeunis:field-test"),
    ("Comtac AG", "LPN KM - Short-circuit monitor", "comtac_lpn_km"),
    ("ELSYS", "ERS CO2", "elsys"),
    ("Sensative AB", "Strips", "sensative_strips"),
    ("Netvox Technology Co., Ltd", "R718A", "netvox"),
]


def test_all_codecs_are_there() -> None:
    named = {codec for models in MODELS.values() for _, codec in models}
    assert named <= CODECS.keys() | {f"{family}:*" for family in FAMILIES}


def test_a_family_knows_its_models() -> None:
    assert native("decentlab", "dl-pr36-8192") == "decentlab:dl-pr36"
    assert native("milesight-iot", "em300-th") == "milesight:em300-th"
    assert native("milesight-iot", "em300-mcs-v2") == "milesight:em300-mcs"
    assert native("milesight-iot", "ts301-v2") == "milesight:ts301-v2"
    assert native("milesight-iot", "cth01-compress-v2") == "milesight:cth01"
    assert native("sensative", "square-air") == "sensative:square-air"
    assert native("sensative", "strips-comfort") == "sensative_strips"
    assert native("dragino", "lht65n") == "dragino:lht65n"
    assert native("dragino", "nothing-like-it") is None


@pytest.mark.parametrize(("vendor", "model", "codec"), SPELLED)
def test_as_the_repositories_show_them(vendor: str, model: str, codec: str) -> None:
    assert native(vendor, model) == codec


@pytest.mark.parametrize("vendor", ["", " ", "-", "Co., Ltd", "elsys\n", "a" * 10_000])
@pytest.mark.parametrize("model", ["", " ", "-", "milesight-", "+", "1 1", "é", "[", "*", "0 " * 10_000])
def test_what_is_no_name(vendor: str, model: str) -> None:
    assert vendor == "elsys\n" or native(vendor, model) is None
    assert native("milesight-iot", model) is None


def test_the_part_number_goes_before_its_version() -> None:
    assert native("adeunis", "Pulse Sensor V3") == "adeunis:pulse-v3"
    assert native("adeunis", "Comfort Serenity") is None
    assert native("tektelic", "t000594x-enterpr") is None


def test_vendors_and_patterns_are_as_in_the_repositories() -> None:
    for vendor, models in MODELS.items():
        for text in (vendor, *(pattern for pattern, _ in models)):
            assert text == text.lower()
            assert " " not in text


def test_the_first_that_fits() -> None:
    assert native("elsys", "ers-co2") == "elsys"
    assert native("elsys-ag", "ers-co2") is None


def test_a_model_whose_names_have_changed() -> None:
    assert natives("milesight-iot", "em300-mcs-v2") == ("milesight:em300-mcs", "milesight:em300-mcs-v1")
    assert natives("watteco", "inclino_v1.1") == ("watteco:inclino", "watteco:inclino-v1")
    assert natives("watteco", "inclino_v1.0") == ("watteco:inclino-v1",)
    assert natives("elsys", "ers") == ("elsys",)
    assert natives("acme", "one") == ()
