"""Modulations in ChirpStack's numbers and in GWMP's words."""

import pytest

from torhaus.codecs.framing.chirpstack_gw.messages import (
    CodeRate,
    FskModulationInfo,
    LoraModulationInfo,
    LrFhssModulationInfo,
    Modulation,
)
from torhaus.codecs.framing.chirpstack_gw.modulation import code_rate, coderate, lora, uplink_modulation, words
from torhaus.codecs.model import DecodeError, RejectReason

SAME = [
    (("LORA", "SF7BW125", "4/5"), Modulation(lora=LoraModulationInfo(125_000, 7, code_rate=CodeRate.CR_4_5))),
    (("LORA", "SF12BW500", "4/8"), Modulation(lora=LoraModulationInfo(500_000, 12, code_rate=CodeRate.CR_4_8))),
    (("LORA", "SF9BW62.5", None), Modulation(lora=LoraModulationInfo(62_500, 9))),
    (("LORA", "SF12BW812", "4/8LI"), Modulation(lora=LoraModulationInfo(812_500, 12, code_rate=CodeRate.CR_LI_4_8))),
    (("FSK", "50000", None), Modulation(fsk=FskModulationInfo(datarate=50_000))),
    (("LR-FHSS", "M0CW137", "2/6"), Modulation(lr_fhss=LrFhssModulationInfo(137_000, 0, CodeRate.CR_2_6))),
    (("LR-FHSS", "M0CW336", "4/6"), Modulation(lr_fhss=LrFhssModulationInfo(336_000, 0, CodeRate.CR_4_6))),
]


@pytest.mark.parametrize(("said", "numbers"), SAME)
def test_there_and_back(said: tuple[str, str, str | None], numbers: Modulation) -> None:
    assert uplink_modulation(*said) == numbers
    assert words(numbers) == said


@pytest.mark.parametrize(
    ("other", "rate"), [("2/3", "4/6"), ("1/2", "4/8"), ("2/4", "4/8"), ("1/3", "2/6"), ("OFF", None), (None, None)]
)
def test_short_spellings_mean_the_same_rate(other: str | None, rate: str | None) -> None:
    assert coderate(code_rate(other)) == rate


def test_every_code_rate_has_its_word() -> None:
    spoken = {rate: coderate(rate) for rate in CodeRate if rate is not CodeRate.CR_UNDEFINED}
    assert all(text and code_rate(text) is rate for rate, text in spoken.items())
    assert spoken[CodeRate.CR_LI_4_5] == "4/5LI"


def test_a_downlink_says_more() -> None:
    info = lora("SF9BW125", "4/5", invert=True, preamble=8, no_crc=True).lora
    assert info == LoraModulationInfo(125_000, 9, True, CodeRate.CR_4_5, 8, True)


@pytest.mark.parametrize(
    ("modulation", "datarate"),
    [
        ("LORA", "50000"), ("LORA", "SF7"), ("LORA", "SF7BW125\n"), ("LORA", "SF777BW125"), ("FSK", "SF7BW125"),
        ("FSK", "\u0665"), ("FSK", "9" * 10), ("FSK", ""), ("LR-FHSS", "50000"), ("OOK", "1"),
    ],
)  # fmt: skip
def test_what_has_no_numbers(modulation: str, datarate: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        uplink_modulation(modulation, datarate, None)
    assert refusal.value.reason is RejectReason.RANGE


@pytest.mark.parametrize(
    ("modulation", "reason"),
    [
        (None, RejectReason.UNKNOWN_TYPE),
        (Modulation(), RejectReason.UNKNOWN_TYPE),
        (Modulation(lora=LoraModulationInfo(125_000, 13)), RejectReason.RANGE),
        (Modulation(lora=LoraModulationInfo(0, 7)), RejectReason.RANGE),
        (Modulation(lora=LoraModulationInfo(1 << 31, 7)), RejectReason.RANGE),
        (Modulation(fsk=FskModulationInfo()), RejectReason.RANGE),
        (Modulation(lr_fhss=LrFhssModulationInfo()), RejectReason.RANGE),
    ],
)
def test_what_has_no_words(modulation: Modulation | None, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as refusal:
        words(modulation)
    assert refusal.value.reason is reason
