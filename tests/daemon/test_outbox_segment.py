import sqlite3
from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import AT, SITE, reading
from tests.daemon.segment_fakes import OLD, STORE, create
from torhaus.codecs.model import Value
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.record import Record, Stored, Verdict, pack, seed
from torhaus.daemon.outbox.segment import UNFINISHED, Segment, path_of


def test_its_name_appears_only_when_it_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(migrate, "sync_folder", synced.append)
    (tmp_path / UNFINISHED).write_bytes(b"what a power cut left")
    create(tmp_path, 7).close()
    assert synced == [tmp_path]
    assert [p.name for p in tmp_path.iterdir()] == [path_of(tmp_path, 7).name]

    def fails(folder: Path) -> None:
        raise OSError(5, "I/O error")

    monkeypatch.setattr(migrate, "sync_folder", fails)
    with pytest.raises(OSError, match="I/O error"):
        create(tmp_path, 8)
    assert not path_of(tmp_path, 8).exists()
    with pytest.raises(migrate.SchemaError, match="there already"):
        create(tmp_path, 7)


def test_a_file_of_the_first_schema_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / f"{0:020d}.db"
    path.write_bytes((OLD / "segment_v1.db").read_bytes())
    segment = Segment.open(path)
    assert (segment.site, segment.store, segment.machine, segment.end()) == (SITE, STORE, "m1", (5, 1005))
    found = segment.read(0, 5, 10)
    assert [r.record.device for r in found if isinstance(r, Stored)] == ["d0", "d1", "d2", "d3", "d4"]
    last = found[-1]
    assert isinstance(last, Stored)
    assert last.record == Record(
        "reading", "gw", "d4", codec="script", fields={"t": Value(21.5, "Cel")}, raw=b"raw", payload=b"x4"
    )
    segment.close()


def test_alarms_are_noted_with_their_records(tmp_path: Path) -> None:
    segment = create(tmp_path)
    rows = pack([(AT, reading(n)) for n in range(3)], 0, 1000, seed(STORE, "boot"))
    segment.append(0, 3, 1000, "boot", AT.wall_ns, 0, rows, [1, 2])
    with pytest.raises(sqlite3.IntegrityError):
        segment.append(0, 3, 1000, "boot", AT.wall_ns, 0, rows, [0])
    segment.add_verdicts([(0, Verdict({"x": Value(1)}, alarm=True))])
    segment.close()
    segment = Segment.open(path_of(tmp_path, 0), read_only=True)
    assert segment.alarms(10) == [0, 1, 2]
    assert segment.alarms(1) == [0]
    segment.close()


def test_a_file_of_before_there_were_alarms_has_none(tmp_path: Path) -> None:
    path = tmp_path / f"{0:020d}.db"
    path.write_bytes((OLD / "segment_v1.db").read_bytes())
    segment = Segment.open(path, read_only=True)
    assert segment.alarms(10) == []
    segment.close()
    segment = Segment.open(path)
    assert segment.alarms(10) == []
    segment.close()
