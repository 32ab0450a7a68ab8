import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from torhaus.daemon.scans.config import HttpTarget, ScanConfig, faults

CONFIGS = Path(__file__).parents[2] / "config" / "scans"

GOOD = """
[[station]]
name = "counter"
type = "folder"
path = "/srv/scan/counter"
target = "archive"
[[station]]
name = "post"
type = "folder"
path = "/srv/scan/post"
[[target]]
name = "archive"
type = "folder"
path = "/srv/archive"
[[target]]
name = "central"
type = "http"
url = "https://dms.example/in"
[[route]]
station = "post"
target = "central"
"""


def load(text: str) -> ScanConfig:
    return msgspec.convert(tomllib.loads(text), ScanConfig)


def test_a_good_config() -> None:
    config = load(GOOD)
    assert faults(config) == []
    assert config.target_of("counter") == "archive"
    assert config.target_of("post") == "central"
    assert config.target_of("gone") is None


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('name = "post"', 'name = "counter"', "scan.station[1].name"),
        ('target = "archive"', 'target = "nowhere"', "scan.station[0].target"),
        ('target = "archive"', "", "scan.station[0].target"),
        ('station = "post"', 'station = "counter"', "scan.station[0].target"),
        ('target = "central"', 'target = "nowhere"', "scan.route[0].target"),
        ('station = "post"', 'station = "nowhere"', "scan.route[0].station"),
        ("/srv/scan/post", "/srv/scan/counter/", "scan.station[1].path"),
        ("/srv/archive", "/srv/scan/counter", "scan.station[0].path"),
        ('target = "archive"', 'target = "archive"\ngive_up_s = 1.0', "scan.station[0].give_up_s"),
        ("https://dms.example", "http://dms.example", "scan.target[1].url"),
        ("https://dms.example/in", "ftp://dms.example", "scan.target[1].url"),
        ("https://dms.example/in", "https://u:p@dms.example/", "scan.target[1].url"),
        ("https://dms.example/in", "https://dms.example/?a=b", "scan.target[1].url"),
        ("https://dms.example/in", "https://dms.example:port", "scan.target[1].url"),
        ("https://dms.example/in", "https://[dms", "scan.target[1].url"),
        ('type = "http"', 'type = "http"\nclient_cert_file = "/etc/c.pem"', "scan.target[1].client_cert_file"),
    ],
)
def test_faults_between_values(old: str, new: str, key: str) -> None:
    assert key in [fault[0] for fault in faults(load(GOOD.replace(old, new, 1)))]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/srv/scan/post", "relative/path"), ('"counter"', '"Big Name"'), ('type = "http"', 'type = "gopher"'),
        ('type = "http"', 'type = "http"\ntoken = "secret"'), ('target = "archive"', "stable_s = 0"),
        ('target = "archive"', 'done = "sometimes"'), ('name = "counter"', 'name = "counter\\n"'),
    ],
)  # fmt: skip
def test_bad_values_are_refused(old: str, new: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        load(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("url", "more", "good"),
    [
        ("http://127.0.0.1:8080/in", {}, True), ("http://[::1]/in", {}, True), ("http://localhost/in", {}, True),
        ("http://127.0.0.1.example/in", {}, False), ("http://10.0.0.1/in", {}, False),
        ("http://10.0.0.1/in", {"insecure": True}, True), ("http://localhost/in", {"ca_file": "/etc/ca.pem"}, False),
    ],
)  # fmt: skip
def test_plain_http_only_to_this_machine_or_on_request(url: str, more: dict[str, Any], good: bool) -> None:
    config = ScanConfig(target=(HttpTarget("central", url, **more),))
    assert (faults(config) == []) is good


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda p: p.name)
def test_samples_load(path: Path) -> None:
    config = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8"))["scan"], ScanConfig)
    assert config.station or config.target


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda p: p.name)
def test_commented_values_of_samples_are_the_defaults(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    plain = msgspec.convert(tomllib.loads(text)["scan"], ScanConfig)
    lines = [line.removeprefix("#= ") for line in text.splitlines()]
    assert msgspec.convert(tomllib.loads("\n".join(lines))["scan"], ScanConfig) == plain
