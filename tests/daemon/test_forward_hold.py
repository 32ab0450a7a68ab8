"""Readings wait for what other gateways hear; nothing else does, and nothing overtakes that must not."""

from pathlib import Path

import pytest

from tests.daemon.forward_fakes import FarSide
from tests.daemon.merge_fakes import GATEWAYS, Air, in_the_air
from tests.daemon.pipeline_fakes import ELSYS, LPP, device_of, uplink
from torhaus.codecs.model import Value
from torhaus.daemon.alarms import Alarms
from torhaus.daemon.config.model import AlarmRule
from torhaus.daemon.forward.hold import MAX_HELD, WRITE_NS
from torhaus.daemon.forward.message import Message
from torhaus.daemon.outbox.record import Record, Verdict
from torhaus.daemon.outbox.store import MAIN


def gateways(message: Message) -> list[int]:
    assert message.lora is not None
    return [GATEWAYS.index(r.gateway) for r in message.lora.rx]


async def turns(air: Air) -> None:
    """Let everything work that can while time stands still."""
    for _ in range(5):
        await air.committed()


@pytest.mark.parametrize("order", ["live_first", "device", "strict"])
def test_a_reading_leaves_when_the_window_is_over_with_all_receptions(tmp_path: Path, order: str) -> None:
    async def body(air: Air) -> None:
        far = FarSide()
        runner = await air.start(far, order=order)
        await air.both_known()
        await air.until(lambda: far.opened == 1)
        phy = uplink(ELSYS, 7)
        await air.heard(phy, 0)
        air.clock.advance(0.15)
        await air.heard(phy, 1)
        await turns(air)
        assert far.arrived == [], "the window is not over"
        assert runner.backlog() == 1, "and it is not delivered either"
        assert air.acked == [0, 1], "nobody who sends waits for that"
        await air.until(lambda: len(far.arrived) == 1, step_s=0.01, limit_s=0.1)
        assert gateways(far.arrived[0]) == [0, 1]
        assert not far.arrived[0].late

    in_the_air(lambda: Air(tmp_path), body)


