import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import AT, reading
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.state import Flush, Session, SetAside, State

OLD = Path(__file__).parent / "databases"
KEY = ("mqtt", "main")


def stored(n: int) -> Stored:
    return Stored(n, "3f2a91c0", n, "boot", AT, reading(n))


def aside(n: int, tries: int = 1, at: int = 100, reason: str = "quota") -> SetAside:
    return SetAside(n, tries, at, reason, stored(n))


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with contextlib.closing(State(tmp_path / "state.db")) as s:
        yield s


def change(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as conn, conn:
        conn.execute(statement)


def test_everything_of_a_flush_is_kept(state: State) -> None:
    flush = Flush(
        settled={KEY: [(0, 5), (7, 9)]},
        set_aside={KEY: [aside(5), aside(6, at=200)]},
        dead={KEY: [aside(9, reason="400")]},
        sessions=[Session("eui", "addr", 4), Session("eui", "addr", 5)],
        snapshot={"main": 10},
        boots={"boot": 77},
        dropped={("mqtt", "size"): 3},
        at_ns=50,
    )
    state.save(flush)
    state.save(Flush(dropped={("mqtt", "size"): 4}))
    assert state.settled(*KEY) == Ranges([(0, 5), (7, 9)])
    assert state.settled("other", "main") is None
    assert state.forwarders() == [("mqtt", "main", Ranges([(0, 5), (7, 9)]))]
    assert state.given_out("main") == 10
    assert state.given_out("strangers") == 0
    assert state.due(*KEY, 99, 10) == []
    assert state.due(*KEY, 100, 10) == [aside(5)]
    assert state.due(*KEY, 900, 10) == [aside(5), aside(6, at=200)]
    assert state.counts() == {"mqtt": (2, 1)}
    (letter,) = state.dead_letters()
    assert (letter.pos, letter.reason, letter.at_ns, letter.stored) == (9, "400", 50, stored(9))
    assert state.sessions() == ([Session("eui", "addr", 5)], {"main": 10})
    assert state.boots() == {"boot": 77}
    assert state.dropped() == {("mqtt", "size"): 7}


def test_a_flush_is_one_transaction(state: State) -> None:
    state._conn.execute("CREATE TRIGGER late BEFORE INSERT ON dropped BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(sqlite3.IntegrityError):
        state.save(Flush(settled={KEY: [(0, 1)]}, dead={KEY: [aside(1)]}, dropped={("mqtt", "size"): 1}))
    assert state.settled(*KEY) is None
    assert state.counts() == {}
    state._conn.execute("DROP TRIGGER late")
    state.save(Flush(settled={KEY: [(0, 1)]}))
    assert state.settled(*KEY) == Ranges([(0, 1)])


def test_an_exception_becomes_a_dead_letter_or_is_resolved(state: State) -> None:
    state.save(Flush(set_aside={KEY: [aside(1), aside(2), aside(3)]}))
    state.save(Flush(dead={KEY: [aside(1, reason="gone")]}, resolved={KEY: [2, 99]}))
    assert [x.pos for x in state.due(*KEY, 900, 10)] == [3]
    state.save(Flush(dead={KEY: [aside(1, reason="again")]}))
    (letter,) = state.dead_letters("mqtt")
    assert letter.reason == "again"
    assert state.dead_letters("http") == []


def test_dead_letters_are_retried_or_dropped_by_a_person(state: State) -> None:
    state.save(Flush(dead={KEY: [aside(1), aside(2)]}))
    one, two = state.dead_letters()
    assert state.retry_dead_letter(one.number, 70)
    assert not state.retry_dead_letter(one.number, 70)
    (due,) = state.due(*KEY, 70, 10)
    assert (due.pos, due.tries, due.stored) == (1, 0, stored(1))
    assert state.drop_dead_letter(two.number)
    assert not state.drop_dead_letter(two.number)
    assert state.counts() == {"mqtt": (1, 0)}


def test_what_could_not_be_written_is_merged_with_what_came_since(state: State) -> None:
    old = Flush(
        settled={KEY: [(0, 1)], ("http", "main"): [(0, 3)]},
        set_aside={KEY: [aside(1)]},
        dead={KEY: [aside(2)]},
        sessions=[Session("a", "addr", 1), Session("b", "addr", 1)],
        snapshot={"main": 1},
        dropped={("mqtt", "size"): 1},
    )
    assert old
    assert not Flush(at_ns=5)
    old.merge(
        Flush(
            settled={KEY: [(0, 2)]},
            set_aside={KEY: [aside(1, tries=2), aside(4)]},
            dead={("http", "main"): [aside(5)]},
            resolved={KEY: [4]},
            sessions=[Session("a", "addr", 2)],
            snapshot={"main": 2},
            boots={"b": 1},
            dropped={("mqtt", "size"): 1, ("mqtt", "age"): 1},
        )
    )
    state.save(old)
    assert state.settled(*KEY) == Ranges([(0, 2)])
    assert state.settled("http", "main") == Ranges([(0, 3)])
    assert state.due(*KEY, 900, 10) == [aside(1, tries=2)]
    assert state.counts() == {"mqtt": (1, 1), "http": (0, 1)}
    assert state.sessions() == ([Session("a", "addr", 2), Session("b", "addr", 1)], {"main": 2})
    assert state.dropped() == {("mqtt", "size"): 2, ("mqtt", "age"): 1}


def test_a_reason_that_is_no_unicode_does_not_block_the_rest(state: State) -> None:
    state.save(Flush(dead={KEY: [aside(1, reason="\udcff no")]}, set_aside={KEY: [aside(2, reason="\udcff")]}))
    assert state.dead_letters()[0].reason == "? no"


def test_changed_ranges_are_none_at_all(state: State, tmp_path: Path) -> None:
    state.save(Flush(settled={KEY: [(0, 5)]}))
    change(tmp_path / "state.db", "UPDATE forwarder SET settled = '[[0,9]]'")
    assert state.settled(*KEY) == Ranges()
    assert state.forwarders() == [("mqtt", "main", Ranges())]


def test_a_changed_copy_is_counted_and_blocks_nobody(state: State, tmp_path: Path) -> None:
    state.save(Flush(set_aside={KEY: [aside(1), aside(2)]}, dead={KEY: [aside(3)]}))
    change(tmp_path / "state.db", "UPDATE exception SET stored = CAST(replace(stored, 'd1', 'd8') AS BLOB)")
    change(tmp_path / "state.db", "UPDATE dead_letter SET stored = x'00'")
    assert [x.pos for x in state.due(*KEY, 900, 10)] in ([2], [])
    assert state.dropped().get(("mqtt", "damaged"), 0) >= 1
    before = state.counts()
    state.due(*KEY, 900, 10)
    assert state.counts() == before
    assert state.dead_letters() == []
    assert state.drop_dead_letter(1)


def test_a_file_of_the_first_schema_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes((OLD / "state_v1.db").read_bytes())
    state = State(path)
    assert state.settled(*KEY) == Ranges([(0, 3), (4, 5)])
    assert [x.stored.record for x in state.due(*KEY, 7, 5)] == [reading(3)]
    assert [x.reason for x in state.dead_letters("http")] == ["400"]
    assert state.sessions() == ([Session("a81758fffe0312ab", "01020304", 41)], {"main": 5})
    assert (state.boots(), state.dropped()) == ({"boot": 17}, {("mqtt", "size"): 9})
    state.close()
    reader = State(path, read_only=True)
    assert reader.counts() == {"mqtt": (1, 0), "http": (0, 1)}
    reader.close()


def test_a_renamed_forwarder_takes_everything_along(state: State) -> None:
    flush = Flush({KEY: [(0, 5)]}, {KEY: [aside(5)]}, {KEY: [aside(9)]}, dropped={("mqtt", "size"): 3})
    state.save(flush)
    assert state.rename("mqtt", "city")
    assert state.settled("mqtt", "main") is None
    assert state.settled("city", "main") == Ranges([(0, 5)])
    assert state.counts() == {"city": (1, 1)}
    assert state.dropped() == {("city", "size"): 3}
    assert not state.rename("mqtt", "city"), "there is nothing any more"
    state.save(Flush({("old", "main"): [(0, 9)]}))
    assert not state.rename("old", "city"), "it has its own"
    assert state.settled("city", "main") == Ranges([(0, 5)])


def test_a_damaged_range_is_not_believed_under_another_name_either(tmp_path: Path) -> None:
    with contextlib.closing(State(tmp_path / "state.db")) as s:
        s.save(Flush({KEY: [(0, 5)]}))
    change(tmp_path / "state.db", "UPDATE forwarder SET settled = '[[0,9]]'")
    with contextlib.closing(State(tmp_path / "state.db")) as s:
        assert s.rename("mqtt", "city")
        assert s.settled("city", "main") == Ranges()


def test_none_waits_longer_than_it_may(state: State) -> None:
    """As after a clock that was put back."""
    state.save(Flush(set_aside={KEY: [aside(1, at=100), aside(2, at=160), aside(3, at=161), aside(4, at=10**18)]}))
    assert [x.pos for x in state.due(*KEY, 100, 10, 60)] == [1, 3, 4]
    assert [x.pos for x in state.due(*KEY, 100, 10)] == [1]


def test_what_is_once_known_of_a_boot_stays(state: State) -> None:
    state.save(Flush(boots={"a": 1}))
    state.save(Flush(boots={"a": 2, "b": 3}))
    assert state.boots() == {"a": 1, "b": 3}
    flush = Flush(boots={"a": 5})
    flush.merge(Flush(boots={"a": 6}))
    assert flush.boots == {"a": 5}
