import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.backup_fakes import back_up, contents, fill, home_of, member, names, put
from tests.daemon.clocks import FakeClock
from tests.daemon.outbox_fakes import Box, reading
from tests.daemon.test_offline import contents as files
from torhaus.daemon.backup import take
from torhaus.daemon.backup.archive import verify
from torhaus.daemon.backup.put_back import Restore
from torhaus.daemon.backup.take import Backup
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.migrate import RefusedError
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.store import MAIN


def restored(path: Path, folder: Path) -> tuple[list[int], Ranges | None, str, int]:
    home = home_of(folder)
    Restore(home.load(), path, FakeClock()).run(lambda *_: None)
    return contents(home.store)


def test_what_is_in_it(tmp_path: Path) -> None:
    home = home_of(tmp_path / "a")
    conf = home.folder / "conf.d"
    conf.mkdir()
    (conf / "10-more.toml").write_text("[lorawan]\n")
    (conf / "odd name.toml").write_text("")
    fill(home.store)
    (home.store / "scans").mkdir()
    (home.store / "scans" / "scans.db").write_bytes(b"scan")
    (home.store / "log" / "notes.txt").write_text("somebody's")
    (home.store / "log" / "00000000000000000002.db.corrupt-17").write_bytes(b"old")
    before = files(home.store)
    target = tmp_path / "b.tar"
    told: list[tuple[int, int]] = []
    done = Backup(home.load(), home.config, target, FakeClock(), lambda n, of: told.append((n, of))).take()
    assert names(target) == [
        *(f"store/log/{n:020d}.db" for n in (0, 2, 4)),
        "store/strangers/00000000000000000000.db",
        "store/state.db",
        "store/log/00000000000000000002.db.corrupt-17",
        "config/torhaus.toml",
        "config/conf.d/10-more.toml",
        "config/devices.toml",
        "manifest.json",
    ]
    assert (done.files, done.bytes, done.notes) == (9, target.stat().st_size, [])
    assert done.left_out[2:] == [str(home.store / "log" / "notes.txt"), str(conf / "odd name.toml")]
    assert target.stat().st_mode & 0o777 == 0o600
    assert b"SECRET" not in target.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b.tar"]
    assert files(home.store) == before
    said = json.loads(member(target, "manifest.json"))
    assert (said["site"], said["created"], said["left_out"]) == ("rathaus", "2026-11-18T11:06:40.000Z", done.left_out)
    assert told[-1][0] <= told[-1][1]
    with target.open("rb") as file:
        assert len(verify(file).members) == 9


def test_there_is_no_store_yet(tmp_path: Path) -> None:
    home = home_of(tmp_path / "a")
    back_up(home, tmp_path / "b.tar")
    assert names(tmp_path / "b.tar") == ["config/torhaus.toml", "config/devices.toml", "manifest.json"]
    assert restored(tmp_path / "b.tar", tmp_path / "c")[0] == []


def test_nothing_is_overwritten_and_nothing_is_left_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_of(tmp_path / "a")
    fill(home.store)
    target = tmp_path / "b.tar"
    target.write_text("precious")
    with pytest.raises(FileExistsError):
        back_up(home, target)
    assert target.read_text() == "precious"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(take, "_settle_below", full)
    with pytest.raises(OSError, match="No space"):
        back_up(home, tmp_path / "c.tar")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b.tar"]


def beside(store: Path, body: object) -> None:
    async def go() -> None:
        box = Box(store)
        await box.open()
        box.adopt(MAIN, "archive", Ranges(), is_new=True)
        await put(box, 3)
        await box.save()
        await body(box)  # type: ignore[operator]
        await box.close()

    asyncio.run(go())


def test_while_the_daemon_writes(tmp_path: Path) -> None:
    """What is only in write-ahead logs is there, also of closed segments that somebody reads."""
    home = home_of(tmp_path / "a")
    target = tmp_path / "b.tar"

    async def body(box: Box) -> None:
        await box.everything()  # the readers keep the files of closed segments open
        await box.store(reading(6), reading(7))
        assert migrate.size(path_of(home.store / "log", 4)) > path_of(home.store / "log", 4).stat().st_size
        await asyncio.to_thread(back_up, home, target)
        await box.store(reading(8))

    beside(home.store, body)
    found, settled, _, drops = restored(target, tmp_path / "c")
    assert (found, settled, drops) == ([0, 1, 2, 3, 4, 5, 6, 7], Ranges(), 0)


