import tomllib
from pathlib import Path

import pytest

from torhaus.daemon.config.scans import check_beside, read_scan
from torhaus.daemon.config.validate import Validator
from torhaus.daemon.scans.targets import folder, http
from torhaus.drivers import barcode


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


def test_what_is_named_beside_it(tmp_path: Path) -> None:
    text = """
    spool_key_files = ["{key}"]
    [[station]]
    name = "flur"
    type = "escl"
    url = "https://scanner.example/eSCL"
    start_driver = "lser"
    """
    (tmp_path / "key").write_text("00" * 32)
    (tmp_path / "key").chmod(0o600)
    readers = [barcode.Config(name="leser", link="serial:///dev/ttyACM0", device="d")]

    def texts(key: str, drivers: list[object]) -> dict[tuple[str | int, ...], str]:
        check = Validator(Path("/etc/torhaus"))
        found = read_scan(tomllib.loads(text.replace("{key}", str(tmp_path / key))), check)
        assert found is not None
        check_beside(found, check, drivers, check_only=True)
        return dict(check.faults)

    found = texts("none", [*readers])
    assert set(found) == {("scan", "spool_key_files", 0), ("scan", "station", 0, "start_driver")}
    assert "did you mean" in found["scan", "station", 0, "start_driver"]
    assert texts("key", [barcode.Config(name="lser", link="serial:///dev/ttyACM0", device="d")]) == {}
