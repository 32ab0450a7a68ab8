"""Vendor and model to a codec that there is."""

from torhaus.codecs.models import MODELS, native, natives
from torhaus.codecs.registry import CODECS, FAMILIES


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
    assert native("dragino", "lht65n") == "dragino:lht65"
    assert native("dragino", "nothing-like-it") is None


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
