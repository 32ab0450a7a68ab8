import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.daemon.evidence import proofs

# RFC 8032 section 7.1, tests 1 to 3: public key, message, signature
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
        "655141438e7a100b"),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
        "b00d291612bb0c00"),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        ("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
        "c027beceea1ec40a"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_vectors_of_rfc_8032(key: str, message: str, signature: str) -> None:
    parts = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature)
    assert proofs.ed25519_good(*parts)
    assert not proofs.ed25519_good(parts[0], parts[1] + b"x", parts[2])
    too_large = (int.from_bytes(parts[2][32:], "little") + proofs._L).to_bytes(32, "little")
    assert not proofs.ed25519_good(parts[0], parts[1], parts[2][:32] + too_large)


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.integers(0, 64 * 8 - 1))
def test_it_agrees_with_the_library(seed: bytes, message: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert proofs.ed25519_good(public, message, signature)
    bent = bytearray(signature)
    bent[bit // 8] ^= 1 << bit % 8
    assert not proofs.ed25519_good(public, message, bytes(bent))


@pytest.mark.parametrize("key", [b"", b"\xff" * 32, b"\x02" + bytes(31), bytes(31), bytes(33)])
def test_what_is_no_key_or_signature(key: bytes) -> None:
    assert not proofs.ed25519_good(key, b"", bytes(64))
    assert not proofs.ed25519_good(bytes(32), b"", key)


def rfc_6962(leaves: list[bytes]) -> bytes:
    """Section 2.1 as it is written."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + rfc_6962(leaves[:k]) + rfc_6962(leaves[k:])).digest()


def test_trees_of_every_size_have_the_root_of_the_rfc_and_a_path_for_each_leaf() -> None:
    leaves = [proofs.leaf_hash(b"%d" % n) for n in range(40)]
    for size in range(1, len(leaves) + 1):
        tree = leaves[:size]
        root = proofs.tree_root(tree)
        assert root == rfc_6962(tree)
        for n in range(size):
            path = proofs.path_to(n, tree)
            assert proofs.root_by_path(tree[n], n, size, path) == root
            for wrong in ((n + 1, size, path), (n, size, path[:-1]), (n, size, [*path, bytes(32)])):
                assert wrong[2] == path[:-1] == path or proofs.root_by_path(tree[n], *wrong) != root
    assert proofs.tree_root([]) == hashlib.sha256().digest()
    assert proofs.root_by_path(leaves[0], 0, 0, []) is None


def test_signatures_over_json() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = key.public_key().public_bytes_raw().hex()
    said = {"seq": 1, "key": public, "signature": "", "hash": "ä"}
    signed = said | {"signature": key.sign(proofs.canonical(said)).hex()}
    assert proofs.signature_good(signed, public)
    assert not proofs.signature_good(signed | {"seq": 2}, public)
    for odd in ({}, {"signature": 3}, signed | {"signature": "zz"}, signed | {"key": "00" * 32}):
        assert not proofs.signature_good(odd, public)
    assert not proofs.signature_good(signed, "nothing")
