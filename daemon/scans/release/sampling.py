"""Which documents of a batch a person looks at: random, and the same again for everybody who knows the seed. Pure.

A document's lot is SHA-256 of "<seed>:<its id>"; of each class those with the smallest are taken, as many as the
percentage says, rounded up. So at least one, and nobody can choose: the seed is made when the batch is closed, and is
in the journal with the names of all that belong to it.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping


def how_many(count: int, percent: float) -> int:
    """Of so many documents; at least one where there is one."""
    return min(count, max(1, math.ceil(round(count * percent / 100, 9)))) if count else 0


def ranked(seed: str, ids: Iterable[str]) -> list[str]:
    """In the order in which they are drawn."""
    return sorted(ids, key=lambda id_: hashlib.sha256(f"{seed}:{id_}".encode()).digest())


def draw(seed: str, groups: Mapping[str, tuple[str, ...]], percent: Mapping[str, float]) -> set[str]:
    """Ids of the documents to look at. `groups`: ids by class; `percent`: for each class."""
    drawn: set[str] = set()
    for name, ids in groups.items():
        drawn.update(ranked(seed, ids)[: how_many(len(ids), percent[name])])
    return drawn
