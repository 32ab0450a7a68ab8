from pathlib import Path

from tests.daemon.outbox_fakes import SITE
from torhaus.daemon.outbox.folder import SKIP_AFTER_DAMAGE, find_holes, tidy
from torhaus.daemon.outbox.segment import UNFINISHED, Segment, path_of


def test_a_folder_is_made_and_cleared_of_unfinished_work(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "log"
    assert tidy(folder) == ()
    for first in (7, 3):
        Segment.create(folder, SITE, "3f2a91c0", first, 0, 0).close()
    (folder / UNFINISHED).write_bytes(b"x")
    Path(f"{folder / UNFINISHED}-wal").write_bytes(b"x")
    Path(f"{path_of(folder, 1)}-shm").write_bytes(b"x")
    aside = folder / f"{path_of(folder, 2).name}.corrupt-7-wal"
    aside.write_bytes(b"x")
    assert tidy(folder) == (3, 7)
    assert {p.name for p in folder.iterdir()} == {path_of(folder, 3).name, path_of(folder, 7).name, aside.name}


def test_holes_are_what_was_skipped_after_damage(tmp_path: Path) -> None:
    far = 5 + SKIP_AFTER_DAMAGE
    for first in (0, 5, far, 2 * far):
        Segment.create(tmp_path, SITE, "3f2a91c0", first, 0, 0).close()
    path_of(tmp_path, far).write_bytes(b"x" * 5000)
    assert list(find_holes(tmp_path, (0, 5, far, 2 * far))[0]) == [(5, far), (far + 1, 2 * far)]
    assert list(find_holes(tmp_path, (0, 5))[0]) == []
