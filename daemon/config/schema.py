"""JSON Schema (2020-12) of `torhaus.toml`, plug-ins included: editors complete and check with it."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from torhaus.daemon.config.model import SIZE_PATTERN, DriverCommon, ForwarderCommon, Root
from torhaus.daemon.forward import registry as forwarders
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.targets import registry as targets
from torhaus.drivers import registry as drivers

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REF: Final = "#/$defs/{name}"


def schema() -> dict[str, Any]:
    """The schema. A plug-in whose library is not installed is left out."""
    parts = [Root, DriverCommon, ForwarderCommon, ScanConfig]
    (*_, scan), defs = msgspec.json.schema_components(parts, ref_template=_REF)
    whole, every_driver, shared = (defs.pop(p.__name__) for p in parts[:3])
    driver = [_plugin("driver", t, drivers.load, defs, every_driver) for t in drivers.names()]
    forwarder = [_plugin("forwarder", t, forwarders.load, defs, shared) for t in sorted(forwarders.FORWARDERS)]
    whole["properties"]["driver"] = _tables(driver)
    whole["properties"]["forwarder"] = _tables(forwarder)
    defs.pop("TargetConfig")
    target = [_plugin("scan_target", t, targets.load, defs) for t in sorted(targets.TARGETS)]
    defs["ScanConfig"]["properties"]["target"] = _tables(target)
    whole["properties"]["scan"] = scan
    whole |= {"title": "torhaus.toml", "description": "Configuration of torhaus"}
    result: dict[str, Any] = _portable({"$schema": DIALECT, **whole, "$defs": defs})
    return result


def _tables(refs: list[dict[str, Any] | None]) -> dict[str, Any]:
    return {"type": "array", "items": {"oneOf": [r for r in refs if r is not None]}}


def _plugin(
    kind: str,
    type_: str,
    load: Callable[[str], Any],
    defs: dict[str, Any],
    shared: dict[str, Any] | None = None,
) -> dict[str, Any] | None:
    """The plug-in's own struct, with the keys that all of its kind share if it lacks them, under names of its own."""
    try:
        config = load(type_).Config
    except ImportError:
        return None
    prefix = f"{kind}_{type_}_"
    (ref,), parts = msgspec.json.schema_components([config], ref_template=f"#/$defs/{prefix}{{name}}")
    own = parts[ref["$ref"].removeprefix(f"#/$defs/{prefix}")]
    own["properties"] = {**own["properties"], "type": {"const": type_}}
    if shared is not None:
        own["properties"] = {**shared["properties"], **own["properties"], "name": shared["properties"]["name"]}
    own["required"] = ["name", "type", *(k for k in own.get("required", ()) if k not in {"name", "type"})]
    defs |= {prefix + name: part for name, part in parts.items()}
    return dict(ref)


def _portable(part: Any, key: str = "") -> Any:  # noqa: ANN401 - JSON
    """Patterns as ECMA 262 writes them, texts such as "64 MiB" for `…_bytes`, and no null, which TOML does not have."""
    if isinstance(part, list | tuple):
        return [_portable(p) for p in part]
    if not isinstance(part, dict):
        return part
    made = {k: _portable(v, k) for k, v in part.items()}
    if made.get("default", 0) is None:
        del made["default"]
    options = [o for o in made.get("anyOf", ()) if o != {"type": "null"}]
    if "anyOf" in made and len(options) == 1:
        made = {**{k: v for k, v in made.items() if k != "anyOf"}, **options[0]}
    elif options:
        made["anyOf"] = options
    if isinstance(made.get("pattern"), str):
        made["pattern"] = made["pattern"].replace(r"\Z", "$")
    if key.endswith("_bytes") and made.get("type") == "integer":
        outer = {k: made.pop(k) for k in ("description", "default") if k in made}
        made = {**outer, "anyOf": [made, {"type": "string", "pattern": SIZE_PATTERN}]}
    return made
