"""Values in wrappings that say nothing of the device, as native codecs give the same.

`{decoded: {result: {…}, timeseries: […]}}` of Sensative, `{port, …, payload: {device: {…}, data: {…}}}` of comtac.
"""

from collections.abc import Iterable
from typing import Any, Final

from torhaus.codecs.model import Fields
from torhaus.daemon.scripts.result import clean, to_fields

_OF_THE_CLOCK: Final = frozenset({"timestamps", "timestamp", "deviceTimeTimestamp"})
_OF_THE_DECODER: Final = frozenset({"schema", "appVersions", "translatorVersion"})
_TWICE: Final = frozenset({"semtechEncoded"})
_LEFT_OUT: Final = _OF_THE_CLOCK | _OF_THE_DECODER | _TWICE
_LEVELS: Final = ("output", "vsm")
"""Levels whose names say nothing."""
_AGE: Final = "_age"
_PORT_AND_PAYLOAD: Final = frozenset({"port", "portFunction", "payloadLength", "decoder", "payload"})


def unwrapped(expected: object, fields: Fields) -> dict[str, Any] | None:
    """Name to value; None when what is expected has another shape. Ages are taken as they were decoded."""
    if isinstance(expected, dict) and expected.keys() == _PORT_AND_PAYLOAD:
        return _of_port(expected["payload"])
    decoded = expected.get("decoded") if isinstance(expected, dict) and expected.keys() == {"decoded"} else None
    result = decoded.get("result") if isinstance(decoded, dict) else None
    if not isinstance(decoded, dict) or not isinstance(result, dict):
        return None
    kept = _without(result)
    for level in _LEVELS:
        kept |= kept.pop(level, {})
    found = {name: value.value for name, value in to_fields(kept).items()}
    found |= _older(decoded.get("timeseries") or [])
    return found | {name: value.value for name, value in fields.items() if name.endswith(_AGE)}


def _of_port(payload: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in payload.items() if name != "data"} | payload.get("data", {})
    return {name: value.value for name, value in to_fields(_seconds(kept)).items()}


def _seconds(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Times are said twice, as number and as text: the number. A level is a number with its unit."""
    if isinstance(value, list):
        return [_seconds(inner) for inner in value]
    if not isinstance(value, dict):
        return int(value[:-1]) if isinstance(value, str) and value[:-1].isdigit() and value[-1] == "%" else value
    if value.keys() == {"unix", "string"}:
        return value["unix"]
    return {name: _seconds(inner) for name, inner in value.items()}


def _without(value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without(inner) if isinstance(inner, dict) else inner
        for name, inner in value.items()
        if name not in _LEFT_OUT
    }


def _older(series: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Of an output that comes more than once all but the first, which is the newest."""
    seen: set[str] = set()
    found: dict[str, Any] = {}
    for sample in series:
        for name, value in sample["value"]["output"].items():
            if name in seen:
                found[f"history_{len(found)}_{clean(name)}"] = value
            seen.add(name)
    return found
