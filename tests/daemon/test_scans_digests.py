import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.daemon.scans.digests import digest_field, sha256_of

# RFC 9530 appendix B.1: sha-256 of `{"hello": "world"}\n`
BODY = b'{"hello": "world"}\n'
FIELD = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"


def test_vector_of_the_standard() -> None:
    digest = hashlib.sha256(BODY).hexdigest()
    assert digest_field(digest) == FIELD
    assert sha256_of([FIELD]) == digest


@pytest.mark.parametrize("values", [["sha-512=:YWJj:, " + FIELD], ["sha-512=:YWJj:", FIELD], [FIELD + " ,md5=:YQ==:"]])
def test_other_algorithms_beside_it(values: list[str]) -> None:
    assert sha256_of(values) == hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize(
    "values",
    [[], [""], ["sha-256=RK/0"], ["sha-256=:YWJj:"], [FIELD[:-1]], ["SHA-256" + FIELD[7:]], [FIELD + ",junk"],
     ["sha-256=:====:"], [FIELD + " " * 3000]],
)  # fmt: skip
def test_malformed_is_none(values: list[str]) -> None:
    assert sha256_of(values) is None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=4))
def test_anything_is_survived(values: list[str]) -> None:
    result = sha256_of(values)
    assert result is None or len(result) == 64
