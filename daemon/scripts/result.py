"""From what a script returned, as JSON text, to named values. Pure.

Shapes that are understood: TS013's `{data, warnings, errors}`; the same values without that wrapper (older functions,
and scripts that forget it); under `data` an object, or a list of measurements `{variable, value, …}`, or another list.
Nested names are joined by an underscore, array items by their index. Scripts name no units, so no value has one.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value
from torhaus.daemon.scripts.protocol import MAX_FIELDS, MAX_NAME, MAX_WARNING, MAX_WARNINGS, Decoded

MAX_DEPTH: Final = 16
"""Levels of nesting; published scripts use up to six."""
MAX_TEXT: Final = 2048
"""Characters of one text value; published scripts use up to 1,186."""

_LOOKED_AT: Final = 4 * MAX_NAME
"""Characters of a name that are looked at and remembered."""
_SAFE_INTEGER: Final = (1 << 53) - 1
_NOTES: Final = frozenset({"warnings", "errors"})
_WRAPPER: Final = _NOTES | {"data"}
_WORD: Final = re.compile(r"(?:(?<=[a-z][a-z0-9])|(?<=[0-9]))(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z][a-z])")
_OTHER: Final = re.compile(r"[^a-z0-9]+")
_SPELLED: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "µ": "u", "μ": "u"}
)


def read_result(text: str, wrapped: bool = True) -> Decoded:
    """What a script's JSON says. `wrapped` says that the script should return `{data, warnings, errors}`.

    Raises DecodeError: SCRIPT_ERROR when the script itself reports errors, SCRIPT_RESULT for anything that is not a
    set of values within the bounds.
    """
    try:
        result = msgspec.json.decode(text)
    except RecursionError:
        raise DecodeError(RejectReason.SCRIPT_RESULT, f"nested deeper than {MAX_DEPTH} levels") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise DecodeError(RejectReason.SCRIPT_RESULT, f"the result is not JSON: {error}") from None
    if isinstance(result, list):
        return Decoded(to_fields(result))
    if not isinstance(result, dict):
        raise DecodeError(RejectReason.SCRIPT_RESULT, f"returned {_kind(result)}, not an object")
    if not wrapped and not result.keys() <= _WRAPPER:
        return Decoded(to_fields(result))
    errors = notes(result.get("errors"))
    if errors:
        raise DecodeError(RejectReason.SCRIPT_ERROR, "; ".join(errors))
    warnings = notes(result.get("warnings"))
    data = result.get("data")
    if isinstance(data, dict | list):
        return Decoded(to_fields(data), warnings)
    values = {name: value for name, value in result.items() if name not in _NOTES or isinstance(value, int | float)}
    if not values or values == {"data": None}:
        raise DecodeError(RejectReason.SCRIPT_RESULT, "returned no data")
    return Decoded(to_fields(values), warnings)


def to_fields(data: object) -> Fields:
    """Nested values as named ones. DecodeError(SCRIPT_RESULT) when there are too many, too long or too deep ones."""
    found: list[tuple[str, Scalar]] = []
    for path, scalar in _walk(data, "", 0):
        if len(found) == MAX_FIELDS:
            raise DecodeError(RejectReason.SCRIPT_RESULT, f"more than {MAX_FIELDS} values")
        found.append((path, scalar))
    fields = {clean(path): Value(scalar) for path, scalar in found}
    return fields if len(fields) == len(found) else _distinct(found)


def _distinct(found: list[tuple[str, Scalar]]) -> Fields:
    """As to_fields where cleaned names collide: none is lost, and who gets which name does not depend on the order.

    A name that needed no cleaning keeps it; the others follow by their original spelling as name_2, name_3, ….
    """
    names: list[str] = [""] * len(found)
    taken: set[str] = set()
    for index in sorted(range(len(found)), key=lambda i: (clean(found[i][0]) != found[i][0], found[i][0], i)):
        plain = name = clean(found[index][0])
        number = 1
        while name in taken:
            number += 1
            tail = f"_{number}"
            name = plain[: MAX_NAME - len(tail)] + tail
        taken.add(name)
        names[index] = name
    return {name: Value(scalar) for name, (_, scalar) in zip(names, found, strict=True)}


def clean(path: str) -> str:
    """A name as lower_snake_case of [a-z0-9_], at most MAX_NAME characters.

    temperatureC → temperature_c, TempC_SHT → temp_c_sht, battery mV → battery_mv, Außen → aussen.
    """
    return _clean(path[:_LOOKED_AT])


@lru_cache(maxsize=4096)
def _clean(path: str) -> str:
    if not path.isascii():
        path = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", path).translate(_SPELLED))
        path = path.encode("ascii", "ignore").decode()
    words = _OTHER.sub("_", _WORD.sub("_", path).lower()).strip("_")
    return words[:MAX_NAME].rstrip("_") or "value"


def _walk(value: object, path: str, depth: int) -> Iterator[tuple[str, Scalar]]:
    if depth > MAX_DEPTH:
        raise DecodeError(RejectReason.SCRIPT_RESULT, f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, f"{path}_{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        named = not path and all(_is_measurement(item) for item in value)
        for index, inner in enumerate(value):
            if named:
                yield from _measurement(inner, depth + 1)
            else:
                yield from _walk(inner, f"{path or 'value'}_{index}", depth + 1)
    else:
        yield path, _scalar(path, value)


def _is_measurement(item: object) -> bool:
    """An item of a list like [{variable: "temperature", value: 21.4, date: …}, …]."""
    return (
        isinstance(item, dict) and "value" in item and isinstance(item.get("variable"), str) and bool(item["variable"])
    )


def _measurement(item: dict[str, object], depth: int) -> Iterator[tuple[str, Scalar]]:
    name = str(item["variable"])
    for key, inner in item.items():
        if key != "variable":
            yield from _walk(inner, name if key == "value" else f"{name}_{key}", depth + 1)


def _scalar(path: str, value: object) -> Scalar:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise DecodeError(RejectReason.SCRIPT_RESULT, f"{clean(path)}: a text of {len(value)} characters")
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE_INTEGER:
        return float(value)  # JavaScript has only doubles: further digits were never there
    assert value is None or isinstance(value, bool | int | float)
    return value


def notes(value: object) -> list[str]:
    """Warnings or errors: a list by TS013, but a text or an object is seen, too. Numbers are the device's values."""
    if not value or not isinstance(value, str | list | dict):
        return []
    items = value[:MAX_WARNINGS] if isinstance(value, list) else [value]
    texts = [item if isinstance(item, str) else msgspec.json.encode(item).decode() for item in items if item]
    return [text[:MAX_WARNING] for text in texts if text]


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a truth value"
    return "a text" if isinstance(value, str) else "a number"
