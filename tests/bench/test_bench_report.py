"""Comparison with earlier results, ratios, targets, and the table in the page."""

from pathlib import Path

import pytest

from bench import report
from bench.report import Outcome, Results
from bench.scenario import Figures, Scenario

HERE = {"cpu": "one", "cores": "2"}


def outcome(at: str = "2026-01-01T00:00:00", records: int = 100, **figures: float) -> Outcome:
    return Outcome(at, records, figures, [figures])


def scenario(name: str, main: str = "uplinks_per_s", **more: object) -> Scenario:
    return Scenario(name, f"title of {name}", lambda _: {}, main, **more)  # type: ignore[arg-type]


def test_the_median_of_each_figure_that_all_runs_have() -> None:
    runs: list[Figures] = [{"a": 1, "b": 5}, {"a": 9, "b": 4}, {"a": 3}]
    assert report.medians(runs) == {"a": 3}


@pytest.mark.parametrize(
    ("key", "before", "after", "is_worse"),
    [
        ("uplinks_per_s", 1000, 901, False),
        ("uplinks_per_s", 1000, 899, True),
        ("uplinks_per_s", 1000, 2000, False),
        ("cpu_us", 40, 43, False),
        ("cpu_us", 40, 45, True),
        ("cpu_us", 40, 10, False),
        ("cpu_us", 0.1, 0.5, False),  # below what is noise
        ("share_ratio", 0.5, 0.4, True),
        ("lost", 0, 1, True),
        ("lost", 0, 0, False),
        ("commits", 100, 500, False),  # neither good nor bad
    ],
)
def test_what_got_worse(key: str, before: float, after: float, is_worse: bool) -> None:
    found = report.worse(Outcome("", 1, {key: before}), Outcome("", 1, {key: after}))
    assert [line.split(":")[0] for line in found] == ([key] if is_worse else [])


def test_runs_of_different_size_are_not_compared() -> None:
    assert report.worse(outcome(records=100, lost=0.0), outcome(records=200, lost=9.0)) == []
    few, many = Outcome("", 1, {"cpu_us": 1.0}, waiting=10), Outcome("", 1, {"cpu_us": 9.0}, waiting=1000)
    assert report.worse(few, many) == []


def test_results_are_kept_and_the_newest_with_figures_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    old = Results(HERE, {"a": outcome("2026-01-01", x_us=1.0), "b": outcome("2026-01-01", x_us=5.0)})
    new = Results(HERE, {"a": outcome("2026-01-02", x_us=2.0), "b": Outcome("2026-01-02", 100, not_measured="no npm")})
    other = Results({"cpu": "another"}, {"a": outcome("2026-01-03", x_us=3.0)})
    paths = []
    for number, results in enumerate((new, old, other)):
        paths.append(report.save(results).rename(tmp_path / f"{number}.json"))
    found = report.newest(HERE, paths)
    assert found["a"].figures == {"x_us": 2.0}
    assert found["b"].figures == {"x_us": 5.0}


def test_ratio_and_target() -> None:
    both = {"bare": outcome(uplinks_per_s=100.0), "real": outcome(uplinks_per_s=80.0)}
    assert report.ratio(scenario("real", reference="bare"), both) == pytest.approx(0.8)
    real = scenario("real", reference="bare")
    for target, verdict in (
        ("uplinks_per_s >= 80", True),
        ("uplinks_per_s >= 81", False),
        ("uplinks_per_s <= 80", True),
        ("uplinks_per_s <= 79", False),
        ("ratio >= 0.8", True),
        ("ratio >= 0.9", False),
        ("never_measured <= 1", None),
    ):
        assert report.meets(target, real, both) is verdict, target
    assert report.meets("ratio >= 0.1", scenario("bare"), both) is None
    assert report.meets("uplinks_per_s >= 80", real, {}) is None
    assert report.ratio(scenario("real", reference="bare"), {"real": both["real"]}) is None


def test_the_table_says_what_is_missing_and_what_is_missed() -> None:
    scenarios = [
        scenario("bare"),
        scenario("real", reference="bare", targets=("uplinks_per_s >= 90", "lost <= 0"), claim="at least once"),
        scenario("peer"),
        scenario("new"),
    ]
    outcomes = {
        "bare": outcome(uplinks_per_s=100.0),
        "real": outcome(uplinks_per_s=80.0, lost=0.0),
        "peer": Outcome("", 100, not_measured="npm is not installed"),
    }
    rows = report.table(scenarios, outcomes, HERE).splitlines()[4:]
    assert rows[0].startswith("| title of bare | **100** uplinks_per_s |")
    assert "at least once" in rows[1]
    assert "0.8 of bare" in rows[1]
    assert "uplinks_per_s ≥ 90.0: **missed**<br>lost ≤ 0.0: met" in rows[1]
    assert rows[2].startswith("| title of peer | not measured: npm is not installed |")
    assert rows[3].startswith("| title of new | not measured yet |")


def test_the_page_keeps_what_is_around_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_page("new\n", page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "new" in text
    assert "old" not in text
    page.write_text("no place")
    with pytest.raises(ValueError, match="no place for the table"):
        report.write_page("new", page)


def test_the_projects_page_has_a_place_for_the_table() -> None:
    text = report.PAGE.read_text(encoding="utf-8")
    assert text.count(report.BEGIN) == text.count(report.END) == 1


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.0"), (0.034, "0.034"), (5.678, "5.68"), (45.67, "45.7"), (12345.6, "12,346")]
)
def test_figures_are_short(value: float, text: str) -> None:
    assert report.figure(value) == text
