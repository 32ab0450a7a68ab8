"""What a config of type `nats` may say, and its sample."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from tests.daemon.nats_fakes import build, config
from torhaus.daemon.forward.nats_config import Config

SAMPLE = Path(__file__).parents[2] / "config/forwarders/nats.toml"


def test_sample_is_the_defaults() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    (table,) = tomllib.loads(text)["forwarder"]
    loaded = msgspec.convert(table, Config)
    shown = tomllib.loads("\n".join(line[2:] for line in text.splitlines() if line.startswith("# ") and " = " in line))
    unset = {"username", "password_file", "token_file", "nkey_file", "creds_file", "ca_file", "cert_file", "key_file"}
    assert {*shown, "name", "type", "urls"} == set(Config.__struct_fields__)
    for key, value in shown.items():
        assert getattr(loaded, key) == (None if key in unset else value), key


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"urls": []}, "urls"),
        ({"urls": ["nats://192.0.2.1"]}, r"urls: nats:// is not encrypted; use tls://"),
        ({"urls": ["nats://127.0.0.1", "nats://192.0.2.1"]}, "urls: nats:// is not encrypted"),
        ({"urls": ["mqtt://x"]}, "urls: expected tls://host or tls://host:4222"),
        ({"urls": ["tls://u:geheim@x"]}, "no user or password here"),
        ({"urls": ["tls://x/y"]}, "the subject has a key of its own"),
        ({"ca_file": "x"}, "need a url with tls://"),
        ({"tls_first": True}, "tls_first: needs urls"),
        ({"urls": ["tls://x"], "cert_file": "x"}, "belong together"),
        ({"password_file": "x"}, "password_file: needs a username"),
        ({"username": "x"}, "username: needs a password_file"),
        ({"token_file": "x", "creds_file": "y"}, "creds_file: and token_file are two ways to log in"),
        ({"username": "x", "password_file": "x", "nkey_file": "y"}, "nkey_file: and password_file are two ways"),
        ({"subject": "a.{x}"}, r"subject: unknown placeholder \{x\}; known are"),
        ({"subject": "torhaus.>"}, "subject: > is a wildcard"),
        ({"backlog_subject": "a.{device}"}, "backlog_subject: unknown placeholder"),
        ({"command_subject": "a.*"}, r"command_subject: \* is a wildcard"),
        ({"command_consumer": "a.b"}, "command_consumer: a consumer's name has no dots"),
        ({"inbox_prefix": "a.{site}"}, "inbox_prefix: unknown placeholder"),
        ({"inbox_prefix": ""}, "inbox_prefix: a subject is not empty"),
        ({"expected_stream": "a.b"}, "expected_stream: must be a stream's name"),
        ({"command_stream": "a b"}, "command_stream: must be a stream's name"),
        ({"command_stream": "A", "command_subject": "b"}, "two ways for orders to come"),
        ({"window": 0}, "window"),
        ({"durable": 1}, "unknown field `durable`"),
    ],
)
def test_config_refused(values: dict[str, object], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says) as caught:
        config(4222, **values)
    assert "geheim" not in str(caught.value)


def test_config_taken() -> None:
    assert config(1, urls=["nats://192.0.2.1", "tls://x"], insecure=True).endpoints()[1].port == 4222
    assert config(1, urls=["tls://x:443"], tls_first=True).endpoints()[0].encrypted
    made = build(1, max_batch=7, concurrency=3)
    assert (made.max_batch, made.concurrency) == (7, 3)
