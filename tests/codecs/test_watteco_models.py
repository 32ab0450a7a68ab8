from torhaus.codecs.models import native
from torhaus.codecs.payload import watteco
from torhaus.codecs.payload.watteco import variant
from torhaus.codecs.payload.watteco_models import MODELS, SPELLED


def test_other_spellings_lead_to_models() -> None:
    assert {model for model in SPELLED.values() if model is not None} <= watteco.MODELS


def test_the_version_of_a_decoder_is_no_other_model() -> None:
    assert variant("atmo_v1.0") == variant("atmo_v1.1") == variant("atmo") == "atmo"
    assert native("watteco", "inclino_v1.0") == "watteco:inclino-v1"
    assert native("watteco", "inclino_v1.1") == "watteco:inclino"
    assert native("nke", "remote_temperature") == "watteco:remote-temperature"
    assert native("watteco", "bob") == "watteco:bob-assistant"


def test_tags_fit_their_bits() -> None:
    for device in MODELS.values():
        if device.batch is not None:
            assert max(device.batch.series) < 1 << device.batch.tag_bits
            assert all(series.divisor and series.step for series in device.batch.series.values())
