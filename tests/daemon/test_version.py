from importlib.metadata import PackageNotFoundError

import pytest

from torhaus.daemon import version


def test_the_installed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert version.torhaus_version().split(".")[0].isdigit()

    def missing(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(version, "version", missing)
    assert version.torhaus_version() == "0+unknown"
