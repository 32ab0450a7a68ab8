"""The regional tables against those of other implementations, and by what must hold in all of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from torhaus.codecs.lorawan import region as region_module
from torhaus.codecs.lorawan.airtime import airtime_us
from torhaus.codecs.lorawan.region import REGIONS, datarate, region, rx1, rx2, tx_power_dbm
from torhaus.codecs.lorawan.regions.model import Region

FILE = Path(region_module.__file__).with_name("region.vectors.jsonl")
VECTORS: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
ALL = [region(name) for name in REGIONS]
ids = [r.name for r in ALL]


def uplink_hz_of(it: Region, dr: int) -> int:
    """A frequency on which the data rate is sent; LR-FHSS uses the wide channels."""
    return next((c.freq_hz for c in it.channels if c.min_dr <= dr <= c.max_dr), it.channels[-1].freq_hz)


def test_every_region_has_a_vector() -> None:
    assert {v["region"] for v in VECTORS} == set(REGIONS)
    assert {v["licence"] for v in VECTORS} == {"Apache-2.0", "BSD-3-Clause-Clear"}
    assert all(v["source"] for v in VECTORS)


def test_where_a_region_is_found_in_the_document() -> None:
    assert {r.long_name.partition("-")[0]: r.section for r in ALL} == {
        "EU863": "2.4", "US902": "2.5", "AU915": "2.8", "AS923": "2.10", "KR920": "2.11", "IN865": "2.12"
    }  # fmt: skip


@pytest.mark.parametrize("v", VECTORS, ids=lambda v: f"{v['region']} {v['source'][:8]}")
def test_vectors(v: dict[str, Any]) -> None:
    it = region(v["region"])
    for dr, row in v["rx1"].items():
        uplink_hz = uplink_hz_of(it, int(dr))
        assert [rx1(it, uplink_hz, int(dr), offset)[1] for offset in range(len(row))] == row
        if "rx1_dwell" in v:
            limited = [rx1(it, uplink_hz, int(dr), offset, dwell=True)[1] for offset in range(len(row))]
            assert limited == v["rx1_dwell"][dr]
    assert {str(dr): r.max_bytes for dr, r in it.rates.items()} == v["m"]
    if "m_dwell" in v:
        assert {str(dr): r.max_bytes_dwell for dr, r in it.rates.items()} == v["m_dwell"]
    assert list(rx2(it)) == v["rx2"]
    assert [it.beacon.freqs_hz[0], it.beacon.dr] == v["beacon"]
    assert it.max_eirp_dbm == v.get("max_eirp_dbm", 30)
    assert it.tx_power_steps + 1 == v.get("tx_powers", 15)


@pytest.mark.parametrize("it", ALL, ids=ids)
def test_what_a_region_names_exists(it: Region) -> None:
    for c in (*it.channels, *it.join_channels):
        assert it.min_hz <= c.freq_hz <= it.max_hz
        assert any(b.min_hz <= c.freq_hz <= b.max_hz for b in it.bands)
        assert c.freq_hz % 100 == 0
        for dr in {c.min_dr, c.max_dr}:
            assert datarate(it, dr).uplink
    assert {c.freq_hz for c in it.join_channels} <= {c.freq_hz for c in it.channels}
    assert len(it.channels) <= it.max_channels
    for hz in (*it.downlink_hz, *it.beacon.freqs_hz, *it.ping_slot_hz, it.rx2_hz):
        assert it.min_hz <= hz <= it.max_hz
    assert datarate(it, it.rx2_dr).downlink
    assert datarate(it, it.beacon.dr).downlink
    for table in (it.rx1, it.rx1_dwell or {}):
        assert set(table) <= {dr for dr, r in it.rates.items() if r.uplink}
        for row in table.values():
            assert all(datarate(it, dr).downlink for dr in row)
    assert set(it.rx1) == {dr for dr, r in it.rates.items() if r.uplink}
    assert tx_power_dbm(it, it.tx_power_steps) == it.max_eirp_dbm - 2 * it.tx_power_steps
    assert it.cf_list_type == (1 if it.is_fixed else 0)


@pytest.mark.parametrize("it", ALL, ids=ids)
def test_a_beacon_fits_its_layout(it: Region) -> None:
    """Class B beacons have 17 bytes with SF9, 19 with SF8 and 23 with SF12 of 500 kHz."""
    sizes = {"SF9BW125": 17, "SF8BW125": 19, "SF12BW500": 23}
    assert it.beacon.size_bytes == sizes[datarate(it, it.beacon.dr).datarate]


@pytest.mark.parametrize("it", ALL, ids=ids)
def test_what_a_dwell_time_allows_takes_no_longer(it: Region) -> None:
    for rate in it.rates.values():
        if it.uplink_dwell and rate.modulation == "LORA" and rate.uplink and rate.max_bytes_dwell:
            assert airtime_us("LORA", rate.datarate, 5 + rate.max_bytes_dwell) <= 400_000
