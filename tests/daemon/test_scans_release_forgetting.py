"""After a document has gone, nobody can tell from the store who it was about."""

import io
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.daemon.release_scene import DAY_S, Scene, with_scene
from tests.daemon.scans_fakes import fake_pdf
from torhaus.codecs.sidecar import Told
from torhaus.daemon.cli.scan_story import story
from torhaus.daemon.evidence.bundle import write_bundle
from torhaus.daemon.evidence.export_check import check_export, read_export
from torhaus.daemon.evidence.standalone import standalone
from torhaus.daemon.scans import spool
from torhaus.daemon.scans.checker import Code, codes_json
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.pages import shown
from torhaus.daemon.scans.release.config import Release, Retention
from torhaus.daemon.scans.release.papers import Result
from torhaus.daemon.scans.states import Reason, State

SECRET = "mustermann"


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "SETTLED_S", -1.0)


async def come(s: Scene, count: int, batch: str | None = f"akte {SECRET}") -> list[Scan]:
    """Documents with that name in every place where one can be."""
    for n in range(count):
        s.put(f"{SECRET}-{n}.pdf", fake_pdf(n))
    await s.look()
    await s.queue.seal()  # the name's places are filled afterwards: some of them would have had it held
    scans = list(reversed(await s.queue.list()))
    told = Told(SECRET, "bauamt", "brief", 1, SECRET, 2, 9, SECRET, {"name": SECRET})

    def work(tx: Tx) -> None:
        for scan in scans:
            tx.conn.execute(
                "UPDATE scan SET told = ?, codes = ?, batch = ? WHERE seq = ?",
                (msgspec.json.encode(told).decode(), codes_json((Code(0, f"TH1;d={SECRET}"),)), batch, scan.seq),
            )
            tx.conn.execute("INSERT INTO progress (scan, target, text) VALUES (?, 'old', ?)", (scan.seq, SECRET))
            tx.conn.execute(
                "INSERT INTO upload (id, station, kind, state, offset, name, metadata, concat, expires_ns, scan)"
                " VALUES (?, 'counter', 'whole', 'done', 0, ?, ?, '', 0, ?)",
                (str(scan.seq), SECRET.encode(), SECRET, scan.seq),
            )

    await s.queue._db.run(work)
    return scans


def left(s: Scene) -> set[str]:
    """Where the name still is: tables, and `file` for the bytes on the disk."""
    folder = s.root / "state/scans"
    found = {"file" for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()}
    conn = sqlite3.connect(folder / "scans.db")
    for (table,) in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        if any(SECRET in str(row) for row in conn.execute(f"SELECT * FROM {table}")):
            found.add(table)
    conn.close()
    return found


