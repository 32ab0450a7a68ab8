import hashlib

import pytest

from torhaus.daemon.scans.release.sampling import draw, how_many


@pytest.mark.parametrize(
    ("count", "percent", "want"),
    [(0, 4, 0), (1, 4, 1), (25, 4, 1), (26, 4, 2), (100, 3, 3), (101, 3, 4), (7, 100, 7), (3, 0.01, 1), (100, 7, 7)],
)
def test_how_many(count: int, percent: float, want: int) -> None:
    assert how_many(count, percent) == want


def test_the_same_seed_draws_the_same_and_anybody_can_do_it_again() -> None:
    ids = tuple(f"rathaus/0/{n}" for n in range(200))
    first = draw("seed", {"a": ids}, {"a": 5.0})
    assert first == draw("seed", {"a": tuple(reversed(ids))}, {"a": 5.0})
    assert first == set(sorted(ids, key=lambda i: hashlib.sha256(f"seed:{i}".encode()).hexdigest())[:10])
    assert first != draw("other", {"a": ids}, {"a": 5.0})


def test_every_class_has_its_own_share() -> None:
    groups = {"a": tuple(f"a{n}" for n in range(50)), "b": ("b0", "b1")}
    drawn = draw("s", groups, {"a": 10.0, "b": 1.0})
    assert (len([d for d in drawn if d[0] == "a"]), len([d for d in drawn if d[0] == "b"])) == (5, 1)


def test_all_are_drawn_about_equally_often() -> None:
    ids = tuple(map(str, range(20)))
    times = dict.fromkeys(ids, 0)
    for seed in range(2000):
        for id_ in draw(str(seed), {"": ids}, {"": 10.0}):
            times[id_] += 1
    assert all(150 < n < 250 for n in times.values())  # 200 expected, deviation 13
