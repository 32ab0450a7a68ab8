import tomllib
from pathlib import Path

import pytest

from torhaus.daemon.config.scans import read_scan
from torhaus.daemon.config.validate import Validator
from torhaus.daemon.scans.config import ScanConfig, faults

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
    check = Validator(Path("/"))
    found = read_scan(tomllib.loads(text), check)
    assert check.faults == {}
    assert found is not None
    return found


def refused(text: str) -> list[str]:
    """The keys that have a fault by themselves."""
    check = Validator(Path("/"))
    assert read_scan(tomllib.loads(text), check) is None
    return [".".join(map(str, path)) for path in check.faults]


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
    ],
)
def test_faults_between_values(old: str, new: str, key: str) -> None:
    assert key in [fault[0] for fault in faults(load(GOOD.replace(old, new, 1)))]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("/srv/scan/post", "\\u0000", "scan.station.1.path"), ('"counter"', '"Big Name"', "scan.station.0.name"),
        ('type = "http"', 'type = "gopher"', "scan.target.1.type"),
        ('type = "http"', 'type = "http"\ntoken = "secret"', "scan.target.1.token"),
        ('target = "archive"', "stable_s = 0", "scan.station.0.stable_s"),
        ('target = "archive"', 'done = "sometimes"', "scan.station.0.done"),
        ('name = "counter"', 'name = "counter\\n"', "scan.station.0.name"),
        ('path = "/srv/archive"', "", "scan.target.0.path"),
        ('path = "/srv/archive"', 'path = "/srv/archive"\nwindows = ["late"]', "scan.target.0.windows"),
        ('path = "/srv/archive"', 'path = "/srv/archive"\nconcurrency = 17', "scan.target.0.concurrency"),
        ("https://dms.example", "http://dms.example", "scan.target.1.url"),
        ('type = "http"', 'type = "http"\nclient_cert_file = "/etc/c.pem"', "scan.target.1.client_cert_file"),
        ('type = "http"', 'type = "http"\nproxy = "proxy:3128"', "scan.target.1.proxy"),
        ('type = "http"', 'type = "http"\nreceipt_key = "ab"', "scan.target.1.receipt_key"),
    ],
)  # fmt: skip
def test_bad_values_are_refused(old: str, new: str, key: str) -> None:
    assert refused(GOOD.replace(old, new, 1)) == [key]


@pytest.mark.parametrize(("text", "key"), [("target = 1", "scan.target"), ("target = [1]", "scan.target.0")])
def test_targets_are_tables(text: str, key: str) -> None:
    assert refused(text) == [key]
