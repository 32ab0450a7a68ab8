"""What state.db keeps of joins."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from torhaus.daemon.outbox import joins, rebuild
from torhaus.daemon.outbox.flush import Flush
from torhaus.daemon.outbox.joins import MAX_FACTS, SKIP, DeviceJoins, Joined, checked, row, session_key
from torhaus.daemon.outbox.second import Copy, SecondCopy, read_copy
from torhaus.daemon.outbox.state import Session, State

EUI, OTHER = "a81758fffe0312ab", "a81758fffe0312ac"
ONE = Joined(1, 0x26011234, 0x70B3D57ED0000001, 4711, 3, 0x13, True, "00" * 16, 17, True)
TWO = Joined(2, 0x26011235, 0x70B3D57ED0000001, 4712, 4, 0x13)
BOTH = DeviceJoins(2, (ONE, TWO))
OLD = Path(__file__).parent / "databases"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    state = State(path)
    state.save(Flush(joins={EUI: BOTH, OTHER: DeviceJoins(1, (ONE,))}))
    state.close()
    return path


def test_what_was_saved_is_there(path: Path) -> None:
    state = State(path)
    assert state.joins() == ({EUI: BOTH, OTHER: DeviceJoins(1, (ONE,))}, [])
    state.close()


def test_counters_of_sessions_that_are_over_go(path: Path) -> None:
    state = State(path)
    keys = [EUI, session_key(EUI, 1), session_key(EUI, 2), session_key(OTHER, 1), "26011234"]
    state.save(Flush(sessions=[Session(key, "26011234", 7) for key in keys]))
    state.save(Flush(joins={EUI: DeviceJoins(2, (TWO,))}))
    keys.remove(session_key(EUI, 1))
    assert sorted(s.dev_eui for s in state.sessions()[0]) == sorted(keys)
    state.close()


@pytest.mark.parametrize("change", ["replace(facts, '4711', '4712')", "'{'", "'[]'", "'{\"sessions\": 1}'"])
def test_what_was_changed_on_disk_is_not_believed(path: Path, change: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as conn, conn:
        conn.execute(f"UPDATE device_joins SET facts = {change} WHERE dev_eui = ?", (EUI,))
    state = State(path)
    assert state.joins() == ({OTHER: DeviceJoins(1, (ONE,))}, [EUI])
    state.close()


def test_a_right_sum_over_something_else() -> None:
    assert checked(*row(EUI, BOTH)) == BOTH
    for text in ("[]", "", '{"sessions": [{"number": "x"}]}', "x" * (MAX_FACTS + 1)):
        assert checked(EUI, text, joins._crc(EUI, text)) is None


def test_a_file_from_before_joins_is_taken_on(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes((OLD / "state_v1.db").read_bytes())
    state = State(path)
    assert state.joins() == ({}, [])
    assert state.sessions()[0] == [Session("a81758fffe0312ab", "01020304", 41)]
    state.close()


def test_a_damaged_state_gives_them_back(path: Path, tmp_path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\xff" * 100)  # no header: read page by page
    state = State(tmp_path / "new.db")
    state.take_over(rebuild.rebuild(path, None))
    assert state.joins() == ({EUI: BOTH, OTHER: DeviceJoins(1, (ONE,))}, [])
    state.close()


def test_what_is_not_to_be_had_comes_from_the_second_copy(path: Path, tmp_path: Path) -> None:
    state = State(path)
    second = SecondCopy(tmp_path)
    second.write(state, 0, changed=True)
    state.close()
    copy = read_copy(tmp_path)
    assert copy is not None
    assert copy.joins[EUI] == BOTH
    state = State(tmp_path / "new.db")
    state.take_over(rebuild.rebuild(None, copy))
    assert state.joins()[0] == copy.joins
    state.close()
    newer = Copy(joins={EUI: DeviceJoins(9)})
    state = State(tmp_path / "newer.db")
    state.take_over(rebuild.rebuild(path, newer))
    assert state.joins()[0][EUI] == BOTH, "what the file itself has is newer"
    state.close()


def test_an_older_state_goes_on_with_counters_that_cannot_have_been_used(path: Path, tmp_path: Path) -> None:
    ours = Joined(3, 1, 2, 3, 4, 5, is_ours=True, fcnt_down_to=32)
    state = State(path)
    state.save(Flush(joins={EUI: DeviceJoins(3, (ONE, ours), 9, (7,))}))
    state.skip_ahead()
    assert state.joins()[0][EUI] == DeviceJoins(3, (ONE, replace(ours, fcnt_down_to=32 + SKIP)), 9, (7,))
    state.close()
    rebuilt = State(tmp_path / "new.db")
    rebuilt.take_over(rebuild.rebuild(path, None))
    assert rebuilt.joins()[0][EUI].sessions[1].fcnt_down_to == 32 + 2 * SKIP
    rebuilt.close()
