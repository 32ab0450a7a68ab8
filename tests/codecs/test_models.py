"""Vendor and model to a codec that there is."""

from torhaus.codecs.models import MODELS, native
from torhaus.codecs.registry import CODECS


def test_all_codecs_are_there() -> None:
    assert {codec for models in MODELS.values() for _, codec in models} <= CODECS.keys()


def test_vendors_and_patterns_are_as_in_the_repositories() -> None:
    for vendor, models in MODELS.items():
        for text in (vendor, *(pattern for pattern, _ in models)):
            assert text == text.lower()
            assert " " not in text


def test_the_first_that_fits() -> None:
    assert native("elsys", "ers-co2") == "elsys"
    assert native("elsys-ag", "ers-co2") is None
