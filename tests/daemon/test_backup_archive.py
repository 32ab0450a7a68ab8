import hashlib
import io
import tarfile

import msgspec
import pytest

from torhaus.daemon.backup import archive
from torhaus.daemon.backup.archive import ArchiveError, ArchiveWriter, Manifest, Member, entries, is_name, verify

SEGMENT = "store/log/00000000000000000000.db"


def manifest(members: list[Member], **other: object) -> Manifest:
    whole = Manifest(format=1, torhaus="0", site="test", machine="m", created="2026", members=members)
    return msgspec.structs.replace(whole, **other)


def whole(**contents: bytes) -> bytes:
    out = io.BytesIO()
    writer = ArchiveWriter(out)
    for name, data in (contents or {"store/state.db": b"s" * 700, SEGMENT: b"x" * 1024, "config/a.toml": b""}).items():
        assert writer.add(name, io.BytesIO(data), len(data))
    writer.finish(manifest(writer.members))
    return out.getvalue()


def test_any_tar_can_read_it() -> None:
    data = whole()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getnames() == ["store/state.db", SEGMENT, "config/a.toml", "manifest.json"]
        member = tar.extractfile("store/state.db")
        assert member is not None
        assert member.read() == b"s" * 700
        assert {m.mode for m in tar} == {0o600}


def test_it_is_whole() -> None:
    told: list[int] = []
    found = verify(io.BytesIO(whole()), told.append)
    assert found.members[0] == Member("store/state.db", 700, hashlib.sha256(b"s" * 700).hexdigest())
    assert sum(told) == 1724


def test_a_source_that_shrank_leaves_no_trace() -> None:
    out = io.BytesIO()
    writer = ArchiveWriter(out)
    assert not writer.add("store/state.db", io.BytesIO(b"short"), 1000)
    assert (out.getvalue(), writer.members) == (b"", [])
    start = writer.mark()
    assert writer.add("store/state.db", io.BytesIO(b"x"), 1)
    writer.cut(start)
    assert (out.getvalue(), writer.members) == (b"", [])
    with pytest.raises(ValueError, match="no name"):
        writer.add("../x", io.BytesIO(b""), 0)


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("store/state.db", True),
        (SEGMENT, True),
        ("store/strangers/00000000000000000017.db-wal", True),
        ("store/state.db.corrupt-1795000000", True),
        ("store/log/00000000000000000017.db.corrupt-1795000000.2-wal", True),
        ("store/log/00000000000000000017.db.corrupt-1795000000.2.report", True),
        ("store/log/thinned", True),
        ("config/torhaus.toml", True),
        ("config/conf.d/10-broker.toml", True),
        ("store/state.db/x", False),
        ("store/outbox.lock", False),
        ("store/settled.json", False),
        ("store/thinned", False),
        ("store/log/../state.db", False),
        ("store/log/0.db", False),
        ("/etc/passwd", False),
        ("config/../x", False),
        ("config/.hidden", False),
        ("config/a/b", False),
        ("store/state.db\n", False),
        (f"store/log/{chr(0x660) * 20}.db", False),
    ],
)
def test_names(name: str, good: bool) -> None:
    assert is_name(name) is good


def test_cut_off_anywhere() -> None:
    data = whole()
    for end in [*range(0, len(data) - 1024, 97), len(data) - 1024]:
        with pytest.raises(ArchiveError):
            verify(io.BytesIO(data[:end]))


def test_a_flipped_bit_anywhere() -> None:
    data = whole()
    same = 0
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x10
        try:
            found = verify(io.BytesIO(changed))
        except ArchiveError:
            continue
        same += 1  # in the manifest, where it only says who made it and when
        assert [m.name for m in found.members] == ["store/state.db", SEGMENT, "config/a.toml"]
    assert same < 40


