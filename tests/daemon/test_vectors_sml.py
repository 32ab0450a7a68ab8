"""Dumps are compared telegram by telegram with what other decoders found."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from torhaus.codecs.meter.sml_encode import Entry, encode_file
from torhaus.daemon.vectors.base import Tools
from torhaus.daemon.vectors.sml import check

CODE = "1-0:1.8.0*255"
VALUE = {"obis": CODE, "raw_value": 57, "scaler": -1, "unit": 30, "value": 5.7, "status": None}
LINE = {"file": "a.bin", "expected": "a.json", "both_decoders_agree": True}


def said(folder: Path, want: dict[str, Any], dump: bytes | None = None) -> str | None:
    file = encode_file(bytes.fromhex("0a014c4f470000bc614e"), [Entry(CODE, 57, 30, -1)], sec_index=10)
    (folder / "a.bin").write_bytes(file if dump is None else dump)
    whole = {"sml_files_found": 1, "frames": [{"values": [VALUE]}], "libsml_lines": []} | want
    (folder / "a.json").write_text(json.dumps(whole))
    tools = Tools(Path(), None, None, folder)  # type: ignore[arg-type]
    return asyncio.run(check(LINE, tools))


def test_a_dump(tmp_path: Path) -> None:
    assert said(tmp_path, {}) is None
    frames = [{"values": [VALUE | {"value": 5.8, "status": 1}]}]
    assert said(tmp_path, {"frames": frames}) == (
        f"telegram 0: {CODE}: got 5.7 W.h, expected 5.8, unit 30; telegram 0: {CODE}_status: got None, expected 1"
    )
    frames = [{"values": [VALUE | {"obis": "1-0:2.8.0*255"}]}]
    found = str(said(tmp_path, {"frames": frames}))
    assert "nobody else sees it" in found
    assert "got nothing" in found
    assert said(tmp_path, {}, b"") == "0 telegrams, expected 1"


def test_what_one_decoder_prints(tmp_path: Path) -> None:
    frames: list[dict[str, Any]] = [{"values": []}]
    assert said(tmp_path, {"frames": frames, "libsml_lines": [[CODE, "5.7", "Wh"]]}) is None
    assert "expected 5.8" in str(said(tmp_path, {"frames": frames, "libsml_lines": [[CODE, "5.8", "Wh"]]}))


def test_names_do_not_lead_elsewhere(tmp_path: Path) -> None:
    tools = Tools(Path(), None, None, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no file's name"):
        asyncio.run(check(LINE | {"file": "../a.bin"}, tools))
    with pytest.raises(FileNotFoundError):
        asyncio.run(check(LINE, tools))
