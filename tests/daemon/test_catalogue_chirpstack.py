from pathlib import Path

from tests.daemon.catalogues import chirpstack
from torhaus.daemon.catalogue.chirpstack import find
from torhaus.daemon.catalogue.model import Entry, Skipped


def test_devices_and_codecs(tmp_path: Path) -> None:
    (tmp_path / "lost.js").write_text("function decodeUplink() {}")
    found = list(find(chirpstack(tmp_path)))
    models = {e.model: e for e in found if isinstance(e, Entry)}
    assert sorted(models) == ["pegel-1", "spare"]
    assert (models["pegel-1"].name, models["pegel-1"].script.name) == ("Pegel 1", "level.js")
    assert models["pegel-1"].examples == (
        {"id": "up", "bytes_hex": "05", "fport": 2, "expected": {"level": 5, "off": "off"}},
    )
    why = {e.what: e.why for e in found if isinstance(e, Skipped)}
    assert why["boke/boke-bare"] == "has no codec"
    assert why["boke/boke-lost"] == "its codec ../../../lost.js is not there"
    assert "examples left out" in why["boke/test_encode_level.json"]


def test_a_codec_outside_of_its_folder_is_left_out_and_the_rest_goes_on(tmp_path: Path) -> None:
    root = chirpstack(tmp_path / "catalogue")
    outside = tmp_path / "outside.js"
    outside.write_text("function decodeUplink() {}")
    (root / "vendors/boke/codecs/away.js").symlink_to(outside)
    found = list(find(root))
    assert Skipped("boke/away", "its codec away.js is not there") in found
    assert {e.model for e in found if isinstance(e, Entry)} == {"pegel-1", "spare"}
