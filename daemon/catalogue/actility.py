"""Catalogues in the form of Actility's device catalogue: `vendors/<vendor>/{vendor.yaml,models,drivers}`.

A driver is a folder with `driver.yaml`, the script (`main` of its `package.json`, else `index.js` or `main.js`) and
`examples.json`; a model names its drivers by `protocolId`. Source: the catalogue's own template, "sample-vendor".
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from torhaus.daemon.catalogue.documents import Unreadable, read
from torhaus.daemon.catalogue.model import Entry, Found, Line, Skipped, hexed, licence_of, slug

_OWN = frozenset({"bytes", "fPort", "fport", "recvTime"})


def find(root: Path) -> Found:
    """Each model with the driver it names, and each driver that no model names."""
    for folder in sorted(p for p in (root / "vendors").iterdir() if p.is_dir()):
        yield from _vendor(folder)


def _vendor(folder: Path) -> Found:
    drivers: dict[str, tuple[str, Entry]] = {}
    for driver in _folders(folder / "drivers"):
        try:
            protocol, entry = _driver(folder.name, driver)
        except (Unreadable, OSError) as e:
            yield Skipped(f"{folder.name}/{driver.name}", str(e))
            continue
        drivers[protocol or driver.name] = driver.name, entry
    named: set[str] = set()
    for model in _folders(folder / "models"):
        try:
            said = _table(read(model / "model.yaml"), "model.yaml")
        except (Unreadable, OSError) as e:
            yield Skipped(f"{folder.name}/{model.name}", str(e))
            continue
        ids = said.get("protocolId")
        wanted = [str(each) for each in (ids if isinstance(ids, list) else [ids])]
        known = next((each for each in reversed(wanted) if each in drivers), None)  # the newest is named last
        if known is None:
            yield Skipped(f"{folder.name}/{model.name}", "its driver is not in the catalogue")
            continue
        named.add(known)
        name = said.get("name") if isinstance(said.get("name"), str) else ""
        yield msgspec.structs.replace(drivers[known][1], model=slug(model.name), name=name or "")
    for protocol in sorted(drivers.keys() - named):
        yield drivers[protocol][1]


def _driver(vendor: str, folder: Path) -> tuple[str, Entry]:
    said = _table(read(folder / "driver.yaml"), "driver.yaml")
    package: dict[str, Any] = {}
    if (folder / "package.json").is_file():
        package = _table(read(folder / "package.json"), "package.json")
    script = _script(folder, package.get("main"))
    examples = read(folder / "examples.json") if (folder / "examples.json").is_file() else []
    entry = Entry(
        vendor=slug(vendor),
        model=slug(folder.name),
        name=said["name"] if isinstance(said.get("name"), str) else "",
        script=script,
        examples=tuple(_lines(examples)),
        licence=licence_of(script, package.get("license")),
        keeps_state=said.get("useContext") is True,
    )
    return str(said.get("protocolId") or ""), entry


def _script(folder: Path, main: object) -> Path:
    names = [main] if isinstance(main, str) and main.strip() else ["index.js", "main.js"]
    for name in names:
        path = folder / name.strip()
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return path
    raise Unreadable(f"has no {' or '.join(names)}")


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def _table(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"{name} is no table")
    return value


def _lines(examples: object) -> Iterator[Line]:
    for number, example in enumerate(examples if isinstance(examples, list) else []):
        if not isinstance(example, dict) or not isinstance(example.get("input"), dict):
            continue
        given, output = example["input"], example.get("output")
        line: Line = {"id": str(example.get("description") or number)[:80]}
        kind = example.get("type")
        try:
            if kind == "uplink":
                line |= {"bytes_hex": hexed(given.get("bytes")), "input_extra": _extra(given)}
                line |= {"fport": given.get("fPort", given.get("fport")), "recv_time": given.get("recvTime")}
                yield line | _expected(output)
            elif kind in {"downlink-encode", "downlink-decode"} and isinstance(output, dict):
                yield line | {"direction": kind, "input": given, "expected": output}
        except ValueError:
            continue


def _extra(given: dict[str, Any]) -> dict[str, Any]:
    extra = {name: value for name, value in given.items() if name not in _OWN}
    if "recvTime" not in given and "time" in given:
        return extra | {"recvTime": given["time"]}
    return extra


def _expected(output: object) -> Line:
    if isinstance(output, dict) and output.get("errors"):
        return {"expected_errors": output["errors"]}
    if isinstance(output, dict) and "data" in output:
        return {"expected": output["data"]}
    return {"expected": output, "expected_is_whole_return": True}
