from pathlib import Path

from tests.daemon.outbox_fakes import AT, open_log, put
from torhaus.daemon.outbox.room import Room, aside_bytes


def on_disk(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.iterdir())


def test_everything_in_the_folder_counts(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for n in range(3):
        put(log, n, weight=50_000)
        log.segment_bytes = 1
        log.roll(AT.wall_ns)
    (tmp_path / "00000000000000000007.db.corrupt-1795000000").write_bytes(b"x" * 12_345)
    (tmp_path / "00000000000000000007.db.corrupt-1795000000-wal").write_bytes(b"x" * 54_321)
    log.measure()
    assert log.room.aside == aside_bytes(tmp_path) == 66_666
    assert log.bytes_on_disk == on_disk(tmp_path)
    before = log.bytes_on_disk
    put(log, 3, weight=50_000)
    assert log.bytes_on_disk >= before + 50_000  # counted along: nobody waits for the next look
    log.measure()
    assert on_disk(tmp_path) <= log.bytes_on_disk <= on_disk(tmp_path) + 60_000
    log.unlink_below(2)
    log.measure()
    assert log.room.sizes.keys() == {2}
    log.close()


def test_what_nobody_can_drop_takes_half_of_the_limit_at_most(tmp_path: Path) -> None:
    open_log(tmp_path).close()
    room = Room(tmp_path, (0,))
    room.closed, room.newest, room.side = 300, 100, 50
    assert room.over(450) == 0
    room.other = 100
    assert (room.total, room.over(450)) == (550, 100)
    room.aside = 10_000
    assert (room.total, room.over(450)) == (10_550, 225)
