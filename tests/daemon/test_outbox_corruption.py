"""Bytes are changed at random in a store that the outbox itself has written; the same places in every run.

The outbox must open, give out every record of every row that no changed page has a part of, none that was changed,
and state as lost exactly what is missing.
"""

import random
import shutil
from pathlib import Path

import pytest

from tests.daemon.damage_fakes import Truth, build, flip, page_at, reopened
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.store import MAIN

PLACES = 200
AT_ONCE = 20
VERSION = range(60, 64)
"""Bytes of a header that say which torhaus may use a file: a newer one's is left alone, whatever else is in it."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("store")
    return folder / "crashed", build(folder)


def targets(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.name.endswith((".db", ".db-wal")) and p.parent.name != "strangers")


def place(folder: Path, rand: random.Random) -> tuple[Path, int]:
    while True:
        path = rand.choice(targets(folder))
        size = path.stat().st_size
        offset = rand.randrange(size) if size else 0
        if size and not (path.suffix == ".db" and offset in VERSION):
            return path, offset


def check(folder: Path, truth: Truth, may_be_missing: set[int]) -> dict[int, Stored]:
    found, box = reopened(folder)
    assert {p: s for p, s in found.items() if truth.records[p] != s} == {}
    missing = truth.records.keys() - found.keys()
    assert missing <= may_be_missing
    stated = {p for r in box.mender.reports.values() for a, b in r.lost for p in range(a, b)}
    assert stated == missing
    assert sum(r.lost_records for r in box.mender.reports.values()) == len(missing)
    settled = box.settled_by[MAIN].get("mqtt")
    assert settled is None or all(b <= truth.tail for _, b in settled)
    return found


@pytest.mark.parametrize("number", range(PLACES))
def test_one_changed_byte(store: tuple[Path, Truth], tmp_path: Path, number: int) -> None:
    crashed, truth = store
    folder = shutil.copytree(crashed, tmp_path / "s")
    rand = random.Random(number)
    path, offset = place(folder, rand)
    may_be_missing = truth.on_page(page_at(path, offset)) if path.parent.name == "log" else set()
    flip(path, offset, 1 << rand.randrange(8))
    check(folder, truth, may_be_missing)


@pytest.mark.parametrize("number", range(AT_ONCE))
def test_several_changed_bytes_and_pages_of_nothing(store: tuple[Path, Truth], tmp_path: Path, number: int) -> None:
    crashed, truth = store
    folder = shutil.copytree(crashed, tmp_path / "s")
    rand = random.Random(1000 + number)
    may_be_missing: set[int] = set()
    for n in range(rand.randrange(2, 12)):
        path, offset = place(folder, rand)
        if path.parent.name == "log":
            may_be_missing |= truth.on_page(page_at(path, offset))
        if n % 4 == 0 and path.suffix == ".db" and offset > 4096:
            data = path.read_bytes()
            start = offset // 4096 * 4096
            path.write_bytes(data[:start] + bytes(4096) + data[start + 4096 :])
        else:
            flip(path, offset, rand.randrange(1, 256))
    first = check(folder, truth, may_be_missing)
    assert check(folder, truth, may_be_missing) == first  # and so it stays
