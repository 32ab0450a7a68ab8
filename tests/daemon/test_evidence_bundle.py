import io
import zipfile
from pathlib import Path

import pytest

from tests.daemon.evidence_export_scene import Scene
from tests.daemon.scans_fakes import key_file
from torhaus.daemon.evidence.bundle import NoDocument, write_bundle


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("export"))


def test_bytes_that_are_gone(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(NoDocument, match="no longer here"):
        write_bundle(io.BytesIO(), scene.exported, tmp_path)


def test_a_sealed_document_is_exported_as_it_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = key_file(tmp_path)
    monkeypatch.setenv("TORHAUS_TEST_SPOOL_KEY", key)
    sealed = Scene(tmp_path)
    with zipfile.ZipFile(sealed.zip) as archive:
        assert archive.read("document.pdf").startswith(b"%PDF-")
    assert sealed.run(sealed.zip).returncode == 0
    for keys, why in (((), "its site key is not named"), ((key_file(tmp_path, "other"),), "no site key .* opens it")):
        with pytest.raises(NoDocument, match=why):
            write_bundle(io.BytesIO(), sealed.exported, tmp_path / "state/scans", keys)
