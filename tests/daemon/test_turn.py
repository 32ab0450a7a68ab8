"""What comes in one turn of the loop is put together; what stands alone in it, and what becomes of each."""

import pytest

from tests.daemon.pipeline_fakes import ELSYS, LPP, Stage, uplink
from torhaus.codecs.model import Frame, RejectReason
from torhaus.drivers.base import Delivery, GatewayStats


class Told:
    """A driver that hands over several deliveries at once."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.answers: list[tuple[list[str], bool]] = []

    def frame(self, phy: bytes, stranger: RejectReason | None = None) -> Frame:
        return self.stage.frame(phy, stranger)

    def deliver(self, *deliveries: Delivery) -> None:
        self.stage.host.deliver_all(list(deliveries), lambda tickets, stored: self.answers.append((tickets, stored)))

    def good(self, n: int) -> Delivery:
        return [self.frame(uplink(ELSYS, n))], [], f"good {n}", None

    def strange(self, name: str = "strange") -> Delivery:
        return [self.frame(uplink(LPP, 1), RejectReason.UNKNOWN_GATEWAY)], [], name, None


def test_those_of_one_turn_share_a_commit_and_an_answer() -> None:
    it = Told()
    it.deliver(*(it.good(n) for n in range(5)))
    assert len(it.stage.store.main) == 5
    assert len(it.stage.store.waiting) == 1
    assert it.answers == []
    it.stage.store.settle(stored=True)
    assert it.answers == [([f"good {n}" for n in range(5)], True)]
    assert it.stage.network._by_addr[ELSYS.dev_addr][0].proved == 4


def test_what_could_not_be_stored_is_told_of_all_and_is_new_again() -> None:
    it = Told()
    it.deliver(it.good(7), it.good(8))
    it.stage.store.settle(stored=False)
    assert it.answers == [(["good 7", "good 8"], False)]
    it.deliver(it.good(7))
    assert [r.reason for r in it.stage.store.main] == [None, None, None]


def test_a_strangers_frame_stands_alone_and_costs_its_neighbours_nothing() -> None:
    it = Told()
    it.stage.store.room_for_strangers = False
    it.deliver(it.good(1), it.strange(), it.good(2))
    assert len(it.stage.store.waiting) == 3
    it.stage.store.settle(stored=True)
    assert it.answers == [(["good 1"], True), (["strange"], False), (["good 2"], True)]
    assert [r.lora.fcnt for r in it.stage.store.main if r.lora] == [1, 2]


def test_a_frame_with_a_neighbour_in_the_same_datagram_stays_with_it() -> None:
    it = Told()
    both: Delivery = [it.frame(uplink(ELSYS, 2)), it.frame(b"junk")], [], "both", None
    it.deliver(it.good(1), both)
    it.stage.store.settle(stored=True)
    assert it.answers == [(["good 1"], True), (["both"], True)]
    assert [r.lora.fcnt for r in it.stage.store.main if r.lora] == [1, 2]
    assert [r.reason for r in it.stage.store.strangers] == ["unsupported"]


def test_a_copy_in_the_same_turn_has_the_fate_of_the_first() -> None:
    for stored in (True, False):
        it = Told()
        copy: Delivery = it.good(3)[0], [], "copy", None
        it.deliver(it.good(3), copy)
        it.stage.store.settle(stored=stored)
        assert it.answers == [(["good 3"], stored), (["copy"], stored)]


def test_what_wants_no_answer_gets_none() -> None:
    it = Told()
    at = it.stage.clock.stamp()
    it.deliver(([], [], None, GatewayStats("aa555a0000000101", {"rxnb": 1}, at)), it.good(1))
    it.stage.store.settle(stored=True)
    assert it.answers == [(["good 1"], True)]
    assert [r.kind for r in it.stage.store.main] == ["event", "reading"]


def test_where_there_is_no_room_nothing_is_taken() -> None:
    it = Told()
    it.stage.store.room = False
    it.deliver(it.good(1), it.good(2))
    assert it.answers == [(["good 1"], False), (["good 2"], False)]
    assert it.stage.store.refused_records == {"backlog": 2}


def test_a_defect_met_on_one_delivery_costs_that_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Told()
    monkeypatch.setattr(it.stage.watch, "reported", lambda *_: 1 / 0)
    report = GatewayStats("aa555a0000000101", {"rxnb": 1}, it.stage.clock.stamp())
    it.deliver(it.good(1), ([], [], "report", report), it.good(2))
    it.stage.store.settle(stored=True)
    assert it.answers == [(["good 1"], True), (["report"], False), (["good 2"], True)]
    assert it.stage.watch.defects == {"pipeline": 1}
