"""A driver's door: what its configuration says of a device holds for the decoding, and silent devices are told once."""

from tests.daemon.pipeline_fakes import Stage
from torhaus.codecs.model import RejectReason
from torhaus.codecs.text.line import FieldRule, rule
from torhaus.daemon.lora.network import Device
from torhaus.drivers.base import DeviceChanged

SCALE = rule(r"(?P<weight>\d+) kg", None, {"weight": FieldRule(unit="kg")})


def test_frames_are_decoded_by_what_their_driver_says() -> None:
    stage = Stage([Device("scale", codec="line"), Device("other", codec="line"), Device("raw")])
    stage.pipeline.bind(dict.fromkeys(("scale", "raw", "unknown"), SCALE.decode))
    stage.deliver(*(stage.telegram(b"12 kg", name) for name in ("scale", "other", "raw")))
    scale, other, raw = stage.store.main
    assert scale.fields is not None
    assert other.fields is not None
    assert (scale.codec, scale.fields["weight"].value, scale.fields["weight"].unit) == ("line", 12.0, "kg")
    assert other.fields["text"].value == "12 kg"
    assert (raw.kind, raw.raw) == ("frame", b"12 kg")


def test_what_does_not_fit_is_refused_by_its_reason() -> None:
    stage = Stage([Device("scale", codec="line")])
    stage.pipeline.bind({"scale": SCALE.decode})
    stage.deliver(stage.telegram(b"overload", "scale"))
    (record,) = stage.store.main
    assert record.reason == RejectReason.SYNTAX
    assert stage.watch.rejects["roof", "line", "syntax"] == 1


def test_silent_devices() -> None:
    stage = Stage()
    stage.host.event(DeviceChanged("a", up=False, detail="no answer"))
    stage.host.event(DeviceChanged("b", up=True))
    assert stage.watch.driver("roof").silent == {"a": "no answer"}
    stage.host.event(DeviceChanged("a", up=True))
    assert stage.watch.driver("roof").silent == {}
