import io
from pathlib import Path

import pytest

from tests.daemon.evidence_export_scene import Scene
from torhaus.daemon.evidence.bundle import NoDocument, write_bundle


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("export"))


def test_bytes_that_are_gone(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(NoDocument, match="no longer here"):
        write_bundle(io.BytesIO(), scene.exported, tmp_path)
