import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import Box, reading, with_box
from tests.daemon.test_outbox_state import KEY, aside, change
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.opening import open_state
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.state import Flush
from torhaus.daemon.outbox.store import MAIN


@pytest.mark.parametrize("damage", ["junk", "page", "table"])
def test_a_broken_file_is_set_aside(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "state.db"
    opened = open_state(path, 5)
    state, lost = opened.state, opened.set_aside
    assert lost is None
    state.save(Flush(settled={KEY: [(i * 2, i * 2 + 1) for i in range(3000)]}))
    state.close()
    data = bytearray(path.read_bytes())
    if damage == "junk":
        path.write_bytes(b"junk" * 5000)
    elif damage == "page":
        data[8192 : 8192 + 2000] = b"\xff" * 2000
        path.write_bytes(data)
    else:
        change(path, "DROP TABLE forwarder")
    opened = open_state(path, 7_000_000_000)
    state, lost = opened.state, opened.set_aside
    assert lost is not None
    assert lost.name == "state.db.corrupt-7"
    assert state.settled(*KEY) is None  # the page may have held a record that was kept
    state.close()


def test_a_file_that_cannot_be_had_now_is_not_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.db"
    open_state(path, 5).state.close()
    monkeypatch.setattr(migrate, "BUSY_TIMEOUT_S", 0.01)
    with contextlib.closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA locking_mode = EXCLUSIVE")
        conn.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            open_state(path, 5)
    change(path, "PRAGMA user_version = 9")
    with pytest.raises(migrate.RefusedError):
        open_state(path, 5)
    path.unlink()
    change(path, "CREATE TABLE theirs (x)")
    with pytest.raises(migrate.RefusedError):
        open_state(path, 5)
    assert [p.name for p in tmp_path.glob("*corrupt*")] == []


def fill(path: Path) -> None:
    """A state with settled ranges and a record set aside, and the second copy beside it."""

    async def work(box: Box) -> None:
        for n in range(8):
            await box.store(reading(n))
        box.flush.settled[KEY] = [(0, 5)]
        box.flush.set_aside[KEY] = [aside(3)]
        await box.save()

    with_box(work, lambda: Box(path))


@pytest.mark.parametrize("damage", ["zero length", "gone", "junk", "first page", "truncated"])
def test_the_outbox_goes_on_with_what_was_settled_and_repeats_what_was_kept(tmp_path: Path, damage: str) -> None:
    fill(tmp_path)
    path = tmp_path / "state.db"
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(
            {
                "zero length": b"",
                "junk": b"x" * 9000,
                "first page": bytes(4096) + data[4096:],
                "truncated": data[:9000],
            }[damage]
        )

    async def work(box: Box) -> None:
        assert len(box.set_aside) == (damage != "gone")
        assert box.state_was_lost
        there = await box.on_state(lambda s: s.owned())
        settled = await box.on_state(lambda s: s.settled(*KEY))
        if damage == "first page":
            assert (settled, there) == (Ranges([(0, 5)]), {KEY: Ranges([(3, 4)])})
        else:
            assert (settled, there) == (Ranges([(0, 3), (4, 5)]), {})
        await box.store(reading(8))
        found = await box.everything()
        assert [r.pos for r in found] == list(range(9))  # the log goes on where it was

    with_box(work, lambda: Box(tmp_path))


def test_without_a_second_copy_all_is_sent_again_also_by_one_that_starts_now(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "settled.json").unlink()
    (tmp_path / "state.db").write_bytes(b"x" * 9000)

    async def work(box: Box) -> None:
        assert await box.on_state(lambda s: s.settled(*KEY)) is None
        assert box.state_was_lost

    with_box(work, lambda: Box(tmp_path))


def test_a_new_store_has_lost_nothing(tmp_path: Path) -> None:
    with_box(_nothing_lost, lambda: Box(tmp_path))
    with_box(_nothing_lost, lambda: Box(tmp_path))


async def _nothing_lost(box: Box) -> None:
    assert (box.state_was_lost, box.set_aside) == (False, [])
    assert box.logs[MAIN].tail == 0


def test_ranges_changed_on_disk_are_those_of_the_second_copy(tmp_path: Path) -> None:
    fill(tmp_path)
    change(tmp_path / "state.db", "UPDATE forwarder SET settled = '[[0,9]]'")

    async def work(box: Box) -> None:
        assert await box.on_state(lambda s: s.settled(*KEY)) == Ranges([(0, 5)])
        assert (box.set_aside, box.state_was_lost) == ([], False)

    with_box(work, lambda: Box(tmp_path))


def test_a_start_cut_short_while_the_state_was_rebuilt_begins_anew(tmp_path: Path) -> None:
    fill(tmp_path)
    path = tmp_path / "state.db"
    migrate.set_aside(path, 17 * 10**9)
    (tmp_path / "new-state.db").write_bytes(b"half")

    async def work(box: Box) -> None:
        assert box.state_was_lost
        assert await box.on_state(lambda s: s.settled(*KEY)) == Ranges([(0, 3), (4, 5)])

    with_box(work, lambda: Box(tmp_path))
    assert not (tmp_path / "new-state.db").exists()
    state = open_state(path, 5).state
    state.save(Flush())
    state.close()
