"""What the drivers of applications subscribe to, and that their parsers read what is said there."""

import msgspec

from tests.codecs.test_framing_chirpstack_app import EUI, UP, encoded
from torhaus.drivers import chirpstack_app, tts_app


def test_topics() -> None:
    base = {"name": "x", "url": "mqtts://lns.example", "client_id": "c"}
    config = msgspec.convert({**base, "applications": ["a", "b"], "topic_prefix": "eu868"}, chirpstack_app.Config)
    assert chirpstack_app.topics(config)[::3] == [f"eu868/application/{a}/device/+/event/up" for a in "ab"]
    config = msgspec.convert(base, chirpstack_app.Config)
    assert chirpstack_app.topics(config) == [f"application/+/device/+/event/{k}" for k in ("up", "join", "status")]
    tts = msgspec.convert({**base, "application": "rathaus"}, tts_app.Config)
    assert tts_app.topics(tts) == ["v3/rathaus@ttn/devices/+/up", "v3/rathaus@ttn/devices/+/join"]
    assert tts.user() == "rathaus@ttn"
    tts = msgspec.convert({**base, "application": "rathaus", "tenant": "", "username": "u"}, tts_app.Config)
    assert (tts_app.topics(tts)[0], tts.user()) == ("v3/rathaus/devices/+/up", "u")


def test_every_topic_is_read_by_its_parser() -> None:
    config = msgspec.convert({"name": "x", "url": "mqtts://l", "client_id": "c"}, chirpstack_app.Config)
    for topic, wanted in zip(chirpstack_app.topics(config), ("up", "join", "status"), strict=True):
        concrete = topic.replace("application/+", "application/a").replace("+", EUI)
        assert chirpstack_app.open(config)._parse(concrete, encoded()) is not None, wanted
    assert UP["deviceInfo"]["devEui"] == EUI
