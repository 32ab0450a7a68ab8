"""What a config of type `mqtt` may say, and its sample."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from tests.daemon.mqtt_fakes import CONTEXT, config
from torhaus.daemon.forward.flight import PENDING
from torhaus.daemon.forward.mqtt import Config, open_forwarder

SAMPLE = Path(__file__).parents[2] / "config/forwarders/mqtt.toml"


def test_sample_is_the_defaults() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    (table,) = tomllib.loads(text)["forwarder"]
    loaded = msgspec.convert(table, Config)
    unset = {"client_id", "username", "password_file", "ca_file", "cert_file", "key_file"}
    shown = tomllib.loads("\n".join(line[2:] for line in text.splitlines() if line.startswith("# ") and " = " in line))
    assert {*shown, "name", "type", "url"} == set(Config.__struct_fields__)
    for key, value in shown.items():
        assert getattr(loaded, key) == (None if key in unset else value), key


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"url": "mqtt://192.0.2.1"}, "not encrypted"),
        ({"url": "http://x"}, "url: expected mqtts://"),
        ({"url": "mqtts://u:geheim@x"}, "use username and password_file"),
        ({"ca_file": "x"}, "need a url with mqtts"),
        ({"url": "mqtts://x", "cert_file": "x"}, "belong together"),
        ({"password_file": "x"}, "needs a username"),
        ({"topic": "a/{x}"}, r"topic: unknown placeholder \{x\}; known are"),
        ({"topic": ""}, "topic: a topic is not empty"),
        ({"status_topic": "a/#"}, "status_topic: # is a wildcard"),
        ({"status_topic": "a/{device}"}, r"status_topic: unknown placeholder"),
        ({"qos": 0}, "unknown field `qos`"),
        ({"max_batch": 0}, "max_batch"),
        ({"keepalive_s": 1}, "keepalive_s"),
        ({"protocol": "3.1"}, "protocol"),
    ],
)
def test_config_refused(values: dict[str, object], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says) as caught:
        config(1883, **values)
    assert "geheim" not in str(caught.value)


def test_config_taken() -> None:
    assert config(1883, url="mqtt://192.0.2.1", insecure=True).status_topic
    forwarder = open_forwarder(config(1883, max_batch=7, concurrency=3), CONTEXT)
    assert (forwarder.max_batch, forwarder.concurrency) == (7, 3)
    assert PENDING < 0
