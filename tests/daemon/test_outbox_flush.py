from tests.daemon.outbox_fakes import AT, reading
from torhaus.daemon.outbox.flush import Flush, Session, SetAside
from torhaus.daemon.outbox.record import Stored

KEY = ("city", "main")


def aside(pos: int) -> SetAside:
    return SetAside(pos, 1, 100, "quota", Stored(pos, "3f2a91c0", pos, "boot", AT, reading(pos)))


def test_what_could_not_be_written_and_what_came_since_are_one() -> None:
    old = Flush({KEY: [(0, 1)]}, {KEY: [aside(1)]}, {}, {KEY: [4]})
    old.sessions, old.snapshot = [Session("a", "x", 1), Session("b", "x", 1)], {"main": 3}
    old.dropped, old.boots = {("city", "size"): 2}, {"boot": 10}
    new = Flush({KEY: [(0, 9)]}, {KEY: [aside(2)]}, {KEY: [aside(3)]}, {KEY: [5]}, [Session("a", "x", 7)], {"main": 8})
    new.dropped, new.boots = {("city", "size"): 3}, {"boot": 99, "next": 20}
    old.merge(new)
    assert old.settled == {KEY: [(0, 9)]}
    assert [x.pos for x in old.set_aside[KEY]] == [1, 2]
    assert [x.pos for x in old.dead[KEY]] == [3]
    assert old.resolved == {KEY: [4, 5]}
    assert {s.dev_eui: s.fcnt_up for s in old.sessions} == {"a": 7, "b": 1}
    assert (old.snapshot, old.dropped) == ({"main": 8}, {("city", "size"): 5})
    assert old.boots == {"boot": 10, "next": 20}, "what was once told of a boot stays"


def test_only_a_change_is_worth_a_commit() -> None:
    assert not Flush(at_ns=5)
    assert Flush(snapshot={"main": 0})
