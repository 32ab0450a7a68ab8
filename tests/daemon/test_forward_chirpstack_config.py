"""What a config of type `chirpstack` may say."""

from typing import Any

import msgspec
import pytest

from torhaus.daemon.forward import chirpstack_config
from torhaus.daemon.forward.chirpstack import RELAY, Config


def config(**values: Any) -> Config:
    return msgspec.convert({"name": "city", "url": "mqtts://x", **values}, Config)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"url": "mqtt://192.0.2.1"}, "not encrypted"),
        ({"password_file": "x"}, "needs a username"),
        ({"topic_prefix": "eu868/"}, "topic_prefix: a topic has no empty level"),
        ({"topic_prefix": "+"}, r"topic_prefix: \+ is a wildcard"),
        ({"topic_prefix": "$share"}, "topic_prefix: topics that begin with"),
        ({"topic_prefix": "{site}"}, "topic_prefix: unknown placeholder"),
        ({"encoding": "xml"}, "encoding"),
        ({"spacing_s": -1}, "spacing_s"),
        ({"join_max_age_s": 61}, "join_max_age_s"),
        ({"late_confirmed": "strip"}, "late_confirmed"),
        ({"exec": {"a b": ["/bin/x"]}}, "exec: 'a b' is no name"),
        ({"exec": {"x": []}}, "exec"),
        (
            {"exec": {"x": ["reboot"]}},
            "exec: x: begins with 'reboot', must begin with a path such as \"/usr/bin/uptime\"",
        ),
        ({"exec": {"x": ["/bin/x", "a\0b"]}}, "exec: x: an argument holds"),
        ({"exec": {"x": "/bin/x -y"}}, "exec"),
        ({"filter": {"gateways": ["x"]}}, "gateways: has 'x'"),
        ({"topic": "x"}, "unknown field `topic`"),
        ({"protocol": "3.1.1"}, "unknown field `protocol`"),
    ],
)
def test_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        config(**values)


def test_taken() -> None:
    assert RELAY
    assert config(topic_prefix="").encoding == "json"
    assert config(exec={"uptime": ["/usr/bin/uptime", "-p"]}).exec == {"uptime": ("/usr/bin/uptime", "-p")}
    assert config(encoding="protobuf", topic_prefix="de/eu868")
    assert config().exec == {}


def test_protobuf_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ModuleNotFoundError("No module named 'google'", name="google")

    monkeypatch.setattr(chirpstack_config, "needed", missing)
    assert config().encoding == "json"
    with pytest.raises(msgspec.ValidationError, match=r"pip install 'torhaus\[chirpstack\]', or use \"json\""):
        config(encoding="protobuf")
