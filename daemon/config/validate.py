"""TOML values to msgspec structs, with every fault: msgspec.convert stops at the first.

What a struct says is what holds: its types, Meta limits, tags and `__post_init__`. Three rules go by the key's name, so
that every plug-in has them: `…_bytes` also takes "64 MiB"; paths are made absolute from the folder of the
configuration; `…_file` also takes `credential:NAME`.
"""

import math
import re
import types
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from torhaus.daemon.config.expect import did_you_mean, expected, literals, not_known, quote, show
from torhaus.daemon.config.lines import KeyPath
from torhaus.daemon.config.model import SIZE_WORDS, parse_size
from torhaus.drivers.secret import CREDENTIAL, SecretError, secret_path

S = TypeVar("S", bound=msgspec.Struct)

MAX_FAULTS: Final = 1000
"""Nobody reads more; a wrong file must not make a thousand times its size of messages."""

_SEQUENCES: Final[dict[Any, Any]] = {list: list, tuple: tuple, set: set, frozenset: frozenset}
_VERBS: Final = re.compile(r"(?:is|has|must|needs|takes|starts|ends|cannot|may) ")


class _Bad:
    """Stands for a value that has a fault."""


_BAD: Final = _Bad()


class Validator:
    """Collects faults as (key path, what is wrong) while values are converted. `base`: where relative paths start."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.faults: dict[KeyPath, str] = {}
        self.files: dict[KeyPath, Path] = {}
        """What `…_file` and `…_dir` keys name, whether it is there or not."""

    def fault(self, path: KeyPath, text: str) -> None:
        """One more. A key has at most one fault: the first."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.setdefault(path, text)

    def struct(self, value: object, cls: type[S], path: KeyPath = (), *, also: Iterable[str] = ()) -> S | None:
        """The struct, or None when there are faults. `also` are keys that are right elsewhere, for suggestions."""
        found = self._struct(value, cls, path, also)
        return found if isinstance(found, cls) else None

    def _struct(self, value: object, cls: type[msgspec.Struct], path: KeyPath, also: Iterable[str] = ()) -> Any:  # noqa: ANN401
        if not isinstance(value, dict):
            self.fault(path, f"is {show(value)}, must be a table")
            return _BAD
        config = cls.__struct_config__
        fields = _fields(cls)
        tag_key = config.tag_field if config.tag is not None else None
        known = [*fields, *([tag_key] if tag_key else [])]
        good = True
        for key in value:
            if key not in known:
                self.fault((*path, key), not_known(key, dict.fromkeys([*known, *also])))
                good = False
        if tag_key in value and value[tag_key] != config.tag:
            tag = config.tag
            self.fault((*path, str(tag_key)), f"is {show(value[tag_key])}, must be {quote(str(tag))}")
            good = False
        made: dict[str, Any] = {}
        for key, field in fields.items():
            if key in value:
                made[field.name] = self._field(value[key], field, (*path, key))
                good = good and made[field.name] is not _BAD
            elif field.required:
                self.fault((*path, key), f"is missing (must be {expected(field.type)})")
                good = False
        bad = [key for key, field in fields.items() if made.get(field.name) is _BAD]
        try:  # also where a key has a fault: the struct's own check may find more in the others
            whole = cls(**{name: v for name, v in made.items() if v is not _BAD})
        except TypeError:  # a key that must be there is not, or has a fault
            return _BAD
        except ValueError as e:
            self._refused(str(e), path, value, fields, bad)
            return _BAD
        return whole if good else _BAD

    def _refused(
        self, text: str, path: KeyPath, value: dict[str, Any], fields: Iterable[str], bad: Iterable[str]
    ) -> None:
        """A struct's own check failed: at the key that it names, or whose value it quotes, or else at the table."""
        text = " ".join(text.split())
        if any(re.search(rf"\b{re.escape(key)}\b", text) for key in bad):
            return  # it complains of a default that stood in for a fault
        first, _, rest = text.partition(" ")
        if first.rstrip(":") in fields:
            words = rest if first.endswith(":") or _VERBS.match(rest) else text
            self.fault((*path, first.rstrip(":")), words)
            return
        quoting = [
            key for key, v in value.items() if any(_is_quoted(t, text) for t in (v if isinstance(v, list) else [v]))
        ]
        self.fault((*path, quoting[0]) if len(quoting) == 1 else path, text)

    def _field(self, value: object, field: FieldInfo, path: KeyPath) -> Any:  # noqa: ANN401
        name = field.encode_name
        if name.endswith("_bytes") and isinstance(value, str):
            try:
                value = parse_size(value)
            except ValueError:
                self.fault(path, f"is {show(value)}, must be {SIZE_WORDS}")
                return _BAD
        if isinstance(value, str) and value.startswith(CREDENTIAL) and name.endswith("_file"):
            try:
                value = str(secret_path(value, self.base))
            except SecretError as e:
                self.fault(path, str(e))
                return _BAD
        made = self._value(value, field.type, path)
        if (
            isinstance(made, str)
            and made
            and (name in {"path", "dir", "file", "socket"} or name.endswith(("_file", "_dir", "_path")))
        ):
            made = self.base / made
            if name.endswith(("_file", "_dir")):
                self.files[path] = made
            return str(made)
        return made

    def _value(self, value: object, type_: Any, path: KeyPath) -> Any:  # noqa: ANN401
        plain = _plain(type_)
        if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
            return self._struct(value, plain, path)
        tagged = _tagged(plain)
        if tagged:
            return self._tagged(value, tagged, path)
        origin, args = get_origin(plain), get_args(plain)
        if origin in _SEQUENCES and isinstance(value, list) and (origin is not tuple or args[1:] == (Ellipsis,)):
            items = [self._value(v, args[0], (*path, i)) for i, v in enumerate(value)]
            return _BAD if any(i is _BAD for i in items) else self._leaf(value, type_, path, _SEQUENCES[origin](items))
        if origin is dict and isinstance(value, dict):
            pairs = {k: self._value(v, args[1], (*path, k)) for k, v in value.items()}
            return _BAD if any(v is _BAD for v in pairs.values()) else self._leaf(value, type_, path, pairs)
        return self._leaf(value, type_, path)

    def _tagged(self, value: object, classes: dict[str, type[msgspec.Struct]], path: KeyPath) -> Any:  # noqa: ANN401
        if not isinstance(value, dict):
            self.fault(path, f"is {show(value)}, must be a table")
            return _BAD
        key = next(iter(classes.values())).__struct_config__.tag_field or "type"
        tags = ", ".join(map(quote, classes))
        if key not in value:
            self.fault((*path, key), f"is missing (must be one of {tags})")
            return _BAD
        tag = value[key]
        cls = classes.get(tag) if isinstance(tag, str) else None
        if cls is None:
            near = did_you_mean(tag, classes) if isinstance(tag, str) else ""
            self.fault((*path, key), f"is {show(tag)}, must be one of {tags}{near}")
            return _BAD
        return self._struct(value, cls, path)

    def _leaf(self, value: object, type_: Any, path: KeyPath, made: object = None) -> Any:  # noqa: ANN401
        """Convert a value that holds no struct, or check the limits of a list or table whose items are `made`."""
        if isinstance(value, float) and not math.isfinite(value):
            self.fault(path, f"is {value}, must be a finite number")
            return _BAD
        try:
            if made is None or not _holds_structs(type_):
                return msgspec.convert(value, type_)
            low, high = _lengths(type_)
            if low <= len(made) <= high:  # type: ignore[arg-type]
                return made
        except (msgspec.ValidationError, OverflowError):
            pass
        what = (
            f"is {show(value, next((k for k in reversed(path) if isinstance(k, str)), ''))}, must be {expected(type_)}"
        )
        if isinstance(value, dict) and isinstance(path[-1], str) and "list of tables" in what:
            what += f": write [[{path[-1]}]]"
        near = did_you_mean(value, literals(type_)) if isinstance(value, str) else ""
        self.fault(path, what + near)
        return _BAD


