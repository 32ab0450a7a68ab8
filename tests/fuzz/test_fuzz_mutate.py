"""The changes: repeatable, bounded, and many."""

from tests.fuzz.mutate import MAX_BYTES, mutants

SEEDS = [b'{"a": 12.5, "b": [1, 2]}', b"\x40\x01\x02\x03\x04\x00\x05\x06", b"x"]


def test_the_same_seed_the_same_bytes() -> None:
    assert list(mutants(SEEDS, 500, 1)) == list(mutants(SEEDS, 500, 1))
    assert list(mutants(SEEDS, 500, 1)) != list(mutants(SEEDS, 500, 2))


def test_most_are_new_and_none_is_long() -> None:
    found = list(mutants(SEEDS, 2000, 3))
    assert len(set(found)) > 1000
    assert max(map(len, found)) <= MAX_BYTES
    assert any(seed in found for seed in SEEDS)
