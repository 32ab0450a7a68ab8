import zipfile

import pytest

from tests.daemon.evidence_export_scene import Scene


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
