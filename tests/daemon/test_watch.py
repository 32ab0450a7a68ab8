import logging

import msgspec
import pytest

from tests.daemon.home import stamp
from torhaus.codecs.model import RejectReason
from torhaus.daemon.lora.gateways import GATEWAY_LINES
from torhaus.daemon.watch import Watch
from torhaus.drivers.base import DeviceChanged, GatewayLeft, GatewayRefused, GatewaySeen, LinkChanged
from torhaus.drivers.said import Said, about


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(logging.getLogger("torhaus"), "propagate", True)
    caplog.set_level(logging.INFO)
    return caplog


def told(log: pytest.LogCaptureFixture) -> list[str]:
    found = [r.getMessage() for r in log.records]
    log.clear()
    return found


def test_drivers_one_line_a_change(log: pytest.LogCaptureFixture) -> None:
    w = Watch(5)
    assert w.driver("radio") is w.driver("radio")
    w.event("radio", LinkChanged(True))
    w.event("radio", LinkChanged(True))
    w.gone("driver radio", "unplugged")
    w.gone("driver radio", "unplugged")
    w.gone("driver radio", "no such port")
    assert told(log) == ["driver", "driver"]
    assert w.drivers["radio"].detail == "no such port", "the status has the latest reason"
    w.gone("driver radio", "unplugged")
    assert (w.drivers["radio"].up, w.drivers["radio"].detail, w.drivers["radio"].since_ns) == (False, "unplugged", 5)
    w.frames("radio", 3, stamp(9))
    w.acked("radio", 0.01)
    w.acked("radio", 0.06)
    w.ack_withheld("radio")
    s = w.drivers["radio"]
    assert (s.frames, s.last_frame_ns, s.acks, s.acks_late, s.acks_withheld) == (3, 9, 2, 1, 1)


def test_parts_that_are_gone(log: pytest.LogCaptureFixture) -> None:
    w = Watch(0)
    for detail in ("busy", "busy", "refused"):
        w.gone("scans", detail)
    assert (w.down, w.drivers) == ({"scans": "refused"}, {})
    w.back("scans")
    w.back("scans")
    assert w.down == {}
    assert told(log) == ["cannot work", "cannot work", "works again"]


def test_defects_do_not_fill_the_journal(log: pytest.LogCaptureFixture) -> None:
    w = Watch(0)
    for _ in range(1000):
        w.defect("codec x", ValueError("x"))
    assert w.defects["codec x"] == 1000
    assert len(told(log)) == 10


def test_gateways_that_leave_and_such_as_are_refused(log: pytest.LogCaptureFixture) -> None:
    w = Watch(0)
    w.event("stations", GatewaySeen("ours", "10.0.0.1", "basics_station", known=True))
    w.event("stations", GatewayLeft("ours", "silent for 90 s"))
    assert told(log) == ["gateway", "gateway"]
    assert w.gateways.driver_of("ours") == "stations"
    for _ in range(2 * GATEWAY_LINES):
        w.event("stations", GatewayRefused("10.6.6.6", "its token is wrong", "ours"))
    assert w.driver("stations").refused_gateways == 2 * GATEWAY_LINES
    lines = told(log)
    assert lines[0] == "gateway refused"
    assert len(lines) == GATEWAY_LINES - 1  # two there were, and one that says that there are more


def test_episodes_are_logged_once(log: pytest.LogCaptureFixture) -> None:
    w = Watch(0)
    for _ in range(3):
        w.dropped("main", "archive", 10, "size")
        w.refused(5, "disk_full")
    assert (w.dropped_records["archive", "size"], w.refused_records["disk_full"]) == (30, 15)
    assert told(log) == ["records dropped", "outbox refuses records"]
    w.committed(7, 0.004)
    w.committed(7, 0.004)
    w.caught_up("archive")
    w.dropped("main", "archive", 1, "size")
    w.refused(1, "disk_full")
    assert told(log) == ["outbox takes records again", "records dropped", "outbox refuses records"]
    w.not_thinned("main", 5, "the segment is damaged")
    assert told(log) == ["segment not thinned"]
    w.failing("main: disk_full")
    w.failing(None)
    assert told(log) == ["outbox cannot write", "outbox writes again"]
    assert (w.committed_records, sum(w.commits.counts)) == (14, 2)


def test_readings_and_rejects() -> None:
    w = Watch(0)
    w.decoded("elsys", "room", stamp(7))
    w.rejected("radio", "elsys", RejectReason.SHORT)
    w.warned(3)
    assert (w.readings["elsys"], w.devices, w.script_warnings) == (1, {"room": 7}, 3)
    assert w.rejects == {("radio", "elsys", "short"): 1}


def test_gateways_have_a_book_of_their_own() -> None:
    w = Watch(0)
    w.event("radio", GatewaySeen("aa555a0000000101", "10.0.0.1", "gwmp2", known=True))
    assert w.gateways.driver_of("aa555a0000000101") == "radio"
    assert w.drivers == {}


def test_facts_are_kept_for_the_page_and_are_plain_texts_elsewhere() -> None:
    w = Watch(0)
    assert w.how("bus") == "starting"
    assert isinstance(w.how("bus"), Said)
    gone, silent = about("/dev/ttyUSB0", Said("port_gone")), Said("unit", unit="1", what=Said("no_answer", s=1.0))
    w.gone("driver bus", gone)
    w.event("bus", DeviceChanged("meter", up=False, detail=silent))
    assert (w.how("bus") is gone, w.how("bus", "meter") is silent, w.how("bus", "other")) == (True, True, "")
    status = msgspec.json.decode(msgspec.json.encode(w.drivers))["bus"]
    assert (status["detail"], status["silent"]) == (str(gone), {"meter": "unit 1: no answer within 1 s"})
    w.event("bus", DeviceChanged("meter", up=True))
    w.event("bus", LinkChanged(up=True))
    assert (w.how("bus"), w.how("bus", "meter")) == ("", "")
    w.gone("salvage", gone)
    assert msgspec.json.encode(w.down)


def test_a_driver_that_never_came_up_is_told_of_once(log: pytest.LogCaptureFixture) -> None:
    w = Watch(5)
    for detail in ("no such port", "permission denied", "no such port"):
        w.gone("driver radio", detail)
    assert told(log) == ["driver"]
    w.event("radio", LinkChanged(True))
    assert told(log) == ["driver"]
