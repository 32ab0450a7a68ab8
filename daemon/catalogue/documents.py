"""Files of a catalogue: YAML, JSON and TOML from strangers, bounded in size, and read as the catalogues mean them.

YAML as YAML 1.2 has it (`off`, `y` and dates are text), which the public catalogues are written in. Aliases are
refused: a page of them can stand for gigabytes.
"""

import re
import tomllib
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

MAX_BYTES: Final = 4 << 20

_CORE: Final = (
    ("tag:yaml.org,2002:null", r"(?:~|null|Null|NULL|)\Z", "~nN\0"),
    ("tag:yaml.org,2002:bool", r"(?:true|True|TRUE|false|False|FALSE)\Z", "tTfF"),
    ("tag:yaml.org,2002:int", r"(?:[-+]?[0-9]{1,40}|0o[0-7]{1,40}|0x[0-9a-fA-F]{1,40})\Z", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z",
        "-+0123456789.",
    ),
)
"""YAML 1.2.2, section 10.3.2: tag, form, first characters."""


class Unreadable(ValueError):  # noqa: N818 - what a file is
    """A file that is not what it should be; the text says why."""


def read(path: Path) -> Any:  # noqa: ANN401 - a document of strangers
    """A document, by the ending of its name: as JSON would have it. Raises Unreadable, and OSError."""
    if not path.is_file():
        raise Unreadable(f"{path.name} is not there")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Unreadable(f"{path.name} is larger than {MAX_BYTES} bytes")
    try:
        if path.suffix == ".json":
            return msgspec.json.decode(data)
        text = data.decode("utf-8-sig")
        found = tomllib.loads(text) if path.suffix == ".toml" else _yaml(text)
        return msgspec.json.decode(msgspec.json.encode(found))  # what JSON has no form for shows here
    except UnicodeDecodeError:
        raise Unreadable(f"{path.name} is not UTF-8 text") from None
    except RecursionError:
        raise Unreadable(f"{path.name} is nested too deep") from None
    except (ValueError, TypeError, OverflowError, msgspec.DecodeError) as e:
        first = str(e).split("\n", 1)[0]
        raise Unreadable(f"{path.name}: {first}") from None


def has_yaml() -> bool:
    """Whether the library for YAML is installed (the extra `profiles`)."""
    try:
        import yaml  # noqa: F401
    except ImportError:
        return False
    return True


def _yaml(text: str) -> Any:  # noqa: ANN401
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {}

    for tag, form, first in _CORE:
        Loader.add_implicit_resolver(tag, re.compile(form), ["" if c == "\0" else c for c in first])
    Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: _integer(loader.construct_scalar(node)))
    Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: _number(loader.construct_scalar(node)))
    try:
        if "&" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise ValueError("has aliases (*name), which are not read")
        return yaml.load(text, Loader)  # noqa: S506 - a safe loader
    except (KeyError, AttributeError):  # of its constructors for `!!bool` and `!!timestamp`
        raise ValueError("has a value that is not what its tag says") from None
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        raise ValueError(f"line {mark.line + 1}: {getattr(e, 'problem', e)}" if mark else str(e)) from None


def _integer(text: str) -> int:
    for prefix, base in (("0o", 8), ("0x", 16)):
        if text.startswith(prefix):
            return int(text[2:], base)
    return int(text)


def _number(text: str) -> float:
    lower = text.lower()
    return float(lower.replace(".inf", "inf").replace(".nan", "nan"))
