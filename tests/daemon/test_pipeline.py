"""From a driver's delivery to records: nothing without a record, nothing acknowledged without a commit."""

import asyncio
from pathlib import Path

import pytest

from tests.daemon.pipeline_fakes import ELSYS, LPP, Stage, device_of, uplink
from torhaus.codecs.model import DecodeError, Fields, Frame, Reject, RejectReason, Value
from torhaus.codecs.registry import Decode, load
from torhaus.daemon.alarms import Alarms
from torhaus.daemon.config.model import AlarmRule
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.outbox.record import Lora
from torhaus.daemon.outbox.store import MAIN, STRANGERS, Limits, Outbox, Reporter
from torhaus.drivers.base import GatewaySeen, GatewayStats


def test_an_uplink_becomes_a_reading() -> None:
    stage = Stage()
    phy = uplink(ELSYS, 40)
    stage.deliver(stage.frame(phy))
    (record,) = stage.store.main
    assert (record.kind, record.driver, record.device, record.dev_eui, record.codec) == (
        "reading",
        "roof",
        ELSYS.name,
        ELSYS.dev_eui,
        "elsys",
    )
    assert record.fields == load("elsys")(ELSYS.payload(40), 5)
    assert (record.reason, record.detail, record.payload, record.pending, record.raw) == (None, None, None, False, phy)
    assert isinstance(record.lora, Lora)
    assert (record.lora.fcnt, record.lora.fport) == (40, 5)
    assert stage.store.records[MAIN][0][0] == stage.clock.stamp()
    assert stage.watch.readings == {"elsys": 1}
    assert stage.watch.devices == {ELSYS.name: stage.clock.wall_ns()}
    assert stage.watch.drivers["roof"].frames == 1
    assert stage.store.strangers == []


def test_done_follows_the_commit() -> None:
    stage = Stage()
    stage.deliver(stage.frame(uplink(ELSYS, 0)))
    assert stage.told == []
    stage.store.settle(stored=True)
    assert stage.told == [True]


def test_a_driver_may_have_a_longer_window() -> None:
    stage = Stage()
    stage.deliver(stage.frame(uplink(ELSYS, 0)))
    stage.pipeline.host("patient").deliver([], [Reject(b"x", RejectReason.CRC, "")])
    assert stage.store.windows_s == [0, 5]


def test_what_could_not_be_stored_is_not_acknowledged_and_new_when_repeated() -> None:
    stage = Stage()
    phy = uplink(ELSYS, 0)
    for _ in range(2):
        stage.deliver(stage.frame(phy))
        stage.store.settle(stored=False)
    stage.deliver(stage.frame(phy))
    stage.store.settle(stored=True)
    assert stage.told == [False, False, True]
    assert [r.kind for r in stage.store.main] == ["reading"] * 3
    stage.deliver(stage.frame(phy))
    assert len(stage.store.main) == 3
    assert stage.store.strangers[-1].reason == "duplicate"


def test_without_room_nothing_is_touched() -> None:
    stage = Stage()
    stage.store.room = False
    stats = GatewayStats("aa555a0000000101", {}, stage.clock.stamp())
    phy = uplink(ELSYS, 0)
    stage.deliver(stage.frame(phy), rejects=[Reject(b"x", RejectReason.SHORT)], stats=stats)
    stage.host.deliver([stage.frame(phy)], [])
    assert stage.told == [False]
    assert stage.store.refused_records == {"backlog": 4}
    assert stage.store.main == stage.store.strangers == []
    stage.store.room = True
    stage.deliver(stage.frame(phy))
    assert [r.kind for r in stage.store.main] == ["reading"]


def test_in_is_what_is_stored() -> None:
    """Every frame, refusal and report has its record in one of the logs; strangers have their own."""
    stage = Stage()
    known, unknown = GatewayStats("a" * 16, {"rxnb": 1}, stage.clock.stamp()), Sensor(77)
    frames = [
        stage.frame(uplink(ELSYS, 0)),
        stage.frame(uplink(ELSYS, 0)),  # again: kept, no reading
        stage.frame(uplink(LPP, 3)),
        stage.frame(uplink(unknown, 0)),
        stage.frame(uplink(LPP, 4), RejectReason.UNKNOWN_GATEWAY),
        stage.frame(b"junk"),
        stage.telegram(b"\x01\x67\x00\xff", LPP.name),
        stage.telegram(b"?", None),
    ]
    rejects = [Reject(b"\xff", RejectReason.SYNTAX, "not JSON", "10.0.0.1"), Reject(b"", RejectReason.SHORT)]
    stage.deliver(*frames, rejects=rejects, stats=known)
    assert [(r.kind, r.device, r.reason) for r in stage.store.main] == [
        ("reading", ELSYS.name, None),
        ("reading", LPP.name, None),
        ("reading", LPP.name, None),
        ("event", None, None),
    ]
    assert [(r.reason, r.raw) for r in stage.store.strangers] == [
        ("duplicate", frames[1].data),
        ("unknown_device", frames[3].data),
        ("unknown_gateway", frames[4].data),
        (stage.store.strangers[3].reason, b"junk"),
        ("unknown_device", b"?"),
        ("syntax", b"\xff"),
        ("short", b""),
    ]
    assert [r.event for r in stage.store.strangers[-2:]] == [{"source": "10.0.0.1"}, None]
    assert stage.store.main[-1].event == {"rxnb": 1, "gateway": "a" * 16}
    assert len(frames) + len(rejects) + 1 == len(stage.store.main) + len(stage.store.strangers)
    assert sum(stage.watch.rejects.values()) == 7
    assert stage.store.size >= sum(len(f.data) for f in frames)
    stage.store.settle(stored=True)
    assert stage.told == [True], "one delivery, one answer"


