"""Every registered codec has golden vectors beside it, each names its origin, and all of them hold."""

import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.codecs.registry import CODECS, FAMILIES, load

MODULES = CODECS | FAMILIES
KEYS = {"hex", "model", "fport", "source", "expect", "reject"}


def vectors_file(name: str) -> Path:
    spec = find_spec(MODULES[name])
    assert spec is not None
    assert spec.origin is not None, name
    return Path(spec.origin).with_suffix(".vectors.toml")


def vectors(name: str) -> list[dict[str, Any]]:
    with vectors_file(name).open("rb") as file:
        found: list[dict[str, Any]] = tomllib.load(file)["vector"]
    return found


def cases() -> list[Any]:
    return [
        pytest.param(name, vector, id=f"{name}-{n}")
        for name in sorted(MODULES)
        if vectors_file(name).exists()
        for n, vector in enumerate(vectors(name))
    ]


def plain(fields: Fields) -> dict[str, dict[str, object]]:
    """Fields as the vectors write them."""
    return {
        name: {"value": field.value} if field.unit is None else {"value": field.value, "unit": field.unit}
        for name, field in fields.items()
    }


@pytest.mark.parametrize("name", sorted(MODULES))
def test_codec_has_vectors(name: str) -> None:
    assert vectors_file(name).exists(), f"no golden vectors at {vectors_file(name).name}"
    found = vectors(name)
    assert any("expect" in vector for vector in found)
    assert any("reject" in vector for vector in found), "none shows what is refused"
    seen = [(vector["hex"], vector.get("fport"), vector.get("model")) for vector in found]
    assert len(seen) == len(set(seen)), "a vector stands there twice"
    # the loaded module is the one the vectors lie beside
    if name in CODECS:
        assert load(name).__module__ == CODECS[name]


@pytest.mark.parametrize(("name", "vector"), cases())
def test_vector(name: str, vector: dict[str, Any]) -> None:
    assert set(vector) <= KEYS
    assert vector["source"].strip(), "a vector names its origin"
    assert ("expect" in vector) != ("reject" in vector), "either expect or reject"
    data = bytes.fromhex(vector["hex"])
    assert ("model" in vector) == (name in FAMILIES)
    decode = load(f"{name}:{vector['model']}" if "model" in vector else name)
    if "reject" in vector:
        with pytest.raises(DecodeError) as caught:
            decode(data, vector.get("fport"))
        assert caught.value.reason is RejectReason(vector["reject"])
        assert caught.value.detail
        return
    got = plain(decode(data, vector.get("fport")))
    assert got == vector["expect"]
    for field, want in vector["expect"].items():
        assert type(got[field]["value"]) is type(want["value"]), f"{field}: 1, 1.0 and true are not the same"
