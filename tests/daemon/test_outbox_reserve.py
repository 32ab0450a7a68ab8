import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from torhaus.daemon.outbox.reserve import Reserve


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """How many blocks of one byte the disk says it has."""
    found = SimpleNamespace(f_bavail=1 << 40, f_frsize=1, f_favail=9, f_files=9)
    monkeypatch.setattr(os, "statvfs", lambda _: found)
    return found


def test_the_room_is_taken_and_given_back(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", 8192)
    assert not reserve.release()
    assert reserve.fill()
    assert reserve.fill()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 8192
    assert reserve.release()
    assert not (tmp_path / "reserve").exists()


def test_no_room_is_no_error(tmp_path: Path) -> None:
    assert not Reserve(tmp_path / "no" / "reserve").fill()
    assert not Reserve(tmp_path / "huge", 1 << 62).fill()
    assert not (tmp_path / "huge").exists()


def test_nothing_is_taken_in_from_the_release_until_there_is_ample_room(tmp_path: Path, free: SimpleNamespace) -> None:
    reserve = Reserve(tmp_path / "reserve", 8192)
    assert reserve.fill()
    assert reserve.has_room()
    free.f_bavail = 100
    assert reserve.is_scarce()
    free.f_bavail, free.f_favail = 8192, 0
    assert reserve.is_scarce()
    free.f_favail = 9
    assert reserve.release()
    free.f_bavail = 8192 + 100  # the room that it has given back
    assert not reserve.is_scarce()
    assert not reserve.has_room()
    with pytest.raises(OSError, match="no room"):
        reserve.need_room()
    free.f_bavail = 2 * 8192
    reserve.need_room()
    assert (tmp_path / "reserve").stat().st_size == 8192
    assert not reserve.is_short


def test_without_a_reserve_nothing_is_taken_in(tmp_path: Path, free: SimpleNamespace) -> None:
    reserve = Reserve(tmp_path / "reserve", 1 << 62)
    free.f_bavail = 100
    assert not reserve.fill()
    assert not reserve.has_room()


def test_a_reserve_that_fails_for_another_reason_stops_nothing(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "no" / "reserve")
    assert not reserve.fill()
    assert reserve.has_room()
