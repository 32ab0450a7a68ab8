"""Results: as JSON in bench/results/, compared with earlier ones, and as a table in docs/performance.md."""

import os
import platform
import statistics
import time
from pathlib import Path
from typing import Final

import msgspec

from bench.processes import ROOT
from bench.scenario import Figures, Scenario

RESULTS: Final = ROOT / "bench" / "results"
PAGE: Final = ROOT / "docs" / "performance.md"
BEGIN: Final = "<!-- written by `python -m bench table`: begin -->"
END: Final = "<!-- end -->"
WORSE: Final = 0.10
"""So much worse than before is said."""

_HIGHER: Final = ("_per_s", "_ratio")
_LOWER: Final[dict[str, float]] = {
    # ending of the name: differences below this are noise, however large their share
    "_us": 0.5,
    "_ms": 1.0,
    "_mib": 2.0,
    "_bytes": 16,
    "_percent": 0.2,
    "_s": 0.1,
    "_flushes": 50,
    "lost": 0.0,
}


class Outcome(msgspec.Struct, omit_defaults=True):
    """One scenario's results: medians and every run, or why there are none."""

    at: str
    records: int
    figures: Figures = {}
    runs: list[Figures] = []
    not_measured: str | None = None
    waiting: int = 0


class Results(msgspec.Struct):
    """One run of the bench."""

    machine: dict[str, str]
    outcomes: dict[str, Outcome] = {}


def machine() -> dict[str, str]:
    """What the figures depend on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((x.split(": ", 1)[1] for x in lines if x.startswith(("model name", "Model"))), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": cpu,
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def medians(runs: list[Figures]) -> Figures:
    """By figure; a figure that only some runs have is left out."""
    common = [key for key in runs[0] if all(key in r for r in runs)]
    return {key: statistics.median(r[key] for r in runs) for key in common}


def save(results: Results) -> Path:
    """To a new file, named by time."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"local-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    return path


def load(path: Path) -> Results:
    """What `save` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Results)


def newest(here: dict[str, str], paths: list[Path]) -> dict[str, Outcome]:
    """By scenario the latest outcome of this machine with figures, else the latest without."""
    found: dict[str, Outcome] = {}
    for path in paths:
        results = load(path)
        if results.machine != here:
            continue
        for name, outcome in results.outcomes.items():
            old = found.get(name)
            if old is None or (bool(outcome.figures), outcome.at) >= (bool(old.figures), old.at):
                found[name] = outcome
    return found


def worse(before: Outcome, after: Outcome) -> list[str]:
    """What got more than 10 % worse, a line each. Runs of different size are not compared."""
    if (before.records, before.waiting) != (after.records, after.waiting):
        return []
    found = []
    for key, new in after.figures.items():
        old = before.figures.get(key)
        if old is None:
            continue
        if key.endswith(_HIGHER):
            is_worse = new < old * (1 - WORSE)
        else:
            noise = next((n for end, n in _LOWER.items() if key.endswith(end)), None)
            is_worse = noise is not None and new > old * (1 + WORSE) and new - old > noise
        if is_worse:
            share = f"{new / old - 1:+.0%}" if old else "before none"
            found.append(f"{key}: {figure(new)}, before {figure(old)} ({share})")
    return found


def ratio(scenario: Scenario, outcomes: dict[str, Outcome]) -> float | None:
    """The main figure over that of the reference."""
    if scenario.reference is None or not {scenario.name, scenario.reference} <= outcomes.keys():
        return None
    mine = outcomes[scenario.name].figures.get(scenario.main)
    other = outcomes[scenario.reference].figures.get(scenario.main)
    return None if mine is None or not other else mine / other


def meets(target: str, scenario: Scenario, outcomes: dict[str, Outcome]) -> bool | None:
    """Whether a target is met; None when there is nothing to judge it by."""
    name, sign, bound = target.split()
    value = ratio(scenario, outcomes)
    if name != "ratio":
        value = outcomes.get(scenario.name, Outcome("", 0)).figures.get(name)
    if value is None:
        return None
    return value >= float(bound) if sign == ">=" else value <= float(bound)


def figure(value: float) -> str:
    """Three digits that count, with thousands set apart."""
    if value and abs(value) < 10:
        return f"{value:.2g}" if abs(value) < 1 else f"{value:.2f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def table(scenarios: list[Scenario], outcomes: dict[str, Outcome], here: dict[str, str]) -> str:
    """The page's table, in Markdown."""
    out = ["; ".join(f"{key}: {value}" for key, value in here.items()), ""]
    out += ["| scenario | result | targets | all figures (medians) |", "|---|---|---|---|"]
    for s in scenarios:
        outcome = outcomes.get(s.name)
        title = s.title + (f"<br>*guarantees: {s.claim}*" if s.claim else "")
        if outcome is None:
            out.append(f"| {title} | not measured yet | | |")
        elif not outcome.figures:
            out.append(f"| {title} | not measured: {outcome.not_measured} | | |")
        else:
            out.append(f"| {title} | {_result(s, outcomes)} | {_targets(s, outcomes)} | {_all(s, outcome)} |")
    return "\n".join(out) + "\n"


def _result(s: Scenario, outcomes: dict[str, Outcome]) -> str:
    text = f"**{figure(outcomes[s.name].figures[s.main])}** {s.main}"
    share = ratio(s, outcomes)
    return text if share is None else f"{text}, {figure(share)} of {s.reference}"


def _targets(s: Scenario, outcomes: dict[str, Outcome]) -> str:
    said = {True: "met", False: "**missed**", None: "cannot be judged"}
    signs = {">=": "≥", "<=": "≤"}
    out = []
    for target in s.targets:
        name, sign, bound = target.split()
        out.append(f"{name} {signs[sign]} {figure(float(bound))}: {said[meets(target, s, outcomes)]}")
    return "<br>".join(out)


def _all(s: Scenario, outcome: Outcome) -> str:
    figures = ", ".join(f"{key} {figure(value)}" for key, value in outcome.figures.items() if key != s.main)
    return f"{outcome.records:,} records, {len(outcome.runs)} runs: {figures}"


def write_page(text: str, page: Path = PAGE) -> None:
    """Put the table between its markers. Raises ValueError when the page has none."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page.name} has no place for the table")
    page.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")
