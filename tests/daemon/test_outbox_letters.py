import sqlite3
from pathlib import Path

import pytest

from tests.daemon.home import stamp
from torhaus.daemon.outbox.letters import dead_letter, drop_all, own_copies, retry_all
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.state import Flush, SetAside, State
from torhaus.daemon.outbox.store import MAIN


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "state.db")

    def one(pos: int) -> SetAside:
        return SetAside(pos, 0, 0, "no", Stored(pos, "3f2a91c0", pos, "b", stamp(), Record("frame", "x")))

    made.save(Flush(dead={("a", MAIN): [one(1), one(2)], ("b", MAIN): [one(1)]}, set_aside={("a", MAIN): [one(9)]}))
    return made


def test_one(state: State) -> None:
    found = dead_letter(state, 2)
    assert found is not None
    assert (found.number, found.forwarder, found.pos, found.stored.seq) == (2, "a", 2, 2)
    assert dead_letter(state, 9) is None
    state.close()


def test_own_copies(state: State) -> None:
    assert sorted(own_copies(state, "a", MAIN)) == [1, 2, 9]
    assert own_copies(state, "b", MAIN) == [1]
    assert own_copies(state, "a", "strangers") == []
    state.close()


def test_all_or_one_forwarders(state: State) -> None:
    assert retry_all(state, "a", 17) == 2
    assert state.counts() == {"a": (3, 0), "b": (0, 1)}
    assert [x.pos for x in state.due("a", MAIN, 17, 10)] == [9, 1, 2]
    assert drop_all(state, "a") == 0
    assert drop_all(state, None) == 1
    assert retry_all(state, None, 17) == 0
    assert state.counts() == {"a": (3, 0)}
    state.close()


def test_all_or_nothing(state: State) -> None:
    state.conn.execute("CREATE TRIGGER no BEFORE DELETE ON dead_letter BEGIN SELECT raise(ABORT, 'no'); END")
    with pytest.raises(sqlite3.IntegrityError):
        retry_all(state, None, 17)
    assert state.counts() == {"a": (1, 2), "b": (0, 1)}
    state.close()
