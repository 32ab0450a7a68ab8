"""One reading, all receptions; and each copy acknowledged for itself."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from tests.daemon.merge_fakes import Air, in_the_air, opened, receptions
from tests.daemon.outbox_fakes import copy_of, replace
from tests.daemon.pipeline_fakes import ELSYS, LPP, device_of, uplink
from torhaus.codecs.model import Stamp, Value
from torhaus.daemon.lora.merge import MAX_EARLY
from torhaus.daemon.lora.network import Device
from torhaus.daemon.outbox.record import MAX_RECEPTIONS, Record, Stored, Verdict
from torhaus.daemon.outbox.store import MAIN, STRANGERS

DUPLICATE = ("roof", "lorawan", "duplicate")


async def strangers(air: Air) -> list[Stored]:
    return [r for r in await air.outbox.read(STRANGERS, 0, 1000) if isinstance(r, Stored)]


@pytest.mark.parametrize("gateways", [2, 5])
@pytest.mark.parametrize("pause_s", [0, 0.03])
def test_what_all_gateways_heard_is_in_one_reading(tmp_path: Path, gateways: int, pause_s: float) -> None:
    async def body(air: Air) -> None:
        phy = uplink(ELSYS, 7)
        for n in range(gateways):
            await air.heard(phy, n)
            air.clock.advance(pause_s)
        (one,) = await air.on_disk()
        assert receptions(one) == list(range(gateways))
        assert one.record.lora is not None
        assert [r.rssi_dbm for r in one.record.lora.rx] == [-60.0 - n for n in range(gateways)]
        assert receptions(air.fed[0]) == list(range(gateways)), "the record in memory has them, too"
        assert air.acked == list(range(gateways))
        assert air.watch.merged_copies == gateways - 1
        assert DUPLICATE not in air.watch.rejects
        copies = await strangers(air)
        assert [(c.record.reason, receptions(c)) for c in copies] == [("duplicate", [n]) for n in range(1, gateways)]
        assert one.record.kind == "reading"

    in_the_air(lambda: Air(tmp_path), body)


def test_copies_that_come_before_the_first_is_on_disk(tmp_path: Path) -> None:
    """All in one turn of the loop; also two rxpk of one datagram."""

    async def body(air: Air) -> None:
        air.hear(uplink(ELSYS, 7), 0, 1, 2)
        air.hear(uplink(LPP, 1), 2, 0)
        await air.committed()
        assert [receptions(r) for r in await air.on_disk()] == [[0, 1, 2], [2, 0]]
        assert air.watch.merged_copies == 3
        assert air.acked == [0, 1, 2, 2, 0]

    in_the_air(lambda: Air(tmp_path), body)


def test_what_comes_after_the_window_is_a_repetition(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        phy = uplink(ELSYS, 7)
        await air.heard(phy, 0)
        air.clock.advance(0.2)
        await air.heard(phy, 1)
        air.clock.advance(0.001)
        await air.heard(phy, 2)
        air.clock.advance(2)
        await air.heard(phy, 0)
        (one,) = await air.on_disk()
        assert receptions(one) == [0, 1]
        assert air.watch.rejects[DUPLICATE] == 2
        assert [c.record.reason for c in await strangers(air)] == ["duplicate"] * 3
        assert air.acked == [0, 1, 2, 0]

    in_the_air(lambda: Air(tmp_path), body)


def test_the_same_reception_once_more_and_a_frame_with_other_bytes_add_nothing(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        phy = uplink(ELSYS, 7)
        await air.heard(phy, 0)
        await air.heard(phy, 0)  # the network doubled the datagram
        assert air.watch.rejects[DUPLICATE] == 1
        frame = air.fed[0].record
        frame.raw = b"other"
        await air.heard(phy, 1)
        (one,) = await air.on_disk()
        assert receptions(one) == [0]
        assert air.watch.merged_copies == 0

    in_the_air(lambda: Air(tmp_path), body)


def test_there_are_bounds(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        phy = uplink(ELSYS, 7)
        air.hear(phy, *range(18))
        await air.committed()
        await air.heard(phy, 18)
        (one,) = await air.on_disk()
        assert receptions(one) == list(range(MAX_RECEPTIONS))
        assert air.watch.merged_copies == MAX_RECEPTIONS - 1
        assert air.watch.rejects[DUPLICATE] == 3
        assert air.acked == list(range(19))

    in_the_air(lambda: Air(tmp_path), body)


def test_a_copy_of_what_could_not_be_stored_has_its_fate(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        log = air.outbox.logs[MAIN]
        append = log.append
        log.append = None  # type: ignore[method-assign, assignment]
        phy = uplink(ELSYS, 7)
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        await air.heard(phy, 0, 1)
        assert (air.acked, air.watch.merged_copies) == ([], 0)
        log.append = append  # type: ignore[method-assign]
        await air.heard(phy, 2, 3)  # new again
        assert air.acked == [2, 3]
        assert [receptions(r) for r in await air.on_disk()] == [[2, 3]]
        assert air.watch.rejects[DUPLICATE] == 1, "the one whose first could not be stored"

    in_the_air(lambda: Air(tmp_path), body)


def test_a_crash_between_the_copy_and_what_it_adds(tmp_path: Path) -> None:
    """The copy is there for itself, the reading as it was acknowledged; nothing is broken."""

    async def body(air: Air) -> None:
        phy = uplink(ELSYS, 7)
        await air.heard(phy, 0)
        replace(air.outbox.logs[MAIN], "add_verdicts", lambda _: None)
        await air.heard(phy, 1)
        assert air.acked == [0, 1]
        copy_of(tmp_path / "a", tmp_path / "b")

    async def after(air: Air) -> None:
        assert [receptions(r) for r in await air.on_disk()] == [[0]]
        assert [receptions(r) for r in await strangers(air)] == [[1]]
        await air.heard(uplink(ELSYS, 8), 0, 1)
        assert [receptions(r) for r in await air.on_disk()] == [[0], [0, 1]]

    async def intact(air: Air) -> None:
        assert [receptions(r) for r in await air.on_disk()] == [[0, 1]]

    in_the_air(lambda: Air(tmp_path / "a"), body)
    in_the_air(lambda: Air(tmp_path / "b"), after)

    async def whole(air: Air) -> None:
        await air.heard(uplink(ELSYS, 7), 0)
        await air.heard(uplink(ELSYS, 7), 1)
        copy_of(tmp_path / "c", tmp_path / "d")

    in_the_air(lambda: Air(tmp_path / "c"), whole)
    in_the_air(lambda: Air(tmp_path / "d"), intact)


@pytest.mark.parametrize("first", ["script", "copy", "together"])
def test_a_scripts_answer_and_a_further_reception_do_not_destroy_each_other(tmp_path: Path, first: str) -> None:
    answer = Verdict({"t": Value(21.5, "Cel")})

    async def body(air: Air) -> None:
        phy = uplink(ELSYS, 7)
        await air.heard(phy, 0)
        (one,) = air.fed
        assert one.record.pending
        steps = [partial(air.outbox.put_verdict, one, answer), partial(air.hear, phy, 1)]
        for step in steps if first == "script" else reversed(steps):
            step()
            if first != "together":
                await air.committed()
        await air.committed()
        await air.heard(phy, 2)
        (again,) = await air.on_disk()
        for r in (one, again):
            assert receptions(r) == [0, 1, 2]
            assert (r.record.pending, r.record.kind, r.record.fields) == (False, "reading", answer.fields)
        assert air.fed.count(one) == 2, "the answer is told once more, a reception is not"
        assert not air.outbox.undecoded

    in_the_air(lambda: Air(tmp_path, [device_of(ELSYS, script="/x/y.js")]), body)


def test_further_receptions_of_one_that_waits_for_its_script_leave_it_waiting(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        await air.heard(uplink(ELSYS, 7), 0, 1)
        (one,) = await air.outbox.pending(0, 10)
        assert receptions(one) == [0, 1]
        assert one.pos in air.outbox.undecoded

    in_the_air(lambda: Air(tmp_path, [device_of(ELSYS, script="/x/y.js")]), body)


def test_what_belongs_to_another_record_is_not_put_to_this_one(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        await air.heard(uplink(ELSYS, 7), 0)
        (one,) = air.fed
        assert one.record.lora is not None
        other = Verdict(rx=one.record.lora.rx, seq=one.seq + 1)
        await air.outbox.on_writer(lambda: air.outbox.logs[MAIN].add_verdicts([(one.pos, other)]))
        assert [receptions(r) for r in await air.on_disk()] == [[0]]
        await air.heard(uplink(ELSYS, 7), 1)
        assert [receptions(r) for r in await air.on_disk()] == [[0, 1]]

    in_the_air(lambda: Air(tmp_path), body)


def test_off_means_off(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        assert air.pipeline.merging is None
        await air.heard(uplink(ELSYS, 7), 0, 1)
        assert [receptions(r) for r in await air.on_disk()] == [[0]]
        assert (air.watch.merged_copies, air.watch.rejects[DUPLICATE]) == (0, 1)

    in_the_air(lambda: Air(tmp_path, window_s=0), body)


@pytest.mark.parametrize(("device", "is_on"), [(Device("flur", "a81758fffe0312ab"), True), (Device("zaehler"), False)])
def test_devices_that_join_have_it_too_and_meters_alone_do_not(tmp_path: Path, device: Device, is_on: bool) -> None:
    async def body(air: Air) -> None:
        assert (air.pipeline.merging is not None) is is_on

    in_the_air(lambda: Air(tmp_path, [device]), body)


def test_too_many_frames_under_way_are_not_put_together(tmp_path: Path) -> None:
    async def body(air: Air) -> None:
        merging = air.pipeline.merging
        assert merging is not None
        merging._early = {(str(n), n): [] for n in range(MAX_EARLY)}
        air.hear(uplink(ELSYS, 7), 0, 1)
        assert air.watch.rejects[DUPLICATE] == 1
        merging._early.clear()
        await air.committed()

    in_the_air(lambda: Air(tmp_path), body)


def test_what_lies_in_the_log_without_radio_is_no_first_reception(tmp_path: Path) -> None:
    async def main() -> None:
        async with asyncio.timeout(60), opened(Air(tmp_path)) as air:
            air.outbox.put(MAIN, [(Stamp(1, air.clock.boot_ns(), True), Record("event", "roof", event={"a": 1}))], 9)
            air.outbox.commit(None)
            await air.heard(uplink(ELSYS, 7), 0)
            await air.heard(uplink(ELSYS, 7), 1)
            assert receptions((await air.on_disk())[-1]) == [0, 1]

    asyncio.run(main())
