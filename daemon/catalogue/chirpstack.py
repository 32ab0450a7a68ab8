"""Catalogues in the form of ChirpStack's device profiles: `vendors/<vendor>/{vendor.toml,devices,codecs,profiles}`.

A device (`devices/*.toml`) names the codec of each firmware; `codecs/test_decode_<codec>.json` and `test_encode_…` are
its examples. Source: the repository's README and its `example-vendor`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torhaus.daemon.catalogue.documents import Unreadable, read
from torhaus.daemon.catalogue.model import Entry, Found, Line, Skipped, hexed, licence_of, slug


def find(root: Path) -> Found:
    """Each device with the codec of its first firmware, which is the newest, and each codec that no device names."""
    for folder in sorted(p for p in (root / "vendors").iterdir() if p.is_dir()):
        yield from _vendor(folder)


def _vendor(folder: Path) -> Found:
    named = set()
    for path in sorted((folder / "devices").glob("*.toml")):
        what = f"{folder.name}/{path.stem}"
        try:
            device = read(path).get("device")
            device = device if isinstance(device, dict) else {}
            codec = _codec(device)
            if codec is None:
                yield Skipped(what, "has no codec")
                continue
            named.add(codec)
            yield from _entry(folder, path.stem.removeprefix(f"{folder.name}-"), str(device.get("name") or ""), codec)
        except (Unreadable, OSError) as e:
            yield Skipped(what, str(e))
    for script in sorted((folder / "codecs").glob("*.js")):
        if script.name not in named:
            try:
                yield from _entry(folder, script.stem, "", script.name)
            except Unreadable as e:
                yield Skipped(f"{folder.name}/{script.stem}", str(e))


def _codec(device: dict[str, Any]) -> str | None:
    versions = device.get("firmware")
    for version in versions if isinstance(versions, list) else []:
        if isinstance(version, dict) and isinstance(version.get("codec"), str):
            return str(version["codec"])
    return None


def _entry(folder: Path, model: str, name: str, codec: str) -> Found:
    codecs = folder / "codecs"
    script = codecs / codec
    if not script.is_file() or not script.resolve().is_relative_to(codecs.resolve()):
        raise Unreadable(f"its codec {codec} is not there")
    lines: list[Line] = []
    for direction in ("decode", "encode"):
        path = codecs / f"test_{direction}_{script.stem}.json"
        if path.is_file():
            try:
                lines += _lines(read(path), direction)
            except Unreadable as e:
                yield Skipped(f"{folder.name}/{path.name}", f"examples left out: {e}")
    yield Entry(
        vendor=slug(folder.name),
        model=slug(model),
        name=name,
        script=script,
        examples=tuple(lines),
        licence=licence_of(script, root=folder.parents[1]),
    )


def _lines(examples: object, direction: str) -> Iterator[Line]:
    for number, example in enumerate(examples if isinstance(examples, list) else []):
        if not isinstance(example, dict) or not isinstance(example.get("input"), dict):
            continue
        given, expected = example["input"], example.get("expected")
        line: Line = {"id": str(example.get("name") or number)[:80]}
        try:
            if direction == "encode":
                yield line | {"direction": "downlink-encode", "input": given, "expected": expected}
            else:
                wanted = {"expected": expected, "expected_is_whole_return": True}
                if isinstance(expected, dict) and "data" in expected:
                    wanted = {"expected": expected["data"]}
                yield line | {"bytes_hex": hexed(given.get("bytes")), "fport": given.get("fPort")} | wanted
        except ValueError:
            continue
