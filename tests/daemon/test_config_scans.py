import tomllib
from pathlib import Path

import pytest

from torhaus.daemon.config.scans import read_scan
from torhaus.daemon.config.validate import Validator
from torhaus.daemon.scans.targets import folder, http


def test_each_target_has_its_own_struct() -> None:
    text = """
    [[target]]
    name = "archive"
    type = "folder"
    path = "/srv/archive"
    [[target]]
    name = "central"
    type = "http"
    url = "https://scans.example.org"
    token_file = "credential:central"
    """
    check = Validator(Path("/etc/torhaus"))
    found = read_scan(tomllib.loads(text), check)
    assert check.faults == {}
    assert found is not None
    archive, central = found.target
    assert isinstance(archive, folder.Config)
    assert archive.path == "/srv/archive"
    assert isinstance(central, http.Config)
    assert central.token_file is not None
    assert central.token_file.endswith("/central")


@pytest.mark.parametrize(
    ("value", "path"),
    [(1, ("scan",)), ({"target": 1}, ("scan", "target")), ({"target": [1]}, ("scan", "target", 0)),
     ({"target": [{"name": "x"}]}, ("scan", "target", 0, "type")), ({"targt": []}, ("scan", "targt"))],
)  # fmt: skip
def test_faults_name_the_key(value: object, path: tuple[str | int, ...]) -> None:
    check = Validator(Path("/"))
    assert read_scan(value, check) is None
    assert list(check.faults) == [path]
