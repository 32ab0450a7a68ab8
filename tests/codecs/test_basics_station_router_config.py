"""What a station is told about its channels: compared with the documentation's example, and with what stations take."""

import json
from typing import Any

import pytest

from torhaus.codecs.framing.basics_station.plan import plan
from torhaus.codecs.framing.basics_station.router_config import lora_of, router_config
from torhaus.codecs.lorawan.region import REGIONS, region


def made(name: str, **more: Any) -> dict[str, Any]:
    where = region(name)
    found: dict[str, Any] = json.loads(router_config(where, plan(where, None, 2 if where.is_fixed else None), **more))
    return found


def test_eu868_as_the_documentation_has_it() -> None:
    """LNS protocol, "router_config", and its example for EU863 with the usual eight channels."""
    found = made("EU868", utc_s=1_795_655_582.25)
    conf = found.pop("sx1301_conf")
    assert found == {
        "msgtype": "router_config",
        "NetID": None,
        "JoinEui": None,
        "region": "EU863",
        "hwspec": "sx1301/1",
        "freq_range": [863_000_000, 870_000_000],
        "DRs": [[12, 125, 0], [11, 125, 0], [10, 125, 0], [9, 125, 0], [8, 125, 0], [7, 125, 0], [7, 250, 0], [0, 0, 0]]
        + [[-1, 0, 0]] * 8,
        "upchannels": [[867_100_000 + n * 200_000, 0, 5] for n in range(7)]
        + [[868_300_000, 6, 6], [868_500_000, 0, 5], [868_800_000, 7, 7]],
        "bcning": None,
        "MuxTime": 1_795_655_582.25,
    }
    assert conf == [
        {
            "radio_0": {"enable": True, "freq": 867_500_000},
            "radio_1": {"enable": True, "freq": 868_500_000},
            **{f"chan_multiSF_{n}": {"enable": True, "radio": 0, "if": (n - 2) * 200_000} for n in range(5)},
            **{f"chan_multiSF_{n}": {"enable": True, "radio": 1, "if": (n - 7) * 200_000} for n in range(5, 8)},
            "chan_Lora_std": {"enable": True, "radio": 1, "if": -200_000, "bandwidth": 250_000, "spread_factor": 7},
            "chan_FSK": {"enable": True, "radio": 1, "if": 300_000, "bandwidth": 125_000, "datarate": 50_000},
        }
    ]


def test_us915_has_rates_that_only_gateways_send() -> None:
    found = made("US915")
    assert found["DRs"][:5] == [[10, 125, 0], [9, 125, 0], [8, 125, 0], [7, 125, 0], [8, 500, 0]]
    assert found["DRs"][5:8] == [[-1, 0, 0]] * 3  # LR-FHSS is nothing for a station
    assert found["DRs"][8:14] == [[sf, 500, 1] for sf in range(12, 6, -1)]
    assert found["sx1301_conf"][0]["chan_FSK"] == {"enable": False}
    assert "MuxTime" not in found
    assert "max_eirp" not in found


@pytest.mark.parametrize("name", REGIONS)
def test_what_stations_of_release_2_0_6_insist_on(name: str) -> None:
    found = made(name)
    assert found["region"] in {"EU863", "US902", "AS923-1", "KR920", "AU915"}
    assert ("max_eirp" in found) == (name in {"IN865", "AS923-2", "AS923-3", "AS923-4"})
    assert len(found["DRs"]) == 16
    for freq, low, high in found["upchannels"]:
        assert 0 <= low <= high <= 7
        assert found["freq_range"][0] <= freq <= found["freq_range"][1]
        assert all(found["DRs"][dr][0] >= 0 and not found["DRs"][dr][2] for dr in range(low, high + 1))
    (conf,) = found["sx1301_conf"]
    assert {key for key in conf if conf[key]["enable"]} >= {"radio_0", "radio_1", "chan_multiSF_0"}
    assert not {"rssi_offset", "tx_enable", "type"} & {key for part in conf.values() for key in part}


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("EU868", {"DR": 3, "layout": [2, 8, 17], "freqs": [869_525_000]}),
        ("IN865", {"DR": 4, "layout": [1, 7, 19], "freqs": [866_550_000]}),
        ("US915", {"DR": 8, "layout": [5, 11, 23], "freqs": [923_300_000 + 600_000 * n for n in range(8)]}),
    ],
)
def test_beacons(name: str, want: dict[str, Any]) -> None:
    assert made(name, beacon=True)["bcning"] == want


def test_filters_and_power() -> None:
    found = made("EU868", net_ids=[0, 1], join_euis=[(0x70B3D57ED0000000, (1 << 64) - 1)], max_eirp_dbm=14.0)
    assert found["NetID"] == [0, 1]
    assert found["JoinEui"] == [[0x70B3D57ED0000000, (1 << 64) - 1]]
    assert found["max_eirp"] == 14.0
    assert made("EU868", net_ids=[], join_euis=[])["NetID"] == []


def test_lora_of() -> None:
    assert (lora_of("SF12BW125"), lora_of("SF7BW500"), lora_of("50000"), lora_of("M0CW137")) == (
        (12, 125),
        (7, 500),
        None,
        None,
    )
