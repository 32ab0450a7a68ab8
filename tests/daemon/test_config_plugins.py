from pathlib import Path
from typing import Any

import pytest

from torhaus.daemon.config.model import DriverCommon
from torhaus.daemon.config.plugins import driver, extra_of, forwarder, not_installed
from torhaus.daemon.config.validate import Validator
from torhaus.daemon.forward.registry import FORWARDERS

FILE = {"name": "f", "type": "file", "path": "/x"}
UDP = {"name": "radio", "type": "semtech_udp"}


@pytest.fixture
def check() -> Validator:
    return Validator(Path("/etc/torhaus"))


def test_common_keys_and_own_keys_part(check: Validator) -> None:
    made = forwarder({**FILE, "kinds": ["frame"], "keep": 3, "backfill_per_s": 5}, ("forwarder", 0), check)
    assert check.faults == {}
    assert made is not None
    assert (made[1].kinds, made[1].backfill_per_s) == (("frame",), 5.0)
    assert (made[2].name, made[2].keep) == ("f", 3)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("extra", "key", "words"),
    [
        ({"kind": []}, "kind", 'did you mean "kinds"'),
        ({"kep": 1}, "kep", 'did you mean "keep"'),
        ({"name": "a b"}, "name", "must be 1 to 64 letters"),
        ({"name": ""}, "name", "must be 1 to 64 letters"),
        ({"start": "newest"}, "start", 'must be "oldest", "now", or a time such as'),
        ({"backfill_per_s": 0}, "backfill_per_s", "greater than 0"),
        ({"type": 3}, "type", "is 3, must be one of " + ", ".join(f'"{name}"' for name in sorted(FORWARDERS))),
        ({"type": "fil"}, "type", 'did you mean "file"'),
    ],
)
def test_faults_of_a_forwarder(check: Validator, extra: dict[str, Any], key: str, words: str) -> None:
    assert forwarder({**FILE, **extra}, ("forwarder", 0), check) is None
    assert list(check.faults) == [("forwarder", 0, key)]
    assert words in check.faults["forwarder", 0, key]


def test_a_driver(check: Validator) -> None:
    made = driver(UDP, ("driver", 0), check)
    assert made is not None
    assert isinstance(made[2], made[0].Config)
    assert made[1] == DriverCommon(name=made[1].name, type="semtech_udp", commit_window_s=0)
    made = driver({**UDP, "commit_window_s": 5}, ("driver", 0), check)
    assert made is not None
    assert made[1].commit_window_s == 5
    assert check.faults == {}
    driver({**UDP, "name": "a/b"}, ("driver", 1), check)
    assert list(check.faults) == [("driver", 1, "name")]
    assert driver({"name": "x"}, ("driver", 2), check) is None
    assert "is missing (must be one of" in check.faults["driver", 2, "type"]


def test_what_to_install() -> None:
    assert extra_of("pikepdf") == "scans"
    assert extra_of("PIL.Image") == "scans"
    assert extra_of("zmq") == extra_of("google.protobuf") == "chirpstack"
    assert extra_of("aiohttp") is None
    assert extra_of("nobody_has_this") is None
    assert "pip install 'torhaus[scans]'" in not_installed("x", ModuleNotFoundError("", name="pikepdf"))
    assert (
        not_installed("x", ModuleNotFoundError("", name="foo")) == '"x" needs the library foo, which is not installed'
    )
    assert not_installed("x", ImportError("claimed\ntwice")) == '"x" cannot be used: claimed twice'
