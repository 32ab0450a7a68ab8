"""What would be right, in words: types and their limits as a technician reads them."""

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from msgspec import inspect

_MAX_SHOWN: Final = 60
_MAX_NAMES: Final = 20
_PRIVATE: Final = re.compile(r"(?i)passw|secret|token|credential|(^|_)key(_|$)|(^|_)pin($|_)")
_USERINFO: Final = re.compile(r"//[^/@\s]*@")
_HEX: Final = re.compile(r"\^\[0-9a-fA-F\]\{(\d+)\}")
_KIND: Final = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def show(value: Any, key: str = "") -> str:  # noqa: ANN401 - whatever TOML holds
    """A value for a message: one short line; nothing of what may be a secret."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if _PRIVATE.search(key):
            return "text that is not shown here"
        return quote(_USERINFO.sub("//…@", value))
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, dict):
        return "a table"
    return str(value)[:_MAX_SHOWN]


def quote(text: str) -> str:
    """In double quotes, on one line, cut where it is long."""
    text = text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
    return json.dumps(text, ensure_ascii=not text.isprintable())


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean …?)`, or nothing where nothing is alike."""
    import difflib  # for faults only

    near = difflib.get_close_matches(word[:_MAX_SHOWN].lower(), list(known), n=1, cutoff=0.6)
    return f" (did you mean {quote(near[0])}?)" if near else ""


def not_known(word: str, known: Iterable[str]) -> str:
    """`is not known here`, with the key that was meant, or else the first keys that there are."""
    names = list(known)
    some = ", ".join([*names[:_MAX_NAMES], *(["…"] if len(names) > _MAX_NAMES else [])])
    return f"is not known here{did_you_mean(word, names) or (f' (known: {some})' if names else '')}"


def expected(type_: Any) -> str:  # noqa: ANN401 - any annotation
    """What a value of this type must be."""
    return _words(inspect.type_info(type_))


def literals(type_: Any) -> list[str]:  # noqa: ANN401 - any annotation
    """The texts that are allowed, where only some are."""
    return [
        v
        for part in _parts(inspect.type_info(type_))
        if isinstance(part, inspect.LiteralType)
        for v in part.values
        if isinstance(v, str)
    ]


def _parts(info: inspect.Type) -> list[inspect.Type]:
    if isinstance(info, inspect.Metadata):
        return _parts(info.type)
    if isinstance(info, inspect.UnionType):
        return [p for t in info.types for p in _parts(t)]
    return [info]


def _words(info: inspect.Type) -> str:
    match info:
        case inspect.Metadata():
            described = (info.extra_json_schema or {}).get("description")
            return str(described) if described else _words(info.type)
        case inspect.UnionType():
            return " or ".join(dict.fromkeys(_words(t) for t in info.types if not isinstance(t, inspect.NoneType)))
        case inspect.LiteralType():
            values = [quote(v) if isinstance(v, str) else str(v) for v in info.values]
            return values[0] if len(values) == 1 else "one of " + ", ".join(values)
        case inspect.BoolType():
            return _KIND[bool]
        case inspect.IntType():
            return _KIND[int] + _limits(info)
        case inspect.FloatType():
            return _KIND[float] + _limits(info)
        case inspect.StrType():
            return _text(info)
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            tables = all(isinstance(p, inspect.StructType | inspect.DictType) for p in _parts(info.item_type))
            some = f" with at least {info.min_length}" if info.min_length else ""
            return "a list of tables" if tables else f"a list{some} of: {_words(info.item_type)}"
        case inspect.DictType() | inspect.StructType():
            return "a table"
        case _:
            return f"of type {type(info).__name__.removesuffix('Type').lower()}"


def _limits(info: inspect.IntType | inspect.FloatType) -> str:
    low = info.ge if info.ge is not None else info.gt
    high = info.le if info.le is not None else info.lt
    if info.ge is not None and info.le is not None:
        return f" from {_number(info.ge)} to {_number(info.le)}"
    words = []
    if low is not None:
        words.append(f"at least {_number(low)}" if info.ge is not None else f"greater than {_number(low)}")
    if high is not None:
        words.append(f"at most {_number(high)}" if info.le is not None else f"less than {_number(high)}")
    return (" " + " and ".join(words)) if words else ""


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def _text(info: inspect.StrType) -> str:
    """Patterns that are common in words; the others as they are."""
    pattern = info.pattern or ""
    if pattern.startswith("^/"):
        return "an absolute path"
    digits = _HEX.match(pattern)
    return f"{digits[1]} hex digits" if digits else _KIND[str] + _shape(info)


def _shape(info: inspect.StrType) -> str:
    words = []
    if info.min_length is not None and info.max_length is not None:
        words.append(f"of {info.min_length} to {info.max_length} characters")
    elif info.min_length is not None:
        words.append("that is not empty" if info.min_length == 1 else f"of at least {info.min_length} characters")
    elif info.max_length is not None:
        words.append(f"of at most {info.max_length} characters")
    if info.pattern is not None:
        words.append(f"that matches {info.pattern.removesuffix(chr(92) + 'Z')}")
    return (" " + ", ".join(words)) if words else ""
