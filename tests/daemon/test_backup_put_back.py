import os
import shutil
import sqlite3
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.daemon.backup_fakes import back_up, contents, fill, home_of, member
from tests.daemon.clocks import FakeClock
from tests.daemon.home import Home
from torhaus.daemon.backup import put_back
from torhaus.daemon.backup.archive import ArchiveError, Manifest
from torhaus.daemon.backup.put_back import NotRestored, Restore, Restored, check
from torhaus.daemon.outbox.folder import MARK
from torhaus.daemon.outbox.migrate import RefusedError
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.view import View


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    home = home_of(tmp_path / "a")
    fill(home.store)
    back_up(home, tmp_path / "b.tar")
    return tmp_path / "b.tar"


def restore(home: Home, path: Path) -> Restored:
    return Restore(home.load(), path, FakeClock()).run(lambda *_: None)


def test_everything_is_back_and_no_id_is_given_out_twice(tmp_path: Path, backup: Path) -> None:
    before = contents(tmp_path / "a" / "state")[2]
    home = home_of(tmp_path / "c")
    done = restore(home, backup)
    assert (done.records, done.set_aside) == ({"main": 6, "strangers": 0}, [])
    assert {p.stat().st_mode & 0o777 for p in (home.store / "log").glob("*[024].db")} == {0o600}
    with View(home.store / "log") as view:
        waiting = view.segments[-1]
    found, settled, store, drops = contents(home.store)  # on the same machine as before
    assert (found, settled, drops, waiting) == ([0, 1, 2, 3, 4, 5], Ranges([(0, 2)]), 0, 6)
    assert store != before
    again = home_of(tmp_path / "d")
    restore(again, backup)
    assert contents(again.store)[2] not in {before, store}
    assert contents(home.store)[:1] == ([0, 1, 2, 3, 4, 5, 1000],)
    assert sorted(p.name for p in home.store.iterdir()) == [
        "log",
        "outbox.lock",
        "reserve",
        "settled.json",
        "state.db",
        "strangers",
    ]