def _is_quoted(value: object, text: str) -> bool:
    return isinstance(value, str) and len(value) > 1 and (repr(value) in text or f'"{value}"' in text)


@cache
def _fields(cls: type[msgspec.Struct]) -> dict[str, FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(cls)}


def _plain(type_: Any) -> Any:  # noqa: ANN401 - any annotation
    """Without Annotated and without None: TOML has no null."""
    while get_origin(type_) is Annotated:
        type_ = get_args(type_)[0]
    if get_origin(type_) in {Union, types.UnionType}:
        some = [t for t in get_args(type_) if t is not type(None)]
        if len(some) == 1:
            return _plain(some[0])
    return type_


def _tagged(plain: Any) -> dict[str, type[msgspec.Struct]]:  # noqa: ANN401 - any annotation
    """Tag to struct, where the type is a union of tagged structs."""
    members = (
        [t for t in get_args(plain) if t is not type(None)] if get_origin(plain) in {Union, types.UnionType} else []
    )
    if not members or not all(isinstance(t, type) and issubclass(t, msgspec.Struct) for t in members):
        return {}
    return {str(t.__struct_config__.tag): t for t in members}


def _holds_structs(type_: Any) -> bool:  # noqa: ANN401 - any annotation
    return any(
        bool(_tagged(p)) or (isinstance(p, type) and issubclass(p, msgspec.Struct)) or _holds_structs(p)
        for p in map(_plain, get_args(_plain(type_)))
    )


def _lengths(type_: Any) -> tuple[int, float]:  # noqa: ANN401 - any annotation
    for meta in get_args(type_)[1:] if get_origin(type_) is Annotated else ():
        if isinstance(meta, msgspec.Meta):
            return meta.min_length or 0, math.inf if meta.max_length is None else meta.max_length
    return 0, math.inf
