"""What drivers at a broker are configured with. How files are read: test_drivers_broker_files.py."""

from typing import Any

import msgspec
import pytest

from torhaus.drivers.broker import BrokerConfig, FilesUnusable, printable, read_secrets


def config(**values: Any) -> BrokerConfig:
    return msgspec.convert({"name": "lns", "url": "mqtts://lns.example", "client_id": "c", **values}, BrokerConfig)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "http://x"}, "url: expected mqtts://host"),
        ({"url": "mqtt://lns.example"}, "url: mqtt:// is not encrypted"),
        ({"url": "mqtt://127.0.0.1", "ca_file": "/x"}, "need a url with mqtts://"),
        ({"cert_file": "/x"}, "belong together"),
        ({"key_file": "/x"}, "belong together"),
        ({"password_file": "/x"}, "password_file: needs a username"),
        ({"client_id": "a b"}, "client_id"),
        ({"keepalive_s": 1}, "keepalive_s"),
    ],
)
def test_what_is_wrong_is_said(values: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        config(**values)


def test_what_is_right() -> None:
    for values in ({"url": "mqtt://localhost"}, {"url": "mqtt://lns.example", "insecure": True}, {"username": "u"}):
        config(**values)
    assert config(username="u", password_file="/x").user() == "u"


def test_a_file_that_is_not_there_is_named_by_its_key() -> None:
    with pytest.raises(FilesUnusable, match=r"^password_file cannot be used: "):
        read_secrets(encrypted=False, ca_file=None, cert_file=None, key_file=None, password_file="/none")
    assert printable("a\nb\x00" + "c" * 200) == "a?b?" + "c" * 96
