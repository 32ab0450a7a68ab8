"""A growing file: its hash is that of what is there, also after cutting back and after opening it again."""

import hashlib
from pathlib import Path

import pytest

from tests.daemon.upload_fakes import sha
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.uploads.part import Mark, Part, Shorter


def test_it_grows_is_cut_back_and_opened_again(tmp_path: Path) -> None:
    disk, path = Disk(), tmp_path / "part"
    part = Part.create(disk, path)
    part.append([b"ab", b"cd"])
    mark = part.mark()
    part.append([b"bad"])
    assert part.sha256 == sha(b"abcdbad")
    part.back_to(mark)
    part.append([b"ef"])
    part.sync()
    assert (part.sha256, part.size_bytes, part.read(4), part.read(6)) == (sha(b"abcdef"), 6, b"ef", b"")
    part.close()
    part.close()
    for known in (None, mark, Mark(9, hashlib.sha256(b"of another size"))):
        again = Part.reopen(disk, path, 4, known)
        assert (again.sha256, path.read_bytes()) == (sha(b"abcd"), b"abcd")
        again.append([b"ef"])
        again.close()
    with pytest.raises(FileExistsError):
        Part.create(disk, path)
    with pytest.raises(FileNotFoundError):
        Part.reopen(disk, tmp_path / "none", 0)
    for known in (None, Mark(7, hashlib.sha256())):
        with pytest.raises(Shorter):
            Part.reopen(disk, path, 7, known)
