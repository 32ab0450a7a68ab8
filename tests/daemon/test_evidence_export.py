import json

import pytest

from tests.daemon.evidence_export_scene import Scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("export"))


def test_it_has_all_entries_of_the_document_and_nothing_of_others(scene: Scene) -> None:
    files = scene.exported.files
    entries = [json.loads(line)["entry"] for line in files["entries.jsonl"].splitlines()]
    journal = scene.journal
    of_it = [n for n in range(1, len(journal.entries) + 1) if journal.get(n).scan == entries[0]["scan"]]
    assert [entry["seq"] for entry in entries] == of_it
    assert entries[-1]["event"] == "use.exported"
    note = json.loads(files["note.json"])
    assert note["journal"]["entries"] == of_it[:-1], "all but that of the export itself"
    assert {json.loads(line)["seq"] for line in files["roots.jsonl"].splitlines()} <= set(journal.seqs("root"))
