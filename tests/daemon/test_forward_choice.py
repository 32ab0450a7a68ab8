from typing import Any

import pytest

from torhaus.daemon.config.model import ForwarderCommon
from torhaus.daemon.forward.choice import kind_of, wanted_devices
from torhaus.daemon.outbox.record import Record

ALL = frozenset({"reading", "frame", "event"})


@pytest.mark.parametrize(
    ("record", "kinds", "devices", "expected"),
    [
        (Record("reading", "x", "a"), ALL, (), "reading"),
        (Record("reading", "x", "a"), {"frame"}, (), "frame"),
        (Record("frame", "x", "a"), {"reading"}, (), None),
        (Record("frame", "x", "a", pending=True), {"reading"}, (), "reading"),
        (Record("frame", "x", "a", pending=True), {"frame"}, (), "frame"),
        (Record("event", "x"), ALL, (), "event"),
        (Record("event", "x"), {"reading", "frame"}, (), None),
        (Record("reading", "x", "a"), ALL, {"b"}, None),
        (Record("reading", "x", None), ALL, {"b"}, None),
        (Record("reading", "x", "b"), ALL, {"b"}, "reading"),
    ],
)
def test_kinds(record: Record, kinds: Any, devices: Any, expected: str | None) -> None:
    assert kind_of(record, frozenset(kinds), frozenset(devices)) == expected


def test_devices_and_tags() -> None:
    tagged = {"x": {"a"}, "y": {"a", "b"}}
    common = ForwarderCommon(name="f", type="file", devices=("c",), tags=("y", "none"))
    assert wanted_devices(common, tagged) == {"a", "b", "c"}
    assert wanted_devices(ForwarderCommon(name="f", type="file"), tagged) == frozenset()
