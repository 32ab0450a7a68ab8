"""Time on air, against other people's figures and by what must be true of any of them."""

import json
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from torhaus.codecs.lorawan import airtime
from torhaus.codecs.lorawan.airtime import airtime_us, fsk_us, lora_us, lr_fhss_us
from torhaus.codecs.lorawan.region import REGIONS, region
from torhaus.codecs.model import DecodeError, RejectReason

FILE = Path(airtime.__file__).with_name("airtime.vectors.jsonl")
VECTORS: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def test_the_vectors_are_free_and_say_where_they_are_from() -> None:
    assert len(VECTORS) == 52
    assert {v["licence"] for v in VECTORS} == {"Apache-2.0", "MIT", "own work"}
    assert all(v["source"] for v in VECTORS)


@pytest.mark.parametrize("v", VECTORS, ids=lambda v: f"{v['datarate']} {v['coderate']} {v['size']}")
def test_vectors(v: dict[str, Any]) -> None:
    got = airtime_us(v["modulation"], v["datarate"], v["size"], v["coderate"])
    if "us" in v:
        assert got == v["us"]
    else:
        assert got / 1000 == pytest.approx(v["ms"], abs=0.5 if v["ms"] > 900 else 0.051)


def test_a_beacon_has_neither_header_nor_crc() -> None:
    """LoRaWAN 1.0.4, section on beacons: 17 bytes with SF9 in Europe last 152.576 ms, with a preamble of 10 symbols."""
    assert lora_us(17, 9, 125_000, preamble=10, header=False, crc=False) == 152_576


def test_downlinks_have_no_crc() -> None:
    up, down = (airtime_us("LORA", "SF7BW125", 13, uplink=uplink) for uplink in (True, False))
    assert up - down == 5 * 1024  # one block of five symbols less


def test_longer_frames_last_longer() -> None:
    for name in REGIONS:
        for rate in region(name).rates.values():
            times = [airtime_us(rate.modulation, rate.datarate, n, rate.coderate) for n in range(256)]
            assert times == sorted(times)
            assert 0 < times[0] < times[-1] < 15_000_000


def test_slower_rates_last_longer() -> None:
    for size in (0, 12, 51, 255):
        by_sf = [lora_us(size, sf, 125_000) for sf in range(5, 13)]
        assert by_sf == sorted(by_sf)
        assert lora_us(size, 9, 125_000) == 2 * lora_us(size, 9, 250_000) == 4 * lora_us(size, 9, 500_000)
        by_code = [lora_us(size, 9, 125_000, code) for code in ("4/5", "4/6", "4/7", "4/8")]
        assert by_code == sorted(by_code)


def test_low_data_rate_optimisation_is_on_where_symbols_are_long() -> None:
    for sf, bandwidth_hz, on in ((10, 125_000, False), (11, 125_000, True), (12, 250_000, True), (12, 500_000, False)):
        assert lora_us(51, sf, bandwidth_hz) == lora_us(51, sf, bandwidth_hz, low_data_rate=on)
        assert lora_us(51, sf, bandwidth_hz) != lora_us(51, sf, bandwidth_hz, low_data_rate=not on)


def test_other_names_of_code_rates() -> None:
    assert lora_us(20, 7, 125_000, "2/3") == lora_us(20, 7, 125_000, "4/6")
    assert lora_us(20, 7, 125_000, "1/2") == lora_us(20, 7, 125_000, "4/8")
    assert lr_fhss_us(20, "2/6") == lr_fhss_us(20, "1/3") > lr_fhss_us(20, "4/6") == lr_fhss_us(20, "2/3")


@pytest.mark.parametrize(
    ("modulation", "datarate", "size", "coderate", "reason"),
    [
        ("LORA", "SF7BW125", -1, None, "range"),
        ("LORA", "SF7BW125", 256, None, "range"),
        ("FSK", "50000", 256, None, "range"),
        ("LR-FHSS", "M0CW137", 256, "1/3", "range"),
        ("LORA", "SF7BW9999", 12, None, "range"),
        ("LORA", "SF13BW125", 12, None, "syntax"),
        ("LORA", "SF7BW\u0661\u0662\u0665", 12, None, "syntax"),
        ("LORA", "SF7BW125 ", 12, None, "syntax"),
        ("LORA", "SF7BW125", 12, "4/9", "syntax"),
        ("LORA", "", 12, None, "syntax"),
        ("FSK", "0", 12, None, "syntax"),
        ("FSK", "000", 12, None, "range"),
        ("FSK", "²²²", 12, None, "syntax"),
        ("LR-FHSS", "M0CW137", 12, None, "syntax"),
        ("LR-FHSS", "SF7BW125", 12, "1/3", "syntax"),
        ("OOK", "1", 12, None, "syntax"),
    ],
)
def test_refusals(modulation: str, datarate: str, size: int, coderate: str | None, reason: str) -> None:
    with pytest.raises(DecodeError) as e:
        airtime_us(modulation, datarate, size, coderate)
    assert e.value.reason == RejectReason(reason)


def test_no_other_exception_leaves() -> None:
    random = Random(20260101)
    alphabet = "SFBWM0C123456789/.-é"
    for _ in range(3000):
        text = "".join(random.choices(alphabet, k=random.randint(0, 12)))
        modulation = random.choice(["LORA", "FSK", "LR-FHSS", text])
        with suppress(DecodeError):
            assert airtime_us(modulation, text, random.randint(-5, 300), random.choice([None, "4/5", "1/3", text])) > 0


def test_a_bit_rate_is_a_rate() -> None:
    with pytest.raises(DecodeError, match="no bit rate"):
        fsk_us(12, 0)
