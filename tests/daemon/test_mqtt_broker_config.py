"""What every forwarder to a broker is configured with."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.mqtt.broker_config import BrokerConfig


def config(url: str = "mqtts://x", **values: object) -> BrokerConfig:
    return msgspec.convert({"name": "city", "url": url, **values}, BrokerConfig)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"url": "mqtt://192.0.2.1"}, "url: mqtt:// is not encrypted"),
        ({"url": "http://x"}, "url: expected mqtts://"),
        ({"url": "mqtt://127.0.0.1", "ca_file": "x"}, "need a url with mqtts"),
        ({"key_file": "x"}, "belong together"),
        ({"password_file": "x"}, "needs a username"),
        ({"timeout_s": 0.5}, "timeout_s"),
        ({"name": ""}, "name"),
        ({"x": 1}, "unknown field"),
    ],
)
def test_refused(values: dict[str, object], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        config(**values)  # type: ignore[arg-type]


def test_taken() -> None:
    assert config("mqtt://192.0.2.1", insecure=True).endpoint().port == 1883
    assert config().endpoint().encrypted


def test_secrets_are_read_at_each_connection(tmp_path: Path) -> None:
    file = tmp_path / "password"
    made = config("mqtt://127.0.0.1", username="u", password_file=str(file))
    with pytest.raises(Unavailable, match="password_file cannot be used"):
        asyncio.run(made.secrets())
    for word in (b"one", b"two"):
        file.touch(mode=0o600)
        file.write_bytes(word + b"\n")
        assert asyncio.run(made.secrets()).password == word
