import sys
from importlib.metadata import version as installed
from pathlib import Path

import pytest

from torhaus.daemon.version import torhaus_version


def test_the_installed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert torhaus_version() == installed("torhaus")
    monkeypatch.setattr(sys, "path", ["", str(tmp_path / "none")])
    monkeypatch.chdir(tmp_path)
    assert torhaus_version() == "0+unknown"
    (tmp_path / "torhaus-2.1.0rc1.dist-info").mkdir()
    assert torhaus_version() == "2.1.0rc1"


def test_another_kind_of_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torhaus.egg-info").mkdir()
    (tmp_path / "torhaus.egg-info" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: torhaus\nVersion: 3.0\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert torhaus_version() == "3.0"
