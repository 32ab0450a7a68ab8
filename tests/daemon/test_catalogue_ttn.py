from pathlib import Path

from tests.daemon.catalogues import ttn
from torhaus.daemon.catalogue.model import Entry, Skipped
from torhaus.daemon.catalogue.ttn import codec_name, find


def test_devices_and_codecs(tmp_path: Path) -> None:
    (tmp_path / "out.js").write_text("function decodeUplink() {}")
    found = list(find(ttn(tmp_path)))
    (device,) = [e for e in found if isinstance(e, Entry)]
    assert (device.vendor, device.model, device.name) == ("boke", "pegel-1", "Pegel 1")
    assert device.encoder is not None
    assert (device.script.name, device.encoder.name) == ("level.js", "encoder.js")
    up, bad, down = device.examples
    assert up == {"id": "up", "bytes_hex": "05", "fport": 2, "expected": {"level": 5, "off": "off"}}
    assert bad["expected_errors"] == ["no such port"]
    assert (down["codec_path"], down["direction"]) == ("encoder.js", "downlink-encode")
    why = {e.what: e.why for e in found if isinstance(e, Skipped)}
    assert why == {
        "boke/pegel-2": "its codec none-codec is not there",
        "boke/bare": "has no codec",
        "boke/gone-codec": "the script ../../../out.js is not there",
    }


def test_last_firmware_and_europe_first() -> None:
    def version(**codecs: str) -> dict[str, object]:
        return {"profiles": {region.replace("_", "-"): {"codec": codec} for region, codec in codecs.items()}}

    assert codec_name({"firmwareVersions": [version(a="old"), version(AS923="asia", b="c")]}) == "asia"
    assert codec_name({"firmwareVersions": [{"profiles": {"US": {"codec": "u"}, "EU863-870": {"codec": "e"}}}]}) == "e"
    assert codec_name({"firmwareVersions": "1"}) is None
    assert codec_name({"firmwareVersions": ["1", {"profiles": []}, {"profiles": {"a": 1}}]}) is None
