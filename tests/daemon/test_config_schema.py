import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from torhaus.daemon.config.sample import samples
from torhaus.daemon.config.schema import schema
from torhaus.daemon.forward.registry import FORWARDERS
from torhaus.drivers.registry import DRIVERS

SCHEMA = schema()


def parts(at: Any) -> Iterator[dict[str, Any]]:
    if isinstance(at, dict):
        yield at
    for item in at.values() if isinstance(at, dict) else at if isinstance(at, list) else ():
        yield from parts(item)


def resolve(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        part = SCHEMA["$defs"][part["$ref"].removeprefix("#/$defs/")]
    return part


def fits(value: Any, part: dict[str, Any]) -> bool:
    """The part of JSON Schema that this schema uses."""
    part = resolve(part)
    if "oneOf" in part and sum(fits(value, p) for p in part["oneOf"]) != 1:
        return False
    if "anyOf" in part and not any(fits(value, p) for p in part["anyOf"]):
        return False
    if ("const" in part and value != part["const"]) or ("enum" in part and value not in part["enum"]):
        return False
    match part.get("type"):
        case "object":
            known = part.get("properties", {})
            return (
                isinstance(value, dict)
                and set(part.get("required", ())) <= set(value)
                and (part.get("additionalProperties", True) is not False or set(value) <= set(known))
                and all(fits(v, known[k]) for k, v in value.items() if k in known)
            )
        case "array":
            return isinstance(value, list) and all(fits(v, part.get("items", {})) for v in value)
        case "string":
            return isinstance(value, str) and re.search(part.get("pattern", ""), value) is not None
        case "integer":
            return type(value) is int and part.get("minimum", value) <= value <= part.get("maximum", value)
        case "number":
            return type(value) in {int, float} and part.get("minimum", value) <= value
        case "boolean":
            return isinstance(value, bool)
    return True


def test_it_is_json_and_every_reference_leads_somewhere() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    used = {p["$ref"].removeprefix("#/$defs/") for p in parts(SCHEMA) if isinstance(p.get("$ref"), str)}
    assert used <= set(SCHEMA["$defs"])


def test_every_plug_in_is_there_by_its_type() -> None:
    for key, registry in (("driver", DRIVERS), ("forwarder", FORWARDERS)):
        tables = [resolve(p) for p in SCHEMA["properties"][key]["items"]["oneOf"]]
        assert {t["properties"]["type"]["const"] for t in tables} >= set(registry)
        assert all({"name", "type"} <= set(t["required"]) for t in tables)
        assert all(("kinds" in t["properties"]) == (key == "forwarder") for t in tables)


def test_it_is_what_editors_understand() -> None:
    for part in parts(SCHEMA):
        assert part.get("type") != "null"
        assert part.get("default", 0) is not None
        if isinstance(part.get("pattern"), str):
            assert r"\Z" not in part["pattern"]
    assert fits("64 MiB", SCHEMA["$defs"]["Store"]["properties"]["max_bytes"])
    assert not fits("64 MB!", SCHEMA["$defs"]["Store"]["properties"]["max_bytes"])


@pytest.mark.parametrize(
    "kind", ["torhaus", *(k for k in samples() if "/" in k and not k.startswith(("layouts/", "modbus/", "profiles/")))]
)
def test_samples_fit(kind: str) -> None:
    data = tomllib.loads(samples()[kind].read_text(encoding="utf-8"))
    assert fits({"site": {"id": "x"}, **data}, SCHEMA)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"site": {"id": "A"}},
        {"site": {"id": "a"}, "x": 1},
        {"site": {"id": "a"}, "driver": [{"name": "x", "type": "nobody"}]},
        {"site": {"id": "a"}, "forwarder": [{"name": "x", "type": "file"}]},
        {"site": {"id": "a"}, "forwarder": [{"name": "x", "type": "file", "path": "x", "url": "x"}]},
    ],
)
def test_what_is_wrong_does_not_fit(data: Any) -> None:
    assert not fits(data, SCHEMA)