def tar_of(*members: tuple[str, bytes, bytes], format: int = tarfile.USTAR_FORMAT, more: bytes = b"") -> bytes:  # noqa: A002
    """(name, content, type) of each, whatever a backup may have."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for name, content, kind in members:
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(content)
            info.linkname = "/etc/shadow" if kind in {tarfile.SYMTYPE, tarfile.LNKTYPE} else ""
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue() + more


def text(members: list[Member], **other: object) -> tuple[str, bytes, bytes]:
    return "manifest.json", msgspec.json.encode(manifest(members, **other)), tarfile.REGTYPE


REG = tarfile.REGTYPE
STATE = ("store/state.db", b"x", REG)
IT = Member("store/state.db", 1, hashlib.sha256(b"x").hexdigest())


def test_one_that_another_tar_has_packed_again() -> None:
    assert verify(io.BytesIO(tar_of(STATE, text([IT])))).members == [IT]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no end"),
        (b"x" * 5000, "no header"),
        (bytes(10_240), "no manifest"),
        (bytes(512 * 30), "follows its end"),
        (tar_of(STATE), "no manifest"),
        (tar_of(("../../etc/cron.d/x", b"x", REG)), "nothing that a backup has"),
        (tar_of(("/etc/passwd", b"x", REG)), "nothing that a backup has"),
        (tar_of(("store/state.db", b"", tarfile.SYMTYPE)), "no plain file"),
        (tar_of(("store/state.db", b"", tarfile.LNKTYPE)), "no plain file"),
        (tar_of(("store/state.db", b"", tarfile.DIRTYPE)), "no plain file"),
        (tar_of(("store/state.db", b"", tarfile.CHRTYPE)), "no plain file"),
        (tar_of(("store/" + "a" * 200, b"x", REG), format=tarfile.PAX_FORMAT), "no plain file"),
        (tar_of(("store/" + "a" * 200, b"x", REG), format=tarfile.GNU_FORMAT), "no plain file"),
        (tar_of(STATE, text([IT]), STATE), "follows the manifest"),
        (tar_of(STATE, STATE, text([IT])), "twice"),
        (tar_of(STATE, text([IT, IT])), "names a file twice"),
        (tar_of(STATE, text([])), "not in the manifest"),
        (tar_of(text([IT])), "is missing"),
        (tar_of(("store/state.db", b"y", REG), text([IT])), "SHA-256 differs"),
        (tar_of(STATE, text([IT], format=2)), "newer torhaus"),
        (tar_of(STATE, ("manifest.json", b"[" * 100_000, REG)), "manifest is damaged"),
        (tar_of(STATE, ("manifest.json", b'{"format":1}', REG)), "manifest is damaged"),
        (tar_of(STATE, ("manifest.json", b"[]", REG)), "manifest is damaged"),
        (tar_of(STATE, text([IT]), more=b"x"), "follows its end"),
    ],
)
def test_hostile_archives(data: bytes, why: str) -> None:
    with pytest.raises(ArchiveError, match=why) as e:
        verify(io.BytesIO(data))
    assert len(str(e.value)) < 300


def test_nothing_is_believed_about_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A header may claim 8 GiB: what is read at a time is a piece, and the manifest has a limit."""
    header = tarfile.TarInfo("manifest.json")
    header.size = archive.MAX_MANIFEST_BYTES + 1
    with pytest.raises(ArchiveError, match="too long"):
        verify(io.BytesIO(header.tobuf(tarfile.USTAR_FORMAT) + b"x" * 1024))
    header = tarfile.TarInfo("store/state.db")
    header.size = (8 << 30) - 1
    reads: list[int] = []

    class Counted(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            reads.append(size or 0)
            return super().read(size)

    with pytest.raises(ArchiveError, match="cut off"):
        verify(Counted(header.tobuf(tarfile.USTAR_FORMAT) + b"x" * 1024))
    assert max(reads) <= archive.CHUNK
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    with pytest.raises(ArchiveError, match="more than 3 files"):
        list(entries_read(tar_of(*[STATE] * 5)))


def entries_read(data: bytes) -> list[str]:
    return [entry.name for entry in entries(io.BytesIO(data)) if list(entry.chunks())]


def test_base_256_sizes_are_not_ours() -> None:
    block = bytearray(tarfile.TarInfo("store/state.db").tobuf(tarfile.USTAR_FORMAT))
    block[124:136] = b"\x80" + b"\xff" * 11
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    with pytest.raises(ArchiveError, match="nothing that a backup has"):
        verify(io.BytesIO(bytes(block) + bytes(1024)))
