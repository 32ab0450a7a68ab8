"""Keys of the driver for LoRa Basics Station: what is refused, and in which words."""

from typing import Any

import msgspec
import pytest

from tests.drivers.station_fakes import EUI, OTHER, config
from torhaus.drivers.basics_station import uri_of

ANY = "0.0.0.0:3001"
TLS = {"cert_file": "/c", "key_file": "/k"}
HASH = "0" * 64


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"listen": "[::1]:3001"},
        {"listen": ANY, "insecure": True},
        {"listen": ANY, **TLS, "client_ca_file": "/ca"},
        {"listen": ANY, **TLS, "gateway": [{"eui": EUI, "token_sha256": HASH}, {"eui": OTHER, "token_file": "/t"}]},
        {"listen": ANY, **TLS, "insecure": True, "gateway": [{"eui": EUI}]},
        {"region": "US915", "sub_band": 2},
        {"region": "EU868", "channels_hz": [867_100_000]},
        {"region": "EU868", "channels_hz": []},
        {"public_uri": "wss://gw.example:443"},
        {"public_uri": "ws://[2001:db8::1]:3001/"},
        {"updates_dir": "/u", "gateway": [{"eui": EUI, "token_file": "/t"}]},
    ],
)
def test_what_is_right(values: dict[str, Any]) -> None:
    config(**values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"listen": "3001"}, "listen is '3001'"),
        ({"listen": ANY}, "cert_file: is missing: others than this machine can connect"),
        ({"listen": ANY, **TLS}, "gateway: it lists no gateway, and there is no client_ca_file"),
        ({"listen": ANY, **TLS, "gateway": [{"eui": EUI}]}, f"gateway: {EUI} has no token_file or token_sha256"),
        ({"listen": ANY, "gateway": [{"eui": EUI, "token_sha256": HASH}]}, "cert_file: is missing"),
        ({"cert_file": "/c"}, "key_file: is missing"),
        ({"key_file": "/k"}, "cert_file: is missing"),
        ({"client_ca_file": "/ca"}, "cert_file: is missing: gateways show their certificates"),
        ({"region": "EU433"}, 'region: is "EU433", must be one of EU868, AS923'),
        ({"region": "US915"}, "sub_band: US915 needs a sub_band from 1 to 8"),
        ({"region": "US915", "sub_band": 9}, "sub_band"),
        ({"sub_band": 1}, "channels_hz: EU868 has no sub-bands"),
        ({"channels_hz": [915_000_000]}, "channels_hz: 915000000 Hz is outside of EU868"),
        ({"channels_hz": [5]}, "channels_hz"),
        ({"public_uri": "https://gw.example:443"}, "public_uri: must be ws:// or wss://"),
        ({"public_uri": "wss://gw.example"}, "public_uri: must be ws:// or wss://"),
        ({"public_uri": "wss://gw.example:443/x/y"}, "public_uri: must be ws:// or wss://"),
        (
            {"public_uri": f"wss://{'x' * 100}:443"},
            "public_uri: with the path it has 134 characters, must be at most 127",
        ),
        ({"ping_s": 30, "idle_s": 30}, "idle_s: is 30, must be more than ping_s"),
        ({"join_euis": ["70b3"]}, 'join_euis: "70b3" must be an EUI, or two'),
        ({"join_euis": [f"{OTHER}..{EUI}"]}, "must have the lower one first"),
        ({"join_euis": [EUI] * 11}, "join_euis"),
        ({"net_ids": [128]}, "net_ids"),
        ({"gateway": [{"eui": "1"}]}, "eui"),
        ({"gateway": [{"eui": EUI}, {"eui": EUI.upper()}]}, f"gateway: {EUI} is there twice"),
        ({"gateway": [{"eui": EUI, "token_sha256": "abc"}]}, "token_sha256"),
        ({"gateway": [{"eui": EUI, "token_sha256": HASH, "token_file": "/t"}]}, "one of them is enough"),
        ({"updates_dir": "/u"}, "updates_dir: gives keys away"),
        ({"updates_dir": "/u", "insecure": True, "gateway": [{"eui": EUI}]}, "updates_dir: gives keys away"),
        ({"remote_shell": True}, "remote_shell"),
    ],
)
def test_what_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        config(**values)
    assert words in str(refused.value)


def test_ranges_of_join_euis() -> None:
    assert config().join_ranges() is None
    found = config(join_euis=[f"{EUI}..{OTHER}", "AA-55-5A-00-00-00-01-01"])
    assert found.join_ranges() == [(int(EUI, 16), int(OTHER, 16)), (int(EUI, 16), int(EUI, 16))]


def test_the_longest_uri_that_stations_take() -> None:
    base = f"wss://{'x' * 93}:443"
    assert len(uri_of(config(public_uri=base).public_uri, EUI)) == 127
