"""What state.db keeps of downlinks."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.daemon.home import stamp
from torhaus.daemon.outbox import queued, rebuild
from torhaus.daemon.outbox.flush import Flush
from torhaus.daemon.outbox.joins import DeviceJoins
from torhaus.daemon.outbox.queued import MAX_FACTS, OUTDATED, Queued, Report, checked, row
from torhaus.daemon.outbox.state import State

EUI = "a81758fffe0312ab"
OLD = Path(__file__).parent / "databases"


def item(number: int = 1, **more: object) -> Queued:
    facts: dict[str, object] = {"dev_eui": EUI, "fport": 10, "payload": b"\1\0\xff", "boot": "b" * 32}
    return Queued(id=f"{number:012x}", number=number, at=stamp(), expires_s=3600, **(facts | more))  # type: ignore[arg-type]


WAITS = item(1, confirmed=True, priority=3, ref="auftrag-7", untold=(Report("queued"),), since=17)
OVER = item(2, place="done", outcome="sent", tries=1, fcnt=7, untold=(Report("sent", "", 7, 1),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    state = State(path)
    state.save_downlinks({q.id: q for q in (OVER, WAITS)})
    state.close()
    return path


def test_what_was_saved_is_there_in_the_order_of_queueing(path: Path) -> None:
    with contextlib.closing(State(path)) as state:
        assert state.downlinks() == ([WAITS, OVER], [])
        state.save_downlinks({WAITS.id: None, OVER.id: replace(OVER, untold=())})
        assert state.downlinks() == ([replace(OVER, untold=())], [])


@pytest.mark.parametrize("change", ["replace(facts, 'auftrag-7', 'auftrag-8')", "'{'", "'[]'", "'{\"id\": 1}'"])
def test_what_was_changed_on_disk_is_not_believed(path: Path, change: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as conn, conn:
        conn.execute(f"UPDATE downlink SET facts = {change} WHERE id = ?", (WAITS.id,))
    with contextlib.closing(State(path)) as state:
        assert state.downlinks() == ([OVER], [WAITS.id])


def test_a_right_sum_over_something_else() -> None:
    assert checked(*row(WAITS)) == WAITS
    for text in ("[]", "", row(OVER)[1], "x" * (MAX_FACTS + 1)):
        assert checked(WAITS.id, text, queued._crc(WAITS.id, text)) is None


def test_all_or_nothing(path: Path) -> None:
    with contextlib.closing(State(path)) as state:
        state.conn.execute(
            "CREATE TRIGGER no BEFORE INSERT ON downlink WHEN new.id LIKE '%9' BEGIN SELECT RAISE(FAIL, ''); END"
        )
        with pytest.raises(sqlite3.Error):
            state.save_downlinks({q.id: q for q in (item(8), item(9))})
        assert state.downlinks()[0] == [WAITS, OVER]


def test_a_file_from_before_there_were_any_is_taken_on(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes((OLD / "state_v1.db").read_bytes())
    with contextlib.closing(State(path)) as state:
        assert state.downlinks() == ([], [])
        state.save_downlinks({WAITS.id: WAITS})
    with contextlib.closing(State(path)) as state:
        assert state.downlinks() == ([WAITS], [])


def test_an_older_state_sends_nothing_that_waited_in_it(path: Path) -> None:
    with contextlib.closing(State(path)) as state:
        state.skip_ahead()
        first, second = state.downlinks()[0]
        assert (first.place, first.outcome, first.why, first.since) == ("done", "failed", OUTDATED, None)
        assert first.untold == (Report("failed", OUTDATED),)
        assert second == replace(OVER, untold=()), "it may have been told"


@pytest.mark.parametrize("whole", [True, False])
def test_a_damaged_state_gives_them_back(path: Path, tmp_path: Path, whole: bool) -> None:
    with contextlib.closing(State(path)) as state:
        state.save(Flush(joins={EUI: DeviceJoins(9)}))
    if not whole:
        with path.open("r+b") as file:
            file.write(b"\xff" * 100)  # no header: read page by page
    with contextlib.closing(State(tmp_path / "new.db")) as state:
        state.take_over(rebuild.rebuild(path, None))
        assert [(q.id, q.outcome) for q in state.downlinks()[0]] == [(WAITS.id, "failed"), (OVER.id, "sent")]
        assert state.joins()[0] == {EUI: DeviceJoins(9)}, "rows of the same shape are told apart"
