"""The disk is full at any step of a document's life: it stays where it was, and arrives once when there is room."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import Bench, FaultyDisk, blob, fake_pdf, key_file, with_bench

DOCUMENTS = {"a.pdf": fake_pdf("a"), "b.pdf": fake_pdf("b")}
NEEDS_ROOM = frozenset({"create", "write", "fsync", "fsync_dir", "make_dir", "rename", "rename_new", "link"})
MAX_STEPS = 200


class Filling:
    """From the n-th step that needs room on nothing has any, until `is_full` is put back."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.is_full = False

    def step(self) -> bool:
        self.left -= 1
        self.is_full = self.is_full or self.left == 0
        return self.is_full


def fill(b: Bench, filling: Filling) -> None:
    """Let the disk and the store's commits be steps."""
    real, known = b.queue._db._commit, [0]

    def fault(operation: str, _path: Path) -> None:
        if operation in NEEDS_ROOM and filling.step():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def commit(conn: sqlite3.Connection) -> None:
        changes, known[0] = conn.total_changes - known[0], conn.total_changes
        if changes and filling.step():  # who only reads needs no room
            raise sqlite3.OperationalError("database or disk is full")
        real(conn)

    assert isinstance(b.disk, FaultyDisk)
    b.disk.fault = fault
    b.queue._db._commit = commit  # type: ignore[method-assign]


async def round_of(b: Bench) -> None:
    await b.look()
    try:
        await b.deliver()
    except sqlite3.OperationalError as error:  # the queue's loop waits and tries again
        if "full" not in str(error):
            raise
    b.clock.pass_s(700)


async def one(b: Bench, at: int) -> bool:
    """Whether the disk became full at all."""
    filling = Filling(at)
    for name, data in DOCUMENTS.items():
        b.put(name, data)
    fill(b, filling)
    await round_of(b)
    was_full = filling.is_full
    sources = {path.read_bytes() for path in b.hot.rglob("*") if path.is_file()}
    taken = {blob(b, scan) for scan in await b.queue.list()}
    assert sources | taken == set(DOCUMENTS.values()), f"lost at step {at}"
    filling.is_full, filling.left = False, 0
    for _ in range(3):
        await round_of(b)
    assert await b.states() == ["verified"] * 2, f"step {at}"
    assert sorted(path.read_bytes() for path in b.out.iterdir()) == sorted(DOCUMENTS.values()), f"step {at}"
    assert list(b.hot.rglob("*.pdf")) == [], f"step {at}"
    assert list((b.root / "state/scans/tmp").iterdir()) == [], f"step {at}"
    return was_full


@pytest.mark.parametrize("mode", ["plain", "sealed"])
def test_every_step(tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if mode == "sealed":
        monkeypatch.setenv("TORHAUS_TEST_SPOOL_KEY", key_file(tmp_path))
    steps = 0
    was_full = True
    while was_full:
        steps += 1
        assert steps < MAX_STEPS
        found: list[bool] = []

        async def work(b: Bench, at: int = steps, into: list[bool] = found) -> None:
            into.append(await one(b, at))

        root = tmp_path / str(steps)
        root.mkdir()
        with_bench(root, work)
        (was_full,) = found
    assert steps > 25