def test_all_that_names_somebody_goes_with_the_last_of_a_batch(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        scans = await come(s, 2)
        assert left(s) == {"scan", "upload", "progress", "file"}

        def hold(tx: Tx) -> None:
            scan = tx.move(tx.get(scans[0].seq), State.DELIVERING, s.clock.wall_ns())
            tx.move(scan, State.HELD, s.clock.wall_ns(), Reason.REFUSED)

        await s.queue._db.run(hold)
        await s.deliver()
        s.clock.pass_s(14 * DAY_S)
        await s.queue.release.step()
        assert await s.states() == ["held", "purged"]
        gone = await s.queue._db.run(lambda tx: tx.get(scans[1].seq))
        assert (gone.name, gone.codes, gone.batch) == (b"", (), f"akte {SECRET}")
        assert gone.told == Told(department="bauamt", class_="brief", pages=1)
        assert SECRET not in str(gone.receipt)
        await s.queue.release.discard(scans[0].id, "S17", "uid:7")
        await s.queue.release.step()
        await s.queue._db.checkpoint()
        assert left(s) == set()
        scan, entries = await s.queue.show(scans[0].id)
        assert (scan.batch, scan.sha256, scan.size_bytes) == ("batch/1", scans[0].sha256, scans[0].size_bytes)
        assert "sidecar" in str(entries[-1].data["forgotten"])
        assert "name    (deleted with the document)" in story(shown(scan, entries, []))
        await s.restart()

    with_scene(tmp_path, work, None, Retention())


def test_a_batch_is_called_by_its_name_until_its_list_is_signed(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        name = f"akte {SECRET}"
        await come(s, 2)
        await s.deliver()
        s.clock.pass_s(DAY_S)
        await s.queue.release.step()
        await s.look_at_sample(name)
        s.clock.pass_s(40 * DAY_S)
        await s.queue.release.step()
        assert await s.states() == ["purged"] * 2
        assert left(s) == {"scan", "lot", "file"}
        s.clock.pass_s(60 * DAY_S)
        await s.queue.release.release(name, "S17", "uid:7")
        await s.queue.release.step()
        assert len(await s.papers(name)) == 2
        s.clock.pass_s(30 * DAY_S)
        await s.queue.release.step()
        await s.queue._db.checkpoint()
        assert left(s) == set()
        assert [p.released_ns is not None for p in await s.papers("batch/1")] == [True, True]
        _, entries = await s.queue.show((await s.queue.list())[0].id)
        assert {e.data["lot"] for e in entries if "lot" in e.data} == {"batch/1"}

    with_scene(tmp_path, work, Release(delay_days=90), Retention())


def test_a_bad_one_that_is_settled_keeps_no_name(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        name = f"akte {SECRET}"
        bad, _ = await come(s, 2)
        await s.deliver()
        s.clock.pass_s(DAY_S)
        await s.queue.release.step()
        await s.queue.release.say("quality", bad.id, Result.BAD, "S17", "uid:7")
        await s.queue.release.say_of_rest(name, Result.OK, "S17", "uid:7")
        s.clock.pass_s(100 * DAY_S)
        await s.queue.release.release(name, "S17", "uid:7")
        await s.queue.release.step()
        assert await s.states() == ["verified", "purged"]
        await s.queue.release.settled(bad.id, "S17", "uid:7")
        await s.queue.release.step()
        assert await s.states() == ["purged"] * 2
        assert len(await s.papers(name)) == 2
        s.clock.pass_s(31 * DAY_S)
        await s.queue.release.step()
        await s.queue._db.checkpoint()
        assert left(s) == set()

    with_scene(tmp_path, work, Release(delay_days=90), Retention())


def test_feedback_and_quality_still_find_their_document(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        scan, *_ = await come(s, 2)
        await s.deliver()
        s.clock.pass_s(DAY_S)
        await s.queue.release.step()
        await s.look_at_sample(f"akte {SECRET}")
        s.clock.pass_s(20 * DAY_S)
        await s.queue.release.step()
        await s.queue.release.say("feedback", scan.id, Result.PAGE_MISSING, "B04", "uid:7")
        assert "feedback" in await s.waits(f"akte {SECRET}")

    with_scene(tmp_path, work, Release(), Retention())


def test_a_deleted_document_is_exported_without_it_and_all_else_is_proved(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        await come(s, 1)
        await s.deliver()
        s.clock.pass_s(14 * DAY_S)
        await s.queue.release.step()
        (scan,) = await s.queue.list()
        exported = await s.queue.evidence.export(scan.id, "uid:7")
        with (tmp_path / "export.zip").open("w+b") as out:
            write_bundle(out, exported, tmp_path / "state/scans")

    with_scene(tmp_path, work, None, Retention())
    files, digest, *_ = read_export(tmp_path / "export.zip")
    report = check_export(files, "", digest)
    assert (digest, report.faults) == ("", [])
    assert any("was deleted on the box" in fact for fact in report.facts)
    assert SECRET.encode() not in b"".join(files.values())
    (tmp_path / "verify.py").write_text(standalone(), encoding="utf-8")
    command = [sys.executable, "-I", "-S", "-W", "error", str(tmp_path / "verify.py"), str(tmp_path / "export.zip")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "was deleted" in done.stdout) == (0, True)
    lines = io.BytesIO(files["entries.jsonl"]).readlines()
    kept = b"".join(line for line in lines if b'"event":"purged"' not in line)
    assert {f.what for f in check_export(files | {"entries.jsonl": kept}, "", "").faults} == {"document", "removed"}
    other = check_export(files, "", "00" * 32)
    assert {fault.what for fault in other.faults} == {"document"}
