"""What the forwarder `gwmp` is configured with, and what all relays are."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.daemon.gwmp_scene import OTHER
from tests.daemon.gwmp_server import GATEWAY
from tests.daemon.home import Home, archive
from torhaus.daemon.config.load import ConfigFaults
from torhaus.daemon.forward.gwmp import Config


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"server": "eu1.cloud.thethings.network"},
            'server: is "eu1.cloud.thethings.network", must be a host and a port',
        ),
        ({"server": "127.0.0.1:0"}, "server: is"),
        ({"server": "lns.example:1700"}, "say insecure = true"),
        ({"gateway": [{"local": GATEWAY}, {"local": GATEWAY.upper()}]}, "two have the same local EUI"),
        ({"gateway": [{"local": GATEWAY, "remote": OTHER}, {"local": OTHER}]}, "two have the same remote EUI"),
        ({"gateway": [{"local": "roof"}]}, "gateway"),
        ({"filter": {"gateways": ["roof"]}}, "gateways: has 'roof'"),
        ({"late": "maybe"}, "late"),
    ],
)
def test_what_is_wrong_with_a_config_is_said(config: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert({"name": "tts", "server": "127.0.0.1:1700", **config}, Config)


@pytest.mark.parametrize("server", ["localhost:1700", "127.1.2.3:1700", "[::1]:1700"])
def test_this_machine_needs_no_word(server: str) -> None:
    msgspec.convert({"name": "tts", "server": server}, Config)
    msgspec.convert({"name": "tts", "server": "lns.example:1700", "insecure": True}, Config)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('kinds = ["frame"]', "kinds: does not belong here: what this type sends is said by [forwarder.filter]"),
        ('order = "live_first"', 'order: is "live_first", must be "device" or "strict"'),
        ('backfill_windows = ["22:00-06:00"]', "backfill_windows: do not belong here"),
        ("[forwarder.filter]\nnet_id = []", "net_id: is not known here (did you mean"),
        ('[forwarder.filter]\nnet_ids = ["13"]', "but a NetID has six hex digits"),
    ],
)
def test_what_no_relay_may_have_is_told_with_its_line(tmp_path: Path, more: str, words: str) -> None:
    home = Home(tmp_path, f'[[forwarder]]\nname = "tts"\ntype = "gwmp"\nserver = "127.0.0.1:1700"\n{more}\n')
    with pytest.raises(ConfigFaults) as caught:
        home.load()
    (fault,) = caught.value.faults
    assert words in str(fault)


def test_a_relay_reads_frames_in_order(tmp_path: Path) -> None:
    home = Home(tmp_path, '[[forwarder]]\nname = "tts"\ntype = "gwmp"\nserver = "127.0.0.1:1700"\n' + archive(tmp_path))
    loaded = home.load()
    common = loaded.forwarders[0][1]
    assert (common.kinds, common.order) == (("frame", "event"), "device")
    assert loaded.relays() == ["tts"]
    assert (loaded.log_of("tts"), loaded.log_of("archive"), loaded.log_of("nobody")) == ("relay", "main", "main")