def test_a_strangers_report_is_a_strangers() -> None:
    stage = Stage()
    stage.deliver(stats=GatewayStats("a" * 16, {}, stage.clock.stamp(), RejectReason.UNKNOWN_GATEWAY))
    assert (len(stage.store.main), len(stage.store.strangers)) == (0, 1)


def test_a_payload_that_means_nothing_is_kept_with_the_reason() -> None:
    stage = Stage([device_of(ELSYS, "cayenne_lpp")])
    stage.deliver(stage.frame(uplink(ELSYS, 0)))
    (record,) = stage.store.main
    assert record.kind == "frame"
    assert record.fields is None
    assert record.reason
    assert stage.watch.rejects == {("roof", "cayenne_lpp", record.reason): 1}


def test_mac_commands_are_a_frame_with_nothing_wrong() -> None:
    from torhaus.codecs.lorawan.build import build_uplink

    stage = Stage()
    stage.deliver(stage.frame(build_uplink(ELSYS._keys, ELSYS.dev_addr, 0, 0, b"\x02")))
    (record,) = stage.store.main
    assert (record.kind, record.reason, record.codec, record.device) == ("frame", None, "elsys", ELSYS.name)


@pytest.mark.parametrize("script", [None, "/srv/decoder.js"])
def test_scripts_come_later_and_no_codec_stays_raw(script: str | None) -> None:
    device = device_of(ELSYS, script=script)
    device.codec = None
    stage = Stage([device])
    stage.deliver(stage.frame(uplink(ELSYS, 8)))
    stage.deliver(stage.telegram(b"abc", ELSYS.name))
    want = ("frame", "script", True) if script else ("frame", None, False)
    assert [(r.kind, r.codec, r.pending) for r in stage.store.main] == [want] * 2
    assert [r.payload for r in stage.store.main] == ([ELSYS.payload(8), b"abc"] if script else [None, None])


# -- defects -----------------------------------------------------------------------------------------------------------


def raises(payload: bytes, fport: int | None) -> Fields:
    raise ZeroDivisionError(payload.hex())


def too_big(payload: bytes, fport: int | None) -> Fields:
    return {"n": Value(1 << 70)}


def no_text(payload: bytes, fport: int | None) -> Fields:
    return {"text": Value("\udcff")}


def too_deep(payload: bytes, fport: int | None) -> Fields:
    return too_deep(payload, fport)


@pytest.mark.parametrize("codec", [raises, too_big, no_text, too_deep])
def test_a_codecs_defect_costs_neither_bytes_nor_neighbours(codec: Decode) -> None:
    stage = Stage([device_of(ELSYS, "bad"), device_of(LPP)], codec)
    bad = uplink(ELSYS, 0)
    stage.deliver(stage.frame(uplink(LPP, 0)), stage.frame(bad), stage.frame(uplink(LPP, 1)))
    assert [(r.kind, r.reason) for r in stage.store.main] == [("reading", None), ("frame", "defect"), ("reading", None)]
    broken = stage.store.main[1]
    assert (broken.device, broken.codec, broken.fields, broken.raw) == (ELSYS.name, "bad", None, bad)
    assert broken.detail in {"ZeroDivisionError", "OverflowError", "UnicodeEncodeError", "RecursionError"}
    assert stage.watch.rejects == {("roof", "bad", "defect"): 1}
    assert stage.watch.defects == {"codec bad": 1}
    stage.store.settle(stored=True)
    assert stage.told == [True]


