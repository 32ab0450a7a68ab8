"""Catalogues in the form of The Things Network's device repository: `vendor/<vendor>/<device>.yaml`, `<codec>.yaml`.

A device names a codec for each region; a codec names its script and has examples. The codec for Europe (EU863-870) of
the last firmware is taken. Source: the repository's README and `schema.json`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from torhaus.daemon.catalogue.documents import Unreadable, read
from torhaus.daemon.catalogue.model import Entry, Found, Line, Skipped, hexed, licence_of, slug

_EUROPE = "EU863-870"
_PARTS = (("uplinkDecoder", "uplink"), ("downlinkEncoder", "downlink-encode"), ("downlinkDecoder", "downlink-decode"))


def find(root: Path) -> Found:
    """Each device with its codec, and each codec that no device names."""
    for folder in sorted(p for p in (root / "vendor").iterdir() if p.is_dir()):
        yield from _vendor(folder)


def _vendor(folder: Path) -> Found:
    codecs: dict[str, Entry | Skipped] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            said = read(path)
            if isinstance(said, dict) and any(part in said for part, _ in _PARTS):
                codecs[path.stem] = _codec(folder, path.stem, said)
        except (Unreadable, OSError) as e:
            codecs[path.stem] = Skipped(f"{folder.name}/{path.stem}", str(e))
    named = set()
    for path in sorted(folder.glob("*.yaml")):
        if path.stem in codecs or path.stem == "index":
            continue
        try:
            said = read(path)
        except (Unreadable, OSError) as e:
            yield Skipped(f"{folder.name}/{path.stem}", str(e))
            continue
        if not isinstance(said, dict) or "firmwareVersions" not in said:
            continue  # a radio profile
        codec = codec_name(said)
        if codec is None or codec not in codecs:
            yield Skipped(f"{folder.name}/{path.stem}", f"its codec {codec} is not there" if codec else "has no codec")
            continue
        named.add(codec)
        entry = codecs[codec]
        if isinstance(entry, Entry):
            name = said["name"] if isinstance(said.get("name"), str) else ""
            yield msgspec.structs.replace(entry, model=slug(path.stem), name=name)
    for name in sorted(codecs):
        entry = codecs[name]
        if name not in named or isinstance(entry, Skipped):
            yield entry


def codec_name(device: dict[str, Any]) -> str | None:
    """The codec of a device's last firmware, for Europe where it says so."""
    versions = device.get("firmwareVersions")
    for version in reversed(versions if isinstance(versions, list) else []):
        profiles = version.get("profiles") if isinstance(version, dict) else None
        if not isinstance(profiles, dict):
            continue
        for region in (_EUROPE, *profiles):
            profile = profiles.get(region)
            if isinstance(profile, dict) and isinstance(profile.get("codec"), str):
                return str(profile["codec"])
    return None


def _codec(folder: Path, name: str, said: dict[str, Any]) -> Entry:
    scripts = {kind: _script(folder, said[part]) for part, kind in _PARTS if isinstance(said.get(part), dict)}
    if not scripts:
        raise Unreadable("has no script")
    script = next(iter(scripts.values()))
    encoder = scripts.get("downlink-encode", script)
    lines: list[Line] = []
    for part, kind in _PARTS:
        if kind in scripts:
            other = {} if scripts[kind] == script else {"codec_path": scripts[kind].name}
            lines += (line | other for line in _lines(said[part], kind))
    return Entry(
        vendor=slug(folder.name),
        model=slug(name.removesuffix("-codec")),
        script=script,
        encoder=None if encoder == script else encoder,
        examples=tuple(lines),
        licence=licence_of(script, root=folder.parents[1]),
    )


def _script(folder: Path, part: dict[str, Any]) -> Path:
    name = part.get("fileName")
    script = folder / str(name)
    if not isinstance(name, str) or not script.is_file() or not script.resolve().is_relative_to(folder.resolve()):
        raise Unreadable(f"the script {name or ''} is not there")
    return script


def _lines(part: dict[str, Any], kind: str) -> Iterator[Line]:
    examples = part.get("examples")
    for number, example in enumerate(examples if isinstance(examples, list) else []):
        if not isinstance(example, dict) or not isinstance(example.get("input"), dict):
            continue
        given, output = example["input"], example.get("output")
        line: Line = {"id": str(example.get("description") or number)[:80]}
        try:
            if not isinstance(output, dict):
                continue
            if kind != "uplink":
                yield line | {"direction": kind, "input": given, "expected": output}
                continue
            line |= {"bytes_hex": hexed(given.get("bytes")), "fport": given.get("fPort")}
            line |= {"recv_time": given["recvTime"]} if isinstance(given.get("recvTime"), str) else {}
            wanted = {"expected_errors": output["errors"]} if output.get("errors") else {"expected": output.get("data")}
            yield line | wanted
        except ValueError:
            continue
