"""The daemon itself on a damaged store: it starts, sends what is intact under the old ids, and says what is lost."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.daemon.damage_fakes import SETTLED, Truth, build, newest
from tests.e2e.site import Site, running, wait_for
from torhaus.daemon.outbox.ranges import Ranges

SIDES = ("-wal", "-shm", "-journal", ".report")
FORWARDER = '[[forwarder]]\nname = "mqtt"\ntype = "file"\npath = "{}/out.jsonl"\nbackfill_per_s = 100000\n'


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("store")
    return folder / "crashed", build(folder)


def site_on(folder: Path, store: Path) -> Site:
    site = Site(folder, [], FORWARDER.format(folder))
    site.config.write_text(site.config.read_text().replace('id = "test"', 'id = "rathaus"'))
    shutil.copytree(store, folder / "state")
    return site


def sent(folder: Path) -> dict[str, int]:
    """Id to the number that the record holds."""
    path = folder / "out.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return {body["id"]: body["fields"]["n"]["value"] for body in map(json.loads, lines)}


def overwrite(path: Path, start: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


def page_in(path: Path) -> int:
    """Where the page begins that has the beginning of the thirtieth record."""
    return path.read_bytes().index(b"<%08d>" % (int(path.stem) + 30)) // 4096 * 4096


def spoilt(data: bytes) -> bytes:
    return data[:20] + b"\xff" + data[21:]


def an_older_one(folder: Path) -> Path:
    """The second from the newest: nothing of it was settled."""
    return sorted((folder / "log").glob("0*.db"))[-3]


def wal(folder: Path) -> Path:
    return Path(f"{newest(folder)}-wal")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "first page of an older segment": lambda f: overwrite(an_older_one(f), 0, bytes(4096)),
    "a row page of an older segment": lambda f: overwrite(an_older_one(f), page_in(an_older_one(f)), b"\xff" * 4096),
    "newest segment": lambda f: newest(f).write_bytes(b""),
    "write-ahead log": lambda f: overwrite(wal(f), 5 * 4120 + 32 + 500, b"\xff" * 9),
    "state": lambda f: (f / "state.db").write_bytes(b"junk" * 3000),
    "everything a little": lambda f: [p.write_bytes(spoilt(p.read_bytes())) for p in sorted(f.rglob("*.db"))],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_it_starts_and_sends_all_that_is_intact(store: tuple[Path, Truth], tmp_path: Path, damage: str) -> None:
    crashed, truth = store
    site = site_on(tmp_path, crashed)
    DAMAGE[damage](tmp_path / "state")
    settled = Ranges(SETTLED)
    wanted = {p for p in truth.records if p not in settled}
    with running(site):

        def is_done() -> bool:
            status = site.status()
            log = tmp_path / "state/log"
            aside = [p for p in log.glob("*.corrupt-*") if not p.name.endswith(SIDES)]
            waiting = [p for p in aside if not Path(f"{p}.report").exists()]
            return bool(status["forwarders"]["mqtt"]["backlog"] == 0 and not waiting and sent(tmp_path))

        wait_for(is_done, "all sent")
        status = site.status()
        found = sent(tmp_path)
        assert site.stop() == 0
    (store_id,) = {r.store for r in truth.records.values()}
    assert {i.split("/")[1] for i in found} == {store_id}
    assert all(int(i.split("/")[2]) == n for i, n in found.items())
    missing = wanted - set(found.values())
    stated = [p for p in status["problems"] if " lost: rathaus/" in p]
    if damage == "a row page of an older segment":
        assert missing
        assert len(stated) == 1
        assert f" {len(missing)} lost: rathaus/{store_id}/" in stated[0]
        assert f"{min(missing)}-" in stated[0]
    else:
        assert (missing, stated) == (set(), [])
    offline = site.torhaus("status").stdout
    assert all(p.split(": ", 1)[1] in offline for p in stated)


@pytest.mark.parametrize("which", ["segment", "state"])
def test_a_store_from_a_newer_version_is_refused_and_not_touched(
    store: tuple[Path, Truth], tmp_path: Path, which: str
) -> None:
    site = site_on(tmp_path, store[0])
    folder = tmp_path / "state"
    path = newest(folder) if which == "segment" else folder / "state.db"
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA user_version = 99")
    conn.close()
    before = contents(folder)
    site.start(wait=False)
    assert site.process is not None
    assert site.process.wait(timeout=20) == 78
    assert f"{which} schema 99 is newer" in site.log()
    after = contents(folder)
    if which == "segment":  # the state is opened first, and its write-ahead log folded in
        before = {name: data for name, data in before.items() if name.startswith("log/")}
        after = {name: data for name, data in after.items() if name.startswith("log/")}
    assert {name: after.get(name) for name in before} == before


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.suffix in {".db", ".db-wal"} and p.stat().st_size
    }
