from pathlib import Path

from torhaus.daemon.outbox.reserve import Reserve


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
