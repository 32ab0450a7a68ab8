"""A file becomes a checked copy: kept, not kept, or not the same any more."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import MagicCheck, fake_pdf
from torhaus.daemon.scans.config import Station
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.folder import Entry, identity_of
from torhaus.daemon.scans.prepare import Preparation, Prepared
from torhaus.daemon.scans.spool import Spool
from torhaus.daemon.scans.states import Reason


class Place:
    """A spool, a file, and what looks at it."""

    def __init__(self, root: Path, data: bytes) -> None:
        self.path = root / "scan.pdf"
        self.path.write_bytes(data)
        self.spool = Spool(root / "spool", Disk())
        self.spool.prepare()
        self.check = MagicCheck()
        station = Station(name="counter", path=str(root))
        self.preparation = Preparation(station, self.spool, self.check, Disk())

    def prepare(self, *, take_bad: bool = False, is_known: Callable[[str], bool] = lambda _: False) -> Prepared | None:
        entry = Entry(self.path, identity_of(self.path.stat()), False)
        return asyncio.run(self.preparation.prepare(entry, take_bad=take_bad, is_known=is_known))

    def drafts(self) -> list[Path]:
        return list((self.spool.path("ab").parents[2] / "tmp").iterdir())


def test_a_good_file_is_kept(tmp_path: Path) -> None:
    place = Place(tmp_path, fake_pdf())
    found = place.prepare()
    assert found is not None
    assert found.is_kept
    assert place.spool.intact(found.draft.sha256)
    assert place.drafts() == []


@pytest.mark.parametrize("take_bad", [False, True])
def test_a_bad_one_is_kept_when_it_is_given_up(tmp_path: Path, take_bad: bool) -> None:
    place = Place(tmp_path, fake_pdf()[:-3])
    found = place.prepare(take_bad=take_bad)
    assert found is not None
    assert found.verdict.reason is Reason.DAMAGED
    assert found.is_kept is take_bad
    assert place.spool.intact(found.draft.sha256) is take_bad
    assert place.drafts() == []


def test_what_is_known_is_not_kept(tmp_path: Path) -> None:
    place = Place(tmp_path, fake_pdf())
    found = place.prepare(is_known=lambda _: True)
    assert found is not None
    assert not found.is_kept
    assert not place.spool.intact(found.draft.sha256)
    assert place.drafts() == []


def test_one_that_is_gone_is_none(tmp_path: Path) -> None:
    place = Place(tmp_path, fake_pdf())
    entry = Entry(place.path, identity_of(place.path.stat()), False)
    place.path.unlink()
    assert asyncio.run(place.preparation.prepare(entry, take_bad=True, is_known=lambda _: False)) is None
    place.path.write_bytes(fake_pdf("another"))
    assert asyncio.run(place.preparation.prepare(entry, take_bad=True, is_known=lambda _: False)) is None
    assert place.drafts() == []
