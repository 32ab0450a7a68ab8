"""Whatever bytes come from outside: a result, or the one refusal. `make fuzz` does a million of each.

TORHAUS_FUZZ_ROUNDS=n: so many each instead of a few thousand. TORHAUS_FUZZ_SEED=n: other changes than usual.
"""

import gc
import os
import resource
from typing import Final

import pytest

from tests.fuzz.mutate import mutants
from tests.fuzz.targets import Target, targets
from torhaus.codecs.model import MAX_DETAIL, DecodeError, RejectReason

ROUNDS: Final = int(os.environ.get("TORHAUS_FUZZ_ROUNDS", "1500"))
SEED: Final = int(os.environ.get("TORHAUS_FUZZ_SEED", "20261126"))
GROWTH_KIB: Final = 64 << 10
"""So much more memory than after the first tenth a million rounds may ever need."""
TARGETS: Final = targets()


def read(target: Target, data: bytes) -> DecodeError | None:
    """The refusal, if there is one."""
    try:
        target.read(data)
    except DecodeError as refusal:
        return refusal
    except Exception as defect:
        raise AssertionError(f"{type(defect).__name__} on {data.hex()}") from defect
    return None


@pytest.mark.timeout(24 * 3600 if ROUNDS > 100_000 else 120)
@pytest.mark.parametrize("name", sorted(TARGETS))
def test_taken_or_refused(name: str) -> None:
    target = TARGETS[name]
    taken = refused = peak = 0
    for n, data in enumerate(mutants(target.seeds, ROUNDS, SEED)):
        refusal = read(target, data)
        if refusal is None:
            taken += 1
        else:
            assert isinstance(refusal.reason, RejectReason)
            assert len(refusal.detail) <= MAX_DETAIL
            refused += 1
        if n == ROUNDS // 10:
            gc.collect()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert taken, "not even the good bytes were taken"
    assert taken + refused == ROUNDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss <= peak + GROWTH_KIB


@pytest.mark.parametrize("name", sorted(name for name in TARGETS if not name.startswith("codec/")))
def test_good_bytes_are_taken(name: str) -> None:
    for seed in TARGETS[name].seeds:
        TARGETS[name].read(seed)
