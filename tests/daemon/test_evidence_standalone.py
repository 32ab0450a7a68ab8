import ast
import shutil
import subprocess
import zipfile
from pathlib import Path

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


def test_a_file_that_is_damaged_or_cut_off_is_told_without_a_traceback(scene: Scene, tmp_path: Path) -> None:
    whole = scene.zip.read_bytes()
    for odd in (whole[: len(whole) // 2], whole[:2000] + b"torhaus" + whole[2007:], b"PK", b"[" * 100_000):
        (tmp_path / "x").write_bytes(odd)
        done = scene.run(tmp_path / "x")
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout.endswith("NOT PROVED\n")


def test_the_oldest_python_that_is_promised_can_read_it(scene: Scene) -> None:
    """What it works out when it starts must be there in 3.9, too: only annotations may say X | Y of types."""
    tree = ast.parse(scene.verify.read_text(encoding="utf-8"), feature_version=(3, 9))
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            odd = [
                node for node in ast.walk(statement) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)
            ]
            assert odd == [], f"line {statement.lineno}"


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.12", "3.13"])
def test_other_pythons(scene: Scene, version: str) -> None:
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip(f"needs python{version}")
    command = [python, "-I", "-S", "-W", "error", str(scene.verify), str(scene.zip)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