def test_what_is_settled_while_it_is_copied_is_sent_again_and_never_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the copy of the state and that of the log: new records, all of them settled, the first unlinked."""
    home = home_of(tmp_path / "a")
    target = tmp_path / "b.tar"
    copy_state = Backup._copy_state

    async def body(box: Box) -> None:
        loop = asyncio.get_running_loop()

        async def meanwhile() -> None:
            box.scanned_to = 1 << 60
            await put(box, 1)
            box.settled_by[MAIN]["archive"].add(0, 8)
            box.flush.settled["archive", MAIN] = [(0, 8)]
            await box.save()
            assert box.logs[MAIN].head > 0

        def slow(self: Backup, *args: object) -> Path | None:
            found = copy_state(self, *args)  # type: ignore[arg-type]
            asyncio.run_coroutine_threadsafe(meanwhile(), loop).result()
            return found

        monkeypatch.setattr(Backup, "_copy_state", slow)
        await asyncio.to_thread(back_up, home, target)

    beside(home.store, body)
    found, settled, _, drops = restored(target, tmp_path / "c")
    assert (found, drops) == ([6, 7], 0)
    assert settled == Ranges([(0, 6)])  # what had left the log is no loss; 6 and 7 are sent again


def test_a_segment_that_is_written_while_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = home_of(tmp_path / "a")
    fill(home.store)
    add_file = Backup._add_file
    changed: list[str] = []

    def slow(self: Backup, archive: object, name: str, path: Path) -> bool:
        done = add_file(self, archive, name, path)  # type: ignore[arg-type]
        if not changed and name.endswith("2.db"):
            changed.append(name)
            conn = sqlite3.connect(path)
            conn.execute("INSERT INTO verdict VALUES (2, 0, x'00')")
            conn.commit()
            conn.close()
        return done

    monkeypatch.setattr(Backup, "_add_file", slow)
    back_up(home, tmp_path / "b.tar")
    assert names(tmp_path / "b.tar").count("store/log/00000000000000000002.db") == 1
    with (tmp_path / "b.tar").open("rb") as file:
        verify(file)
    (tmp_path / "x.db").write_bytes(member(tmp_path / "b.tar", "store/log/00000000000000000002.db"))
    conn = sqlite3.connect(tmp_path / "x.db")
    assert conn.execute("SELECT count(*) FROM verdict").fetchone() == (1,)
    conn.close()


@pytest.mark.parametrize("content", [b"", b"no database" * 400])
def test_damaged_files_are_copied_as_they_are(tmp_path: Path, content: bytes) -> None:
    home = home_of(tmp_path / "a")
    fill(home.store, settled=0)
    path_of(home.store / "log", 2).write_bytes(content)
    (home.store / "state.db").write_bytes(b"no database" * 400)
    done = back_up(home, tmp_path / "b.tar")
    assert member(tmp_path / "b.tar", "store/log/00000000000000000002.db") == content
    assert member(tmp_path / "b.tar", "store/state.db") == b"no database" * 400
    assert f"{home.store / 'state.db'} is damaged" in done.notes[0]
    home = home_of(tmp_path / "c")
    done2 = Restore(home.load(), tmp_path / "b.tar", FakeClock()).run(lambda *_: None)
    assert [name.partition(".corrupt")[0] for name in done2.set_aside] == ["state.db"]
    assert (home.store / done2.set_aside[0]).read_bytes() == b"no database" * 400
    assert path_of(home.store / "log", 2).read_bytes() == content


def test_a_store_of_a_newer_torhaus_is_refused(tmp_path: Path) -> None:
    home = home_of(tmp_path / "a")
    fill(home.store)
    conn = sqlite3.connect(home.store / "state.db")
    conn.execute("PRAGMA user_version = 99")
    conn.close()
    with pytest.raises(RefusedError):
        back_up(home, tmp_path / "b.tar")
    assert not (tmp_path / "b.tar").exists()
