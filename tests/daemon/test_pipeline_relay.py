"""What of a delivery goes to the relays' log, and that nothing else changes by it."""

import msgspec
import pytest

from tests.daemon.pipeline_fakes import ELSYS, LPP, Stage, device_of, uplink
from torhaus.codecs.model import Frame, RejectReason
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.forward.relay import wants_of
from torhaus.daemon.lora.filters import FrameFilter
from torhaus.drivers.base import GatewayLeft, GatewaySeen, GatewayStats

JOIN = b"\0" + bytes(8) + bytes.fromhex("a81758fffe0312ab")[::-1] + b"\x01\x00mic!"


class Config(msgspec.Struct):
    filter: FrameFilter = FrameFilter()


def stage_with(**config: object) -> Stage:
    stage = Stage()
    stage.pipeline.relayed = wants_of(Config(msgspec.convert(config, FrameFilter)))
    return stage


def heard_by(stage: Stage, gateway: str, phy: bytes, crc: int | None = None) -> Frame:
    frame = stage.frame(phy)
    assert frame.radio is not None
    frame.radio.rx[0].gateway, frame.radio.rx[0].crc = gateway, crc
    return frame


def test_a_known_device_is_read_here_and_passed_on() -> None:
    stage = stage_with()
    phy = uplink(ELSYS, 7)
    stage.deliver(stage.frame(phy))
    (reading,), (frame,) = stage.store.main, stage.store.relay
    assert reading.kind == "reading"
    assert (frame.kind, frame.raw, frame.device, frame.dev_eui) == ("frame", phy, ELSYS.name, ELSYS.dev_eui)
    assert (frame.fields, frame.payload, frame.codec, frame.pending) == (None, None, None, False)
    assert frame.lora is not None
    assert frame.lora.rx[0].gateway == "aa555a0000000101"
    assert stage.store.strangers == []


def test_a_script_may_answer_later_the_frame_does_not_wait() -> None:
    stage = Stage([device_of(ELSYS, script="/x.js")])
    stage.pipeline.relayed = wants_of(Config())
    stage.deliver(stage.frame(uplink(ELSYS, 7)))
    assert (stage.store.main[0].pending, stage.store.relay[0].pending) == (True, False)


def test_every_gateways_copy_is_passed_on() -> None:
    stage = stage_with()
    phy = uplink(ELSYS, 7)
    for gateway in ("aa555a0000000101", "aa555a0000000102"):
        stage.deliver(heard_by(stage, gateway, phy))
    stage.store.settle(stored=True)
    assert [r.lora.rx[0].gateway for r in stage.store.relay if r.lora] == ["aa555a0000000101", "aa555a0000000102"]
    assert stage.store.relay[1].reason == "duplicate"
    assert (len(stage.store.main), len(stage.store.strangers), stage.told) == (1, 1, [True, True])


def test_strangers_and_join_requests_are_passed_on_and_seen_here_as_ever() -> None:
    stage = stage_with()
    stage.deliver(stage.frame(uplink(Sensor(9), 1)), stage.frame(JOIN))
    assert [(r.kind, r.reason) for r in stage.store.relay] == [("frame", "unknown_device")] * 2
    assert stage.store.relay[1].dev_eui == "a81758fffe0312ab"
    assert (stage.store.main, len(stage.store.strangers)) == ([], 2)
    assert stage.watch.rejects["roof", "lorawan", "unknown_device"] == 2, "counted as ever"


def test_what_is_wrong_is_kept_among_the_strangers_as_well() -> None:
    stage = stage_with()
    phy = bytearray(uplink(LPP, 3))
    phy[-1] ^= 1
    stage.deliver(stage.frame(bytes(phy)))
    assert [r.reason for r in stage.store.relay] == [r.reason for r in stage.store.strangers] == ["mic"]


def test_what_no_relay_wants_goes_its_usual_way() -> None:
    stage = stage_with(dev_addrs=["01020304"])
    stage.deliver(stage.frame(uplink(Sensor(9), 1)), stage.frame(uplink(ELSYS, 1)))
    assert (stage.store.relay, len(stage.store.main), len(stage.store.strangers)) == ([], 1, 1)


def test_frames_of_unknown_gateways_and_telegrams_are_not_for_relays() -> None:
    stage = stage_with()
    stage.deliver(
        stage.frame(uplink(ELSYS, 1), RejectReason.UNKNOWN_GATEWAY),
        stage.telegram(b"\x01\x67\x01\x10", LPP.name),
        stage.telegram(b"x", "nobody"),
    )
    assert (stage.store.relay, len(stage.store.main), len(stage.store.strangers)) == ([], 1, 2)


@pytest.mark.parametrize(("crc_bad", "passed"), [(False, 0), (True, 1)])
def test_bad_crcs_only_where_they_are_asked_for(crc_bad: bool, passed: int) -> None:
    stage = stage_with(crc_bad=crc_bad)
    stage.deliver(heard_by(stage, "aa555a0000000101", b"\x40garbage", crc=-1))
    assert (len(stage.store.relay), len(stage.store.strangers)) == (passed, 1)


@pytest.mark.parametrize(("stranger", "passed"), [(None, 1), (RejectReason.UNKNOWN_GATEWAY, 0)])
def test_reports_of_listed_gateways(stranger: RejectReason | None, passed: int) -> None:
    stage = stage_with()
    stage.deliver(stats=GatewayStats("aa555a0000000101", {"rxnb": 2}, stage.clock.stamp(), stranger))
    assert [r.event for r in stage.store.relay] == [{"rxnb": 2, "gateway": "aa555a0000000101"}] * passed


def test_without_room_for_relays_nothing_is_acknowledged() -> None:
    stage = stage_with()
    stage.store.room_for_relays = False
    stage.deliver(stage.frame(uplink(ELSYS, 1)))
    assert (stage.told, stage.store.main, stage.store.refused_records) == ([False], [], {"backlog": 1})


def test_without_a_relay_its_room_does_not_matter() -> None:
    stage = Stage()
    stage.store.room_for_relays = False
    stage.deliver(stage.frame(uplink(ELSYS, 1)))
    assert (len(stage.store.main), stage.store.relay) == (1, [])


def test_gateways_that_come_and_go_are_events_for_central_services_and_not_for_network_servers() -> None:
    stage = stage_with()
    gateways = stage.watch.gateways
    gateways.listeners.append(stage.pipeline.turned)
    gateways.expect("roof", ["aa555a0000000101"])
    stage.host.event(GatewaySeen("aa555a0000000101", "10.0.0.1", "gwmp2", known=True, listed=True))
    stage.host.event(GatewaySeen("aa555a0000000102", "10.0.0.2", "gwmp2", known=True))
    stage.host.event(GatewayLeft("aa555a0000000101", "closed"))
    assert [(r.kind, r.driver, r.event) for r in stage.store.main] == [
        ("event", "roof", {"gateway": "aa555a0000000101", "state": state}) for state in ("online", "offline")
    ]
    assert stage.store.relay == stage.store.strangers == []
    stage.store.room = False
    stage.host.event(GatewaySeen("aa555a0000000101", "10.0.0.1", "gwmp2", known=True, listed=True))
    assert len(stage.store.main) == 2
    assert stage.store.refused_records == {"backlog": 1}
