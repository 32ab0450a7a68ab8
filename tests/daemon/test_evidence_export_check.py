import json
import random
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.daemon.evidence_export_scene import Scene
from torhaus.daemon.evidence.export_check import MAX_MEMBER_BYTES, check_export, check_export_file, read_export
from torhaus.daemon.evidence.report import Report

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("export"))


def flip(text: bytes, old: bytes, new: bytes) -> bytes:
    assert old in text
    return text.replace(old, new)


def test_what_is_changed_in_an_export_is_named(scene: Scene) -> None:
    files, digest, *_ = read_export(scene.zip)
    assert check_export(files, "", digest).faults == []

    def what(change: Callable[[Files], None], document: str = digest, key: str = "") -> set[str]:
        changed = dict(files)
        change(changed)
        return {fault.what for fault in check_export(changed, key, document).faults}

    def put(name: str, old: bytes, new: bytes) -> Callable[[Files], None]:
        return lambda changed: changed.update({name: flip(changed[name], old, new)})

    other = json.loads(files["note.json"])["sha256"][::-1].encode()
    assert what(lambda _: None, "00" * 32) == {"document"}
    assert what(lambda _: None, key="00" * 32) == {"key", "signature"}
    assert what(put("note.json", b'"passed"', b'"failed"')) == {"note"}
    assert what(put("note.xml", b"passed", b"failed")) == {"note"}
    assert "document" in what(put("note.json", digest.encode(), other))
    assert "proof" in what(put("entries.jsonl", b'"event":"verified"', b'"event":"verifies"'))
    assert "proof" in what(put("entries.jsonl", b'"index":', b'"index":1'))
    assert "proof" in what(put("entries.jsonl", b'"path":[', b'"path":[' + b"[" * 100_000))
    assert "proof" in what(lambda changed: changed.update({"roots.jsonl": b""}))
    assert "proof" in what(put("roots.jsonl", b'"first":1,', b""))
    assert "proof" in what(put("roots.jsonl", b'"day":"', b'"day":"\\ud800'))
    assert "signature" in what(put("roots.jsonl", b'"first":1,', b'"first":2,'))
    assert what(lambda changed: changed.update({"entries.jsonl": b"{}\n"})) >= {"syntax", "removed", "document", "note"}
    assert what(lambda changed: changed.update({"key.txt": b"\xff"})) == {"syntax"}
    assert what(lambda changed: changed.update({"note.json": b"[" * 100_000})) == {"syntax"}
    assert "note" in what(put("note.json", b'"journal"', b'"diary"'))


def named(scene: Scene, change: Callable[[list[bytes]], None]) -> list[tuple[int, str]]:
    files, digest, *_ = read_export(scene.zip)
    lines = files["entries.jsonl"].splitlines(keepends=True)
    change(lines)
    return [
        (seq, what) for seq, what, _ in check_export({**files, "entries.jsonl": b"".join(lines)}, "", digest).faults
    ]


def test_each_entry_that_is_edited_removed_swapped_or_doubled_is_named(scene: Scene) -> None:
    lines = scene.exported.files["entries.jsonl"].splitlines()
    numbers = [json.loads(line)["entry"]["seq"] for line in lines]
    for n, seq in enumerate(numbers):

        def edit(changed: list[bytes], n: int = n) -> None:
            changed[n] = re.sub(rb'"at":1', b'"at":2', changed[n])

        def drop(changed: list[bytes], n: int = n) -> None:
            del changed[n]

        def double(changed: list[bytes], n: int = n) -> None:
            changed.insert(n, changed[n])

        def swap(changed: list[bytes], n: int = n) -> None:
            changed[n - 1], changed[n] = changed[n], changed[n - 1]

        def hash_beside(changed: list[bytes], n: int = n) -> None:
            changed[n] = re.sub(rb'"hash":"....', b'"hash":"0123', changed[n])

        assert named(scene, edit)[:2] == [(seq, "changed"), (seq, "proof")]
        assert named(scene, hash_beside) == [(seq, "changed")]
        assert named(scene, double) == [(seq, "order")]
        if n:
            assert (numbers[n - 1], "order") in named(scene, swap)
        if n < len(numbers) - 1:
            assert (seq, "removed") in named(scene, drop)
        else:  # the export itself, which names the notes' hashes
            assert named(scene, drop)[0] == (numbers[n - 1], "removed")


def test_a_statement_that_was_replaced_by_a_later_one_cannot_be_left_out(scene: Scene) -> None:
    lines = scene.exported.files["entries.jsonl"].splitlines()
    stated = [json.loads(line)["entry"] for line in lines if '"use.stated"' in line]
    first = next(n for n, line in enumerate(lines) if '"use.stated"' in line)
    assert sum(entry["data"]["field"] == "quality" for entry in stated) == 2

    def drop(changed: list[bytes]) -> None:
        del changed[first]

    assert named(scene, drop) == [(stated[0]["seq"], "removed")]


