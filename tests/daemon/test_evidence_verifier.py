"""What is no journal and no export is told, not crashed on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.evidence_export_scene import Scene
from tests.daemon.evidence_scene import Journal
from torhaus.daemon.evidence.export_check import check_export, read_export
from torhaus.daemon.evidence.verifier import check_journal, main, parse_heads


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("export"))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_hostile_exports_and_journals_are_told_not_crashed_on(scene: Scene, data: st.DataObject) -> None:
    files, digest, *_ = read_export(scene.zip)
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
    [b"", b"[]", b"3", b'{"root":[]}', b'{"root":{"seq":"x"}}', b'{"a":1,"b":2}', b"\xff" * 9,
     b'{"head":{"seq":true,"hash":"","key":"","signature":""}}',
     b'{"root":{"seq":1,"hash":"","key":"","signature":"","first":-1,"last":2}}', b"[" * 100_000,
     b'{"root":{"seq":1,"hash":"\\ud800","key":"","signature":"","first":1,"last":2}}'],
)  # fmt: skip
def test_odd_lines_of_a_journal(scene: Scene, line: bytes) -> None:
    report = check_journal([*scene.journal.top, line + b"\n", *scene.journal.entries])
    assert {fault.what for fault in report.faults} <= {"syntax", "signature"}
    assert report.faults


def test_odd_tops_of_a_journal(scene: Scene) -> None:
    for top in (
        b"",
        b"[]",
        b"{}",
        b'{"first":"x","key":""}',
        b'{"first":[],"key":""}',
        b"\xff",
        b"[" * 100_000,
        b'{"first":1e999,"key":""}',
        b'{"first":-5,"key":""}',
        b'{"first":true,"key":""}',
    ):
        report = check_journal([top, *scene.journal.entries])
        assert [fault.what for fault in report.faults] == ["syntax"]
        assert (report.entries, report.last_hash) == (0, "")
    journal = Journal(scene.journal.lines())
    journal.entries.insert(3, b"neither\n")
    assert (0, "syntax") in [(fault.seq, fault.what) for fault in check_journal(journal.lines()).faults]


def test_heads_that_are_none() -> None:
    for text in ("x", "1:00", "{}", '{"seq":1,"hash":"x"}', "[]", "[" * 100_000):
        with pytest.raises(ValueError, match="line 1 is no head"):
            parse_heads(text)


def test_a_file_that_is_no_zip_and_no_journal(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    path = scene.root / "odd"
    path.write_bytes(b"PK\x05\x06" + bytes(18))  # an empty ZIP
    assert main([str(path)]) == 1
    assert "not whole" in capsys.readouterr().out
