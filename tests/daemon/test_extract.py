from pathlib import Path

import pytest

from tests.daemon.home import Home, archive
from tests.daemon.test_offline import fill
from torhaus.daemon.extract import Choice, Extract, UnknownForwarder
from torhaus.daemon.outbox.record import Damaged
from torhaus.daemon.outbox.segment import path_of


def test_how_far_it_is(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path))
    fill(home.store, 4)
    told: list[tuple[int, int]] = []
    lost: list[Damaged] = []
    extract = Extract(home.load(), Choice())
    found = list(extract.messages(lambda done, of: told.append((done, of)), lost.append))
    assert (len(found), told, lost, extract.damaged) == (4, [(0, 4), (1, 4), (2, 4), (3, 4)], [], 0)


def test_a_forwarder_of_which_nothing_is_known(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path))
    with pytest.raises(UnknownForwarder, match="'x'"):
        next(Extract(home.load(), Choice(forwarder="x")).messages(lambda *_: None, lambda _: None))


def test_what_it_has_already_is_not_missed(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path))
    fill(home.store, 5)  # `archive` has 0 and 2
    path = path_of(home.store / "log", 0)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\xa5frame", b"\xa5frxme"))
    for name, missing in (("archive", 3), (None, 5)):
        lost: list[Damaged] = []
        extract = Extract(home.load(), Choice(forwarder=name))
        assert list(extract.messages(lambda *_: None, lost.append)) == []
        assert (extract.damaged, sum(d.count for d in lost)) == (missing, missing)