def test_an_entry_that_the_note_does_not_name_is_told(scene: Scene) -> None:
    files, digest, *_ = read_export(scene.zip)
    note = json.loads(files["note.json"])
    gone = note["journal"]["entries"].pop(2)
    found = check_export({**files, "note.json": json.dumps(note).encode()}, "", digest).faults
    assert {(fault.seq, fault.what) for fault in found} == {(gone, "more"), (0, "note")}


def test_a_note_of_before_there_was_a_list_of_entries(scene: Scene) -> None:
    files, digest, *_ = read_export(scene.zip)
    note = json.loads(files["note.json"])
    del note["journal"]["entries"]
    old = {**files, "note.json": json.dumps(note).encode()}
    assert [fault.what for fault in check_export(old, "", digest).faults] == ["note"]  # its hash alone
    lines = files["entries.jsonl"].splitlines(keepends=True)
    found = check_export({**old, "entries.jsonl": b"".join(lines[1:])}, "", digest).faults
    assert (json.loads(lines[0])["entry"]["seq"], "removed") in [(fault.seq, fault.what) for fault in found]


def rewritten(scene: Scene, path: Path, change: Callable[[zipfile.ZipFile], None], without: str = "") -> Report:
    with zipfile.ZipFile(scene.zip) as old, zipfile.ZipFile(path, "w") as new:
        for info in old.infolist():
            if info.filename != without:
                new.writestr(info, old.read(info))
        change(new)
    return check_export_file(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_second_document_or_file_of_a_name_is_told(scene: Scene, tmp_path: Path) -> None:
    def texts(change: Callable[[zipfile.ZipFile], None]) -> list[str]:
        return [fault.text for fault in rewritten(scene, tmp_path / "x.zip", change).faults]

    assert texts(lambda _: None) == []
    assert texts(lambda new: new.writestr("document.tif", b"forged")) == [
        "there are 2 documents: document.pdf, document.tif"
    ]
    assert "document.pdf is in it twice" in texts(lambda new: new.writestr("document.pdf", b"forged"))
    assert "note.json is in it twice" in texts(lambda new: new.writestr("note.json", b"{}"))
    report = rewritten(scene, tmp_path / "x.zip", lambda new: new.writestr("sub/document.pdf", b"other"))
    assert report.faults == []
    assert "no part of an export, and not looked at: sub/document.pdf" in report.facts
    missing = rewritten(scene, tmp_path / "x.zip", lambda _: None, without="document.pdf")
    assert [fault.what for fault in missing.faults] == ["document"]


def test_a_damaged_zip_is_told_and_the_rest_looked_at(scene: Scene, tmp_path: Path) -> None:
    whole, path, dice = scene.zip.read_bytes(), tmp_path / "x.zip", random.Random(9)
    for at in range(0, len(whole), 397):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        check_export_file(path)  # some bits of a ZIP say nothing
        path.write_bytes(whole[:at])
        assert check_export_file(path).faults, f"cut off at {at}"
    with zipfile.ZipFile(scene.zip) as archive:
        info = archive.getinfo("entries.jsonl")
    damaged = bytearray(whole)
    damaged[info.header_offset + 30 + len("entries.jsonl") + 20] ^= 0xFF
    path.write_bytes(damaged)
    assert check_export_file(path).faults[0].text.startswith("entries.jsonl cannot be read: ")


def test_what_no_export_has_is_not_unpacked(scene: Scene, tmp_path: Path) -> None:
    def odd(new: zipfile.ZipFile) -> None:
        new.writestr("note.xml", b"x", zipfile.ZIP_LZMA)

    assert "packed in a way" in rewritten(scene, tmp_path / "x.zip", odd, without="note.xml").faults[0].text

    def bomb(new: zipfile.ZipFile) -> None:
        new.writestr("note.xml", bytes(MAX_MEMBER_BYTES + 1), zipfile.ZIP_DEFLATED)

    assert "larger than any" in rewritten(scene, tmp_path / "x.zip", bomb, without="note.xml").faults[0].text


def test_a_folder(scene: Scene, tmp_path: Path) -> None:
    with zipfile.ZipFile(scene.zip) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "heads.txt").touch()
    (tmp_path / "later").mkdir()
    report = check_export_file(tmp_path)
    assert report.faults == []
    assert report.facts[-1].endswith("not looked at: heads.txt")
    shutil.copy(tmp_path / "document.pdf", tmp_path / "document.copy.pdf")
    assert [fault.what for fault in check_export_file(tmp_path).faults] == ["file"]
    with pytest.raises(FileNotFoundError):
        check_export_file(tmp_path / "none")
