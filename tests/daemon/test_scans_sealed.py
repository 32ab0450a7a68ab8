import hashlib
import io
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import key_file
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.sealed import (
    HEADER_BYTES,
    SEGMENT_BYTES,
    TAG_BYTES,
    FileKey,
    Sealed,
    Sealer,
    SiteKeys,
    Unreadable,
    opened,
    ref_of,
    spool_key_fault,
)
from torhaus.drivers.secret import SecretError

FULL = SEGMENT_BYTES + TAG_BYTES
SIZES = (0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES, 3 * SEGMENT_BYTES + 7)


def sealed(path: Path, data: bytes, key: FileKey, steps: int = 1 << 30) -> Path:
    path.unlink(missing_ok=True)
    out = Sealer(Disk(), path, key)
    for at in range(0, len(data), steps):
        out.append([data[at : at + steps]])
    out.sync()
    assert (out.sha256, out.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    out.close()
    return path


def plain(path: Path, key: FileKey) -> bytes:
    with Sealed(Disk(), path, key.key).open() as file:
        return file.read()


@pytest.fixture
def key(tmp_path: Path) -> FileKey:
    return SiteKeys([key_file(tmp_path)]).new()


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out(tmp_path: Path, key: FileKey, size: int) -> None:
    data = random.Random(size).randbytes(size)
    whole = sealed(tmp_path / "a", data, key).read_bytes()
    assert plain(tmp_path / "a", key) == data
    assert sealed(tmp_path / "b", data, key, 1000 if size < 99_999 else 70_001).read_bytes() == whole  # however it came
    assert data[:40] not in whole or size < 2
    assert len(whole) == HEADER_BYTES + size + TAG_BYTES * max(1, -(-size // SEGMENT_BYTES))
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_anywhere_in_any_order(tmp_path: Path, key: FileKey) -> None:
    rng = random.Random(4)
    data = rng.randbytes(5 * SEGMENT_BYTES + 99)
    twin, path = io.BytesIO(data), sealed(tmp_path / "a", data, key)
    with opened(os.open(path, os.O_RDONLY), key.key) as file:
        for _ in range(300):
            whence = rng.choice((os.SEEK_SET, os.SEEK_END))
            offset = rng.randrange(len(data) + 9) if whence == os.SEEK_SET else -rng.randrange(len(data))
            assert file.seek(offset, whence) == twin.seek(offset, whence)
            size = rng.randrange(200_000)
            assert file.read(size) == twin.read(size)
            assert file.tell() == twin.tell()
        with pytest.raises(ValueError, match="before"):
            file.raw.seek(-1, os.SEEK_SET)


def test_whatever_is_changed_does_not_open(tmp_path: Path, key: FileKey) -> None:
    data = random.Random(1).randbytes(3 * SEGMENT_BYTES + 5)
    good = sealed(tmp_path / "a", data, key).read_bytes()
    segments = [good[HEADER_BYTES + n * FULL :][:FULL] for n in range(4)]
    head = good[:HEADER_BYTES]
    short = head + segments[0] + segments[1] + segments[2]
    cases: list[bytes] = [
        b"",
        good[: HEADER_BYTES - 1],
        good[:HEADER_BYTES],
        good[:-1],
        good + b"\0",
        short,  # cut at a segment's end
        head + segments[1] + segments[0] + segments[2] + segments[3],
        head + segments[0] + segments[0] + segments[2] + segments[3],
        head + segments[0] + segments[2] + segments[3],
        good + segments[3],
        b"x" + good[1:],
        good[:9] + bytes([good[9] ^ 1]) + good[10:],  # another reference
    ]
    rng = random.Random(2)
    for _ in range(60):
        at = rng.randrange(len(good))
        cases.append(good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1 :])
        cases.append(good[: rng.randrange(len(good))])
    for case in cases:
        (tmp_path / "a").write_bytes(case)
        with pytest.raises(Unreadable):
            plain(tmp_path / "a", key)


def test_keys(tmp_path: Path) -> None:
    old, new = key_file(tmp_path, "old"), key_file(tmp_path, "new")
    first = SiteKeys([old]).new()
    both = SiteKeys([new, old])
    assert both.new().site_key != first.site_key
    assert both.unwrap(first.site_key, first.wrapped) == first.key
    assert len({both.new().key for _ in range(9)} | {both.new().ref for _ in range(9)}) == 18
    with pytest.raises(Unreadable, match=first.site_key):
        SiteKeys([new]).unwrap(first.site_key, first.wrapped)
    for wrapped in (b"", first.wrapped[:-1], bytes([first.wrapped[0] ^ 1]) + first.wrapped[1:]):
        with pytest.raises(Unreadable):
            both.unwrap(first.site_key, wrapped)
    (tmp_path / "bad").write_text("0123")
    (tmp_path / "bad").chmod(0o600)
    with pytest.raises(SecretError, match="64 hex digits"):
        SiteKeys([str(tmp_path / "bad")])
    assert spool_key_fault(old, check_only=False) is None
    assert "64 hex digits" in str(spool_key_fault(str(tmp_path / "bad"), check_only=True))
    assert spool_key_fault(str(tmp_path / "none"), check_only=True) is not None
    assert spool_key_fault("credential:spool-key", check_only=True) is None


def test_which_file_is_sealed(tmp_path: Path, key: FileKey) -> None:
    sealed(tmp_path / "a", b"x", key)
    (tmp_path / "b").write_bytes(b"%PDF-1.7")

    def ref(name: str, look: Callable[[int], bytes | None] = ref_of) -> bytes | None:
        fd = os.open(tmp_path / name, os.O_RDONLY)
        try:
            return look(fd)
        finally:
            os.close(fd)

    assert ref("a") == key.ref
    assert ref("b") is None
