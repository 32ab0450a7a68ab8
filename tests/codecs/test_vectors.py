"""Every registered codec has golden vectors beside it, each names its origin, and all of them hold."""

from typing import Any

import pytest

from tests.codecs.golden import MODULES, vectors, vectors_file
from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.codecs.registry import CODECS, FAMILIES, load

KEYS = {"hex", "model", "fport", "source", "expect", "reject"}


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
