import contextlib
import random
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.test_outbox_state import aside
from torhaus.daemon.outbox import rebuild
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.rebuild import store
from torhaus.daemon.outbox.second import Copy
from torhaus.daemon.outbox.state import Flush, Session, State

KEY = ("mqtt", "main")
SETTLED = [(n * 10, n * 10 + 9) for n in range(60)]
KEPT = [5, 17, 33]
DEAD = [41, 52]
COPY = Copy(settled=[(*KEY, [(0, 9), (10, 19)])], owned=[(*KEY, [(5, 6), (17, 18)])], boots={"old": 3})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state.db.corrupt-17"
    state = State(path)
    state.save(
        Flush(
            settled={KEY: SETTLED, ("file", "main"): [(0, 600)]},
            set_aside={KEY: [aside(n) for n in KEPT]},
            dead={KEY: [aside(n, reason="400") for n in DEAD]},
            sessions=[Session(f"{n:016x}", f"{n:08x}", n) for n in range(50)],
            snapshot={"main": 600},
            boots={"boot": 17},
            dropped={("mqtt", "size"): 9},
            at_ns=5,
        )
    )
    state.close()
    return path


def rebuilt(tmp_path: Path, path: Path | None, copy: Copy | None) -> State:
    state = State(tmp_path / "new.db")
    state.take_over(rebuild.rebuild(path, copy))
    return state


def owned(state: State) -> Ranges:
    return state.owned().get(KEY, Ranges())


def damage(path: Path, start: int, size: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * size)


def root_of(path: Path, table: str) -> int:
    with contextlib.closing(sqlite3.connect(path)) as conn:
        page: int = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    return (page - 1) * 4096


def test_all_of_a_file_of_which_only_the_schema_is_damaged_is_taken_over(tmp_path: Path, path: Path) -> None:
    damage(path, 100, 3000)
    state = rebuilt(tmp_path, path, None)
    assert (owned(state), len(state.dead_letters())) == (Ranges([(p, p + 1) for p in sorted(KEPT + DEAD)]), 2)
    assert len(state.sessions()[0]) == 50
    assert (state.boots(), state.dropped()) == ({"boot": 17}, {("mqtt", "size"): 9})
    assert state.settled(*KEY) is None  # that no kept record has gone unseen is not proved, and there is no second copy
    state.close()


def test_ranges_are_believed_when_every_kept_record_is_there(tmp_path: Path, path: Path) -> None:
    damage(path, root_of(path, "session"), 4096)
    state = rebuilt(tmp_path, path, COPY)
    assert state.settled(*KEY) == Ranges(SETTLED)
    assert owned(state) == Ranges([(p, p + 1) for p in sorted(KEPT + DEAD)])
    assert state.sessions() == ([], {"main": 600})
    assert state.boots() == {"old": 3, "boot": 17}
    state.close()


def test_what_was_kept_and_is_gone_is_sent_again(tmp_path: Path, path: Path) -> None:
    damage(path, root_of(path, "exception"), 4096)
    state = rebuilt(tmp_path, path, COPY)
    assert owned(state) == Ranges([(p, p + 1) for p in DEAD])
    assert state.settled(*KEY) == Ranges([(0, 5), (6, 9), (10, 17), (18, 19)])
    assert state.settled("file", "main") is None
    state.close()


def test_ranges_that_are_damaged_are_those_of_the_second_copy(tmp_path: Path, path: Path) -> None:
    damage(path, root_of(path, "forwarder"), 4096)
    state = rebuilt(tmp_path, path, COPY)
    assert state.settled(*KEY) == Ranges([(0, 9), (10, 19)])
    state.close()
    path.write_bytes(b"x" * 9000)
    (tmp_path / "new.db").unlink()
    state = rebuilt(tmp_path, path, COPY)
    assert (state.settled(*KEY), state.counts()) == (Ranges([(0, 5), (6, 9), (10, 17), (18, 19)]), {})
    state.close()


def test_without_anything_there_is_an_empty_state(tmp_path: Path) -> None:
    state = rebuilt(tmp_path, None, None)
    assert (state.forwarders(), state.counts(), state.boots()) == ([], {}, {})
    state.close()


@pytest.mark.parametrize("number", range(60))
def test_whatever_is_changed_nothing_counts_as_settled_that_was_not_or_whose_copy_is_gone(
    tmp_path: Path, path: Path, number: int
) -> None:
    rand = random.Random(number)
    data = bytearray(path.read_bytes())
    for _ in range(rand.randrange(1, 8)):
        at = rand.randrange(len(data))
        size = rand.choice((1, 1, 1, 50, 2000))
        data[at : at + size] = rand.randbytes(len(data[at : at + size]))
    path.write_bytes(data)
    state = rebuilt(tmp_path, path, COPY if number % 2 else None)
    settled = state.settled(*KEY) or Ranges()
    there = Ranges(SETTLED)
    assert all(there.count(a, b) == b - a for a, b in settled)
    in_log_again = [p for p in KEPT + DEAD if p in settled and p not in owned(state)]
    assert in_log_again == []
    state.close()


def test_a_row_that_the_schema_does_not_take_is_left_out(tmp_path: Path) -> None:
    with contextlib.closing(State(tmp_path / "new.db")) as state:
        bad = rebuild.Rebuilt({"boot": [("b", 1, None), ("c", 2, 3)]}, {}, is_whole=True)
        store(state._conn, bad)
        assert state.boots() == {"c": 2}
