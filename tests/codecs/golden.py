"""The golden vectors beside every registered codec."""

import tomllib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from torhaus.codecs.registry import CODECS, FAMILIES

MODULES: Final = CODECS | FAMILIES


def vectors_file(name: str) -> Path:
    """Where they are."""
    spec = find_spec(MODULES[name])
    assert spec is not None
    assert spec.origin is not None, name
    return Path(spec.origin).with_suffix(".vectors.toml")


@cache
def vectors(name: str) -> list[dict[str, Any]]:
    """All of one codec, or family of codecs; not to be changed."""
    found: list[dict[str, Any]] = tomllib.loads(vectors_file(name).read_text("utf-8"))["vector"]
    return found


def payloads(name: str) -> list[bytes]:
    """Their bytes, also those that are refused; of a family's model (`family:model`) those of the family."""
    return [bytes.fromhex(vector["hex"]) for vector in vectors(name.partition(":")[0])]
