"""Counters in state.db: what was written is read again, what was changed on disk is not there."""

from pathlib import Path

from torhaus.daemon.outbox.counters import Counted, load
from torhaus.daemon.outbox.flush import Flush
from torhaus.daemon.outbox.state import State


def test_written_changed_and_replaced(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    first = {"volume": Counted(12.5, 1_000, True, "m3"), "pulses": Counted(7, 1_000, False)}
    state.save(Flush(counters={"a": first, "b": {"volume": Counted(1, 2, True)}}))
    assert load(state.conn) == {"a": first, "b": {"volume": Counted(1, 2, True)}}
    state.save(Flush(counters={"b": {"volume": Counted(3, 4, True)}}))
    state.conn.execute("UPDATE device_counters SET facts = '{}' WHERE device = 'a'")
    assert load(state.conn) == {"b": {"volume": Counted(3, 4, True)}}
    state.close()


def test_newer_values_win_when_a_save_failed() -> None:
    older = Flush(counters={"a": {"x": Counted(1, 1, True)}, "b": {"x": Counted(1, 1, True)}})
    older.merge(Flush(counters={"a": {"x": Counted(2, 2, True)}}))
    assert older.counters == {"a": {"x": Counted(2, 2, True)}, "b": {"x": Counted(1, 1, True)}}