def test_a_defect_of_ours_before_the_device_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    receive = stage.network.receive

    def fail_once(frame: Frame) -> object:
        if frame.data == b"bad":
            raise KeyError("x")
        return receive(frame)

    monkeypatch.setattr(stage.network, "receive", fail_once)
    stage.deliver(stage.frame(uplink(ELSYS, 0)), stage.frame(b"bad"), stage.frame(uplink(ELSYS, 1)))
    assert [r.kind for r in stage.store.main] == ["reading", "reading"]
    (broken,) = stage.store.strangers
    assert (broken.raw, broken.reason, broken.detail) == (b"bad", "defect", "KeyError")
    assert stage.watch.defects == {"pipeline": 1}
    stage.store.settle(stored=True)
    assert stage.told == [True]


def test_a_refusal_is_no_defect() -> None:
    def refuses(payload: bytes, fport: int | None) -> Fields:
        raise DecodeError(RejectReason.RANGE, "no such channel")

    stage = Stage([device_of(ELSYS, "bad")], refuses)
    stage.deliver(stage.frame(uplink(ELSYS, 0)))
    assert (stage.store.main[0].reason, stage.store.main[0].detail) == ("range", "no such channel")
    assert not stage.watch.defects


# -- the driver's door and the real outbox -----------------------------------------------------------------------------


def test_the_host_passes_on() -> None:
    stage = Stage()
    stage.host.event(GatewaySeen("a" * 16, "10.0.0.1", "gwmp2", known=True))
    stage.host.acked(0.01)
    stage.host.acked(1.0)
    stage.host.ack_withheld()
    state = stage.watch.drivers["roof"]
    assert (state.acks, state.acks_late, state.acks_withheld) == (2, 1, 1)
    assert "a" * 16 in stage.watch.gateways.all
    assert stage.host.stamp() == stage.clock.stamp()


def test_everything_can_be_read_again_from_a_real_outbox(tmp_path: Path) -> None:
    async def main() -> None:
        stage = Stage()
        outbox = Outbox(tmp_path, "rathaus", stage.clock, Limits(commit_window_s=0), Reporter())
        await outbox.open()
        stage.pipeline._outbox = outbox
        done = asyncio.get_running_loop().create_future()
        frames = [stage.frame(uplink(ELSYS, 0)), stage.frame(b"junk")]
        stats = GatewayStats("a" * 16, {"rxnb": 1, "ackr": 100.0}, stage.clock.stamp())
        stage.host.deliver(frames, [Reject(b"x", RejectReason.CRC, "no")], done.set_result, stats)
        assert await done
        main, strangers = [await outbox.read(log, 0, 99) for log in (MAIN, STRANGERS)]
        assert [getattr(r, "record").kind for r in main] == ["reading", "event"]  # noqa: B009 - Stored, not Damaged
        assert [getattr(r, "record").raw for r in strangers] == [b"junk", b"x"]  # noqa: B009
        await outbox.close()

    asyncio.run(main())


def test_a_copy_is_acknowledged_only_when_its_first_is_stored() -> None:
    stage = Stage()
    phy = uplink(ELSYS, 0)
    stage.deliver(stage.frame(phy))
    stage.deliver(stage.frame(phy))  # by a second gateway, before the commit
    first, copy = stage.store.waiting
    stage.store.waiting = []
    first(False)  # the main log could not be written
    copy(True)  # the strangers' could
    assert stage.told == [False, False]
    stage.deliver(stage.frame(phy))
    stage.store.settle(stored=True)
    assert stage.told[-1]
    assert stage.store.main[-1].kind == "reading"


def test_what_a_codec_refuses_stays_among_the_strangers() -> None:
    stage = Stage([device_of(ELSYS, codec="cayenne_lpp")])
    phy = uplink(ELSYS, 3)
    stage.deliver(stage.frame(phy))
    (refused,) = stage.store.main
    assert refused.reason is not None
    assert [(r.raw, r.reason) for r in stage.store.strangers] == [(phy, refused.reason)]


def test_strangers_cannot_use_up_the_room_for_readings() -> None:
    stage = Stage()
    stage.store.room_for_strangers = False
    stage.deliver(stage.frame(b"junk"))
    stage.deliver(stage.frame(uplink(ELSYS, 0)))
    stage.store.settle(stored=True)
    assert stage.told == [False, True]
    assert len(stage.store.main) == 1
    assert stage.store.refused_records == {"strangers_backlog": 1}


def test_a_reading_that_a_rule_of_the_site_speaks_of_is_an_alarm() -> None:
    stage = Stage(alarms=Alarms([AlarmRule(devices=(ELSYS.name,), field="temperature", above=-300)]))
    stage.deliver(stage.frame(uplink(ELSYS, 0)), stage.frame(uplink(LPP, 0)))
    assert [(r.device, r.alarm) for r in stage.store.main] == [(ELSYS.name, True), (LPP.name, False)]
