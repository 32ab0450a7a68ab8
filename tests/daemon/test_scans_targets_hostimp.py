import asyncio
import errno
import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_fakes import FaultyDisk, context, refuse
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets.base import NotNow, Parcel, Progress, Proof, Refused, TargetDown
from torhaus.daemon.scans.targets.hostimp import Config, Hostimp

DATA = b"document" * 1000
SHA = hashlib.sha256(DATA).hexdigest()
FIELDS = {"dok_dat_feld[1]": "{id}", "dok_dat_feld[2]": 'Straße "{name}" {station}'}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def parcel(root: Path, progress: Progress | None = None) -> Parcel:
    (root / "blob").write_bytes(DATA)
    return Parcel(
        "rathaus/3f2a91c0/7", 7, "3f2a91c0", "counter", "Bu\nß\u2192.pdf", root / "blob", SHA, len(DATA),
        "application/pdf", "1:0", progress or Progress(),
    )  # fmt: skip


def target(out: Path, disk: FaultyDisk | None = None, **more: Any) -> Hostimp:
    return Hostimp(Config("d3", str(out), document_type="DPOST", fields=FIELDS, **more), context(disk or FaultyDisk()))


def names(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir())


def test_the_jpl_is_written_last_and_by_renaming(tmp_path: Path, out: Path) -> None:
    disk = FaultyDisk()
    asyncio.run(target(out, disk).send(parcel(tmp_path)))
    assert names(out) == ["3f2a91c0-7.JPL", "3f2a91c0-7.pdf"]
    assert (out / "3f2a91c0-7.pdf").read_bytes() == DATA
    jpl = (out / "3f2a91c0-7.JPL").read_bytes().decode("cp1252")
    assert jpl == (
        'dokuart="DPOST"\r\ndok_dat_feld[1]="rathaus/3f2a91c0/7"\r\ndok_dat_feld[2]="Straße \'Bu ß?.pdf\' counter"\r\n'
    )
    steps = [(name, what) for name, what in disk.trace if name in {"fsync", "rename_new", "fsync_dir"}]
    assert steps == [
        ("fsync", "3f2a91c0-7.pdf"), ("fsync", ".3f2a91c0-7.jpl.part"), ("fsync_dir", "out"),
        ("rename_new", "3f2a91c0-7.JPL"), ("fsync_dir", "out"),
    ]  # fmt: skip


def test_no_more_than_transferred_is_proved(tmp_path: Path, out: Path) -> None:
    made = target(out)
    assert made.proves is Proof.TRANSFERRED
    assert (asyncio.run(made.send(parcel(tmp_path)))).stored_sha256 is None
    assert asyncio.run(made.stored(parcel(tmp_path))) is None
    assert "its own log" in asyncio.run(made.probe())


def test_what_d3_took_away_is_not_sent_again_after_a_crash(tmp_path: Path, out: Path) -> None:
    sent = parcel(tmp_path)
    asyncio.run(target(out).send(sent))
    for path in out.iterdir():
        path.unlink()  # d.3 took both
    asyncio.run(target(out).send(parcel(tmp_path, Progress(sent.progress.text))))
    assert names(out) == []


def test_a_crash_before_the_rename_hands_over_once(tmp_path: Path, out: Path) -> None:
    disk = FaultyDisk()
    disk.fault = refuse(errno.EIO, "rename_new")
    sent = parcel(tmp_path)
    with pytest.raises(TargetDown, match="EIO"):
        asyncio.run(target(out, disk).send(sent))
    assert names(out) == [".3f2a91c0-7.jpl.part", "3f2a91c0-7.pdf"]
    asyncio.run(target(out).send(parcel(tmp_path, Progress(sent.progress.text))))
    assert names(out) == ["3f2a91c0-7.JPL", "3f2a91c0-7.pdf"]


def test_trouble(tmp_path: Path, out: Path) -> None:
    (out / "3f2a91c0-7.JPL").touch()
    with pytest.raises(Refused) as caught:
        asyncio.run(target(out).send(parcel(tmp_path)))
    assert caught.value.reason is Reason.CONFLICT
    (out / "3f2a91c0-7.JPL").unlink()
    disk = FaultyDisk()
    disk.fault = refuse(errno.ENOSPC, "write")
    with pytest.raises(TargetDown, match="disk_full"):
        asyncio.run(target(out, disk).send(parcel(tmp_path)))
    changed = parcel(tmp_path)
    Path(str(changed.path)).write_bytes(DATA[:-1])
    with pytest.raises(NotNow) as later:
        asyncio.run(target(out).send(changed))
    assert later.value.reason is Reason.MISMATCH
    for call in (target(out, mounted=True).probe(), target(out / "none").send(parcel(tmp_path))):
        with pytest.raises(TargetDown, match="not mounted"):
            asyncio.run(call)


def test_a_text_with_an_unknown_place_is_refused() -> None:
    with pytest.raises(ValueError, match=r'fields "\{nam\}" has \{nam\}, must be one of \{id\}, \{name\}'):
        Config("d3", "/srv", document_type="DPOST", fields={"dok_dat_feld[1]": "{nam}"})