def test_with_one_gateway_nothing_waits(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        far = FarSide()
        await air.start(far)
        await air.until(lambda: far.opened == 1)
        for n in range(3):
            await air.heard(uplink(ELSYS, n), 0)
            await turns(air)
            assert len(far.arrived) == n + 1
        await air.both_known()
        await air.readings(1)  # nor what did not come by radio
        await turns(air)
        assert len(far.arrived) == 4

    in_the_air(lambda: Air(tmp_path), body)


def test_frames_do_not_wait(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        far, readings = FarSide(), FarSide()
        await air.start(far, name="relay", kinds=frozenset({"frame", "event"}))
        await air.start(readings)
        await air.both_known()
        await air.until(lambda: far.opened == readings.opened == 1)
        await air.heard(uplink(ELSYS, 7), 0)
        await turns(air)
        assert (len(far.arrived), len(readings.arrived)) == (1, 0)

    in_the_air(lambda: Air(tmp_path), body)


def test_order_is_kept_among_what_waits_and_what_need_not(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        far = FarSide()
        runner = await air.start(far)
        await air.both_known()
        await air.until(lambda: far.opened == 1)
        await air.heard(uplink(ELSYS, 7), 0)
        await air.readings(2)
        air.clock.advance(0.1)
        await air.heard(uplink(LPP, 1), 1)
        await turns(air)
        assert far.arrived == []
        assert runner.cursor.tail == 0, "the backlog ends before what waits"
        await air.until(lambda: len(far.arrived) == 4)
        assert far.seqs == [0, 1, 2, 3]
        assert not any(m.late for m in far.arrived)

    in_the_air(lambda: Air(tmp_path), body)


def test_a_backlog_does_not_run_into_what_waits(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        far = FarSide(max_batch=4)
        far.refuse_open = True
        await air.start(far)
        await air.readings(20)
        far.refuse_open = False
        await air.until(lambda: far.opened == 1)
        await air.both_known()
        phy = uplink(ELSYS, 7)
        await air.heard(phy, 0)
        await air.until(lambda: len(far.arrived) == 20, step_s=0.001, limit_s=0.15)
        await turns(air)
        assert len(far.arrived) == 20
        await air.heard(phy, 1)
        await air.until(lambda: len(far.arrived) == 21)
        assert gateways(far.arrived[-1]) == [0, 1]

    in_the_air(lambda: Air(tmp_path), body)


@pytest.mark.parametrize("how", ["codec", "script"])
def test_an_alarm_goes_at_once_and_once(tmp_path: Path, how: str) -> None:
    async def body(air: Air) -> None:
        far = FarSide()
        runner = await air.start(far)
        await air.both_known()
        await air.until(lambda: far.opened == 1)
        await air.heard(uplink(LPP, 3), 0)
        phy = uplink(ELSYS, 7)
        await air.heard(phy, 0)
        if how == "script":
            assert far.arrived == []
            air.outbox.put_verdict(air.fed[1], Verdict({"leak": Value(1)}, alarm=True))
        await turns(air)
        assert [m.alarm for m in far.arrived] == [True]
        assert not far.arrived[0].late
        await air.heard(phy, 1)
        await air.until(lambda: len(far.arrived) == 2)
        await air.rest(3)
        assert far.seqs == [1, 0]
        assert runner.cursor.backlog(0) == runner.cursor.in_hand(0) == 0

    rules = [AlarmRule(devices=(ELSYS.name,))] if how == "codec" else []
    elsys = device_of(ELSYS, script="/x/y.js") if how == "script" else device_of(ELSYS)
    in_the_air(lambda: Air(tmp_path, [elsys, device_of(LPP)], Alarms(rules)), body)


def test_an_alarm_that_overtook_and_was_lost_goes_again(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        far = FarSide()
        await air.start(far)
        await air.both_known()
        await air.until(lambda: far.opened == 1)
        far.hanging = True
        await air.heard(uplink(ELSYS, 7), 0)
        await turns(air)
        assert len(far.calls) == 1
        far.hanging = False
        far.hung_up.set()
        await air.until(lambda: len(far.arrived) == 1)
        await air.rest(3)
        assert far.seqs == [0]
        assert far.arrived[0].alarm

    in_the_air(lambda: Air(tmp_path, alarms=Alarms([AlarmRule(devices=(ELSYS.name,))])), body)


@pytest.mark.parametrize("order", ["device", "strict"])
def test_where_the_order_holds_an_alarm_keeps_its_place(tmp_path: Path, order: str) -> None:
    async def body(air: Air) -> None:
        far = FarSide()
        await air.start(far, order=order)
        await air.both_known()
        await air.until(lambda: far.opened == 1)
        await air.heard(uplink(LPP, 3), 0)
        await air.heard(uplink(ELSYS, 7), 0)
        await air.until(lambda: len(far.arrived) == 2)
        assert far.seqs == [0, 1]

    in_the_air(lambda: Air(tmp_path, alarms=Alarms([AlarmRule(devices=(ELSYS.name,))])), body)


def test_a_scripts_answer_within_the_window_goes_along(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        far = FarSide()
        await air.start(far)
        await air.both_known()
        await air.until(lambda: far.opened == 1)
        phy = uplink(ELSYS, 7)
        await air.heard(phy, 0)
        air.outbox.put_verdict(air.fed[0], Verdict({"t": Value(1)}))
        await air.heard(phy, 1)
        await turns(air)
        assert far.arrived == []
        await air.until(lambda: len(far.arrived) == 1)
        assert (gateways(far.arrived[0]), far.arrived[0].kind) == ([0, 1], "reading")
        await air.heard(uplink(ELSYS, 8), 0)
        await air.rest(1)
        air.outbox.put_verdict(air.fed[-1], Verdict({"t": Value(2)}))  # after the window
        await air.until(lambda: len(far.arrived) == 2)

    in_the_air(lambda: Air(tmp_path, [device_of(ELSYS, script="/x/y.js")]), body)


def test_a_replay_has_all_receptions_and_so_has_the_next_start(tmp_path: Path) -> None:
    async def before(air: Air) -> None:
        await air.heard(uplink(ELSYS, 7), 0, 1)
        await air.heard(uplink(ELSYS, 8), 1)
        await air.heard(uplink(ELSYS, 8), 0)

    async def after(air: Air) -> None:
        far = FarSide()
        await air.start(far)
        await air.until(lambda: len(far.arrived) == 2)
        assert [gateways(m) for m in far.arrived] == [[0, 1], [1, 0]]

    in_the_air(lambda: Air(tmp_path), before)
    in_the_air(lambda: Air(tmp_path), after)


def test_receptions_that_cannot_be_written_hold_up_nothing_for_long(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        assert air.hold is not None
        far = FarSide()
        await air.start(far)
        await air.both_known()
        await air.until(lambda: far.opened == 1)
        phy = uplink(ELSYS, 7)
        await air.heard(phy, 0)
        assert air.pipeline.merging is not None
        air.pipeline.merging._writing[0] = (air.fed[0], [*air.fed[0].record.lora.rx, None])  # type: ignore[union-attr, list-item]
        await air.rest(0.21 + WRITE_NS / 2e9, step_s=0.01)
        assert far.arrived == []
        await air.until(lambda: len(far.arrived) == 1, limit_s=WRITE_NS / 1e9)

    in_the_air(lambda: Air(tmp_path), body)


def test_what_waits_is_bounded_and_let_go_at_the_end(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        assert air.hold is not None
        await air.both_known()
        got: list[int] = []
        air.hold.subscribe(lambda batch: got.extend(s.pos for s in batch), lambda _: None)
        await air.heard(uplink(ELSYS, 7), 0)
        some = [(air.clock.stamp(), Record("event", "roof")) for _ in range(MAX_HELD - 1)]
        air.outbox.put(MAIN, some, 100)
        air.outbox.commit(None)
        await air.committed()
        assert got == []
        await air.heard(uplink(ELSYS, 8), 0)
        assert got == [0], "the oldest batch makes room"
        air.hold.release()
        assert got == list(range(MAX_HELD + 1))

    in_the_air(lambda: Air(tmp_path), body)
