"""The export of a document, checked by the very file that `torhaus evidence verifier` prints, in a bare Python."""

import asyncio
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.evidence_scene import Journal, read, some_days
from tests.daemon.scans_fakes import Bench
from torhaus.daemon.evidence.bundle import NoDocument, write_bundle
from torhaus.daemon.evidence.export import Exported
from torhaus.daemon.evidence.standalone import standalone
from torhaus.daemon.evidence.verifier import check_export, check_journal, main, parse_heads, read_export

Files = dict[str, bytes]


class Scene:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.exported = asyncio.run(self.go())
        self.zip = root / "export.zip"
        with self.zip.open("w+b") as out:
            write_bundle(out, self.exported, root / "state/scans")
        self.journal = read(root)
        self.verify = root / "verify.py"
        self.verify.write_text(standalone(), encoding="utf-8")

    async def go(self) -> Exported:
        async with Bench(self.root) as b:
            await some_days(b)
            scan = (await b.queue.list())[-1]
            await b.queue.evidence.state(scan.id, ["creator", "quality=passed"], "S17", "uid:1000")
            return await b.queue.evidence.export(scan.id, "uid:1000")

    def run(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-I", "-S", "-W", "error", self.verify, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.root)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("export"))


def test_the_printed_file_needs_nothing_of_ours(scene: Scene) -> None:
    text = scene.verify.read_text(encoding="utf-8")
    assert "import torhaus" not in text
    assert "from torhaus" not in text
    assert text.count("from __future__") == 1
    done = scene.run(scene.zip, "--key", scene.exported.files["key.txt"].strip())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "proved"
    folder = scene.root / "unpacked"
    with zipfile.ZipFile(scene.zip) as archive:
        archive.extractall(folder)
    assert {path.name for path in folder.iterdir()} >= {"document.pdf", "README.txt", "verify.py", "note.xml"}
    done = scene.run(folder)
    assert done.returncode == 0
    assert "compare it with the one that was written down" in done.stdout


def test_a_journal_by_the_printed_file(scene: Scene) -> None:
    path, heads = scene.root / "journal.jsonl", scene.root / "heads"
    path.write_bytes(b"".join(scene.journal.lines()))
    heads.write_text(f"3:{scene.journal.hash(3)}\n\n")
    assert scene.run(path, "--head", heads).returncode == 0
    heads.write_text(f"{len(scene.journal.entries) + 5}:{'00' * 32}\n")
    done = scene.run(path, "--head", heads)
    assert done.returncode == 1
    assert "were cut off" in done.stdout
    assert done.stdout.splitlines()[-1] == "NOT PROVED"
    heads.write_text("nonsense")
    assert scene.run(path, "--head", heads).returncode == 66
    assert scene.run(scene.root / "none").returncode == 66


def flip(text: bytes, old: bytes, new: bytes) -> bytes:
    assert old in text
    return text.replace(old, new)


def test_what_is_changed_in_an_export_is_named(scene: Scene) -> None:
    files, digest = read_export(scene.zip)
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
    assert "proof" in what(lambda changed: changed.update({"roots.jsonl": b""}))
    assert "signature" in what(put("roots.jsonl", b'"first":1,', b'"first":2,'))
    assert what(lambda changed: changed.update({"entries.jsonl": b"{}\n"})) >= {"syntax", "document", "note"}
    assert what(lambda changed: [changed.pop(name) for name in ("key.txt",)] and None) == {"syntax"}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_hostile_exports_and_journals_are_told_not_crashed_on(scene: Scene, data: st.DataObject) -> None:
    files, digest = read_export(scene.zip)
    name = data.draw(st.sampled_from(["note.json", "entries.jsonl", "roots.jsonl", "key.txt"]))
    text = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    check_export({**files, name: bytes(text)}, "", digest)
    check_export({**files, name: data.draw(st.binary(max_size=50))}, "", digest)
    lines = scene.journal.lines()
    lines[data.draw(st.integers(0, len(lines) - 1))] = data.draw(st.binary(max_size=60))
    check_journal(lines)


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"3", b'{"root":[]}', b'{"root":{"seq":"x"}}', b'{"head":{"seq":true,"hash":"","key":"","signature":""}}',
     b'{"root":{"seq":1,"hash":"","key":"","signature":"","first":-1,"last":2}}', b'{"a":1,"b":2}', b"\xff" * 9],
)  # fmt: skip
def test_odd_lines_of_a_journal(scene: Scene, line: bytes) -> None:
    report = check_journal([*scene.journal.top, line + b"\n", *scene.journal.entries])
    assert {fault.what for fault in report.faults} <= {"syntax", "signature"}
    assert report.faults


def test_odd_tops_of_a_journal(scene: Scene) -> None:
    for top in (b"", b"[]", b"{}", b'{"first":"x","key":""}', b'{"first":[],"key":""}', b"\xff"):
        report = check_journal([top, *scene.journal.entries])
        assert [fault.what for fault in report.faults] == ["syntax"]
        assert (report.entries, report.last_hash) == (0, "")
    journal = Journal(scene.journal.lines())
    journal.entries.insert(3, b"neither\n")
    assert (0, "syntax") in [(fault.seq, fault.what) for fault in check_journal(journal.lines()).faults]


def test_heads_that_are_none() -> None:
    for text in ("x", "1:00", "{}", '{"seq":1,"hash":"x"}', "[]"):
        with pytest.raises(ValueError, match="line 1 is no head"):
            parse_heads(text)


def test_a_file_that_is_no_zip_and_no_journal(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    path = scene.root / "odd"
    path.write_bytes(b"PK\x05\x06" + bytes(18))  # an empty ZIP
    assert main([str(path)]) == 1
    assert "not whole" in capsys.readouterr().out


def test_bytes_that_are_gone(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(NoDocument, match="no longer here"):
        write_bundle(io.BytesIO(), scene.exported, tmp_path)
