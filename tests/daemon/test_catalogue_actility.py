from pathlib import Path

from tests.daemon.catalogues import actility
from torhaus.daemon.catalogue.actility import find
from torhaus.daemon.catalogue.model import Entry, Skipped


def test_models_and_drivers(tmp_path: Path) -> None:
    found = list(find(actility(tmp_path)))
    models = {e.model: e for e in found if isinstance(e, Entry)}
    assert sorted(models) == ["pegel-1", "spare"]
    level = models["pegel-1"]
    assert (level.vendor, level.name, level.keeps_state) == ("boke", "Pegel 1", True)
    assert level.script == tmp_path / "vendors/boke/drivers/level/index.js"
    assert level.licence == "Copyright 2026 Example, MIT"
    assert (models["spare"].script.name, models["spare"].licence) == ("start.js", "ISC")
    up, bad, down = level.examples
    assert up == {
        "id": "up", "bytes_hex": "05", "input_extra": {}, "fport": 2, "recv_time": "2026-01-02T03:04:05Z",
        "expected": {"level": 5, "off": "off"},
    }  # fmt: skip
    assert (bad["expected_errors"], bad["input_extra"]) == (["no such port"], {"thing": {"a": 1}})
    assert (down["direction"], down["input"]) == ("downlink-encode", {"data": {"level": 3}})


def test_what_is_left_out_says_why(tmp_path: Path) -> None:
    why = {e.what: e.why for e in find(actility(tmp_path)) if isinstance(e, Skipped)}
    assert why["boke/secret"] == "its driver is not in the catalogue"
    assert why["boke/empty"] == "has no index.js or main.js"
    assert why["boke/broken"].startswith("driver.yaml: line ")


def test_a_script_outside_of_its_driver_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "out.js").write_text("function decodeUplink() {}")
    root = actility(tmp_path, **{"vendors/boke/drivers/spare/package.json": '{"main": "../../../../out.js"}'})
    assert any(isinstance(e, Skipped) and "has no ../../../../out.js" in e.why for e in find(root))