def test_a_look_touches_nothing(tmp_path: Path, backup: Path) -> None:
    told: list[tuple[int, int]] = []
    found = check(backup, lambda n, of: told.append((n, of)))
    assert isinstance(found, Manifest)
    assert (found.site, told[-1][0] < told[-1][1]) == ("rathaus", True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b.tar"]


@pytest.mark.parametrize("name", ["state.db", "state.db.corrupt-1", "log/x", "strangers/x", "restoring/x"])
def test_only_into_an_empty_store(tmp_path: Path, backup: Path, name: str) -> None:
    home = home_of(tmp_path / "c")
    (home.store / name).parent.mkdir(parents=True, exist_ok=True)
    (home.store / name).write_text("precious")
    (home.store / "scans").mkdir()
    with pytest.raises(NotRestored, match="not empty") as e:
        restore(home, backup)
    assert (e.value.code, (home.store / name).read_text()) == (73, "precious")


def test_empty_folders_and_scans_are_in_nobodys_way(tmp_path: Path, backup: Path) -> None:
    home = home_of(tmp_path / "c")
    for sub in ("log", "strangers", "scans"):
        (home.store / sub).mkdir(parents=True)
    (home.store / "scans" / "scans.db").write_text("precious")
    restore(home, backup)
    assert contents(home.store)[0] == [0, 1, 2, 3, 4, 5]
    assert (home.store / "scans" / "scans.db").read_text() == "precious"


def test_not_while_a_daemon_runs(tmp_path: Path, backup: Path) -> None:
    import fcntl

    home = home_of(tmp_path / "c")
    home.store.mkdir()
    with (home.store / "outbox.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(NotRestored, match="stop it first"):
            restore(home, backup)
    restore(home, backup)


def test_another_site(tmp_path: Path, backup: Path) -> None:
    home = home_of(tmp_path / "c")
    home.config.write_text(home.config.read_text().replace("rathaus", "school"))
    with pytest.raises(NotRestored, match=r"'rathaus'; site\.id here is 'school'") as e:
        restore(home, backup)
    assert (e.value.code, home.store.exists()) == (78, False)


def test_no_room(tmp_path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil has it
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 1000))
    home = home_of(tmp_path / "c")
    with pytest.raises(NotRestored, match="1000 are free"):
        restore(home, backup)


def test_a_damaged_backup_changes_nothing(tmp_path: Path, backup: Path) -> None:
    data = bytearray(backup.read_bytes())
    data[5000] ^= 1
    backup.write_bytes(data)
    home = home_of(tmp_path / "c")
    with pytest.raises(ArchiveError, match="SHA-256"):
        restore(home, backup)
    assert not home.store.exists()


def changed(backup: Path, how: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody changes the archive between the look and the unpacking."""
    look = put_back.check

    def slow(path: Path, told: put_back.Told) -> Manifest:
        found = look(path, told)
        path.write_bytes(how(path.read_bytes()))
        return found

    monkeypatch.setattr(put_back, "check", slow)


@pytest.mark.parametrize(
    "how",
    [
        lambda d: d[:5000] + bytes((d[5000] ^ 1,)) + d[5001:],
        lambda d: d[:9000],
        lambda d: bytes(10_240),
        lambda d: d[512 + int(d[124:135], 8) :],  # without its first file
    ],
)
def test_changed_meanwhile(
    tmp_path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch, how: Callable[[bytes], bytes]
) -> None:
    changed(backup, how, monkeypatch)
    home = home_of(tmp_path / "c")
    with pytest.raises(ArchiveError):
        restore(home, backup)
    assert [p.name for p in home.store.iterdir()] == ["outbox.lock"]


def test_of_a_newer_torhaus(tmp_path: Path) -> None:
    home = home_of(tmp_path / "a")
    fill(home.store)
    conn = sqlite3.connect(home.store / "log" / "00000000000000000004.db")
    conn.execute("PRAGMA user_version = 99")
    conn.close()
    back_up(home, tmp_path / "b.tar")
    target = home_of(tmp_path / "c")
    with pytest.raises(RefusedError, match="newer"):
        restore(target, tmp_path / "b.tar")
    assert [p.name for p in target.store.iterdir()] == ["outbox.lock"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_restores_for_the_service(tmp_path: Path, backup: Path) -> None:
    home = home_of(tmp_path / "c")
    home.store.mkdir()
    os.chown(home.store, 12345, 23456)
    restore(home, backup)
    assert {(p.stat().st_uid, p.stat().st_gid) for p in home.store.rglob("*")} == {(12345, 23456)}


def test_a_power_cut_at_any_rename(tmp_path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is never one that looks complete and has lost its log."""
    rename = Path.rename
    for survived in range(3):
        home = home_of(tmp_path / f"cut{survived}")
        left = [survived]

        def cut(self: Path, target: Path, left: list[int] = left) -> Path:
            if self.parent.name == put_back.UNPACKED:
                left[0] -= 1
                if left[0] < 0:
                    raise KeyboardInterrupt
            return rename(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", cut)
            patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # nobody tidies up
            with pytest.raises(KeyboardInterrupt):
                restore(home, backup)
        assert not (home.store / "state.db").exists()
        with pytest.raises(NotRestored, match="not empty"):
            restore(home, backup)


def test_the_archive_has_the_configuration_for_a_person(backup: Path) -> None:
    assert b'id = "rathaus"' in member(backup, "config/torhaus.toml")


def test_a_thinned_log_is_still_known_to_be_one(tmp_path: Path) -> None:
    home = home_of(tmp_path / "a")
    fill(home.store)
    (home.store / "log" / MARK).touch()
    target = tmp_path / "b.tar"
    back_up(home, target)
    other = home_of(tmp_path / "b")
    restore(other, target)
    assert (other.store / "log" / MARK).exists()
