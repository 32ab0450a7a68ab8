"""The list of scenarios is sound: names are unique, references come first and are measured in the same run."""

from bench.__main__ import wanted
from bench.registry import SCENARIOS


def test_names_are_unique() -> None:
    names = [s.name for s in SCENARIOS]
    assert len(set(names)) == len(names)


def test_references_come_first_and_also_in_the_long_run() -> None:
    seen: dict[str, bool] = {}
    for s in SCENARIOS:
        if s.reference is not None:
            assert s.reference in seen, s.name
            assert seen[s.reference] or not s.in_long, s.name
        for target in s.targets:
            name, sign, bound = target.split()
            assert sign in {">=", "<="}, s.name
            assert float(bound) >= 0, s.name
            assert name != "ratio" or s.reference is not None, s.name
        seen[s.name] = s.in_long


def test_a_whole_name_means_that_scenario_only() -> None:
    assert [s.name for s in SCENARIOS if wanted(s, "uplinks/native,bare")] == ["bare", "uplinks/native"]
    assert {s.name for s in SCENARIOS if wanted(s, "storage")} == {"storage/thingsboard", "storage/torhaus"}
    assert [s for s in SCENARIOS if wanted(s, "")] == SCENARIOS
