"""`make bench`: every scenario, several runs each, the median; JSON in bench/results/, and what got worse.

python -m bench [run] [--only NAME] [--runs N] [--records N] [--waiting N] [--long] [--fail] [--profile DIR]
python -m bench list
python -m bench table        writes the newest results of this machine into docs/performance.md
"""

import argparse
import sys
import time
from pathlib import Path

from bench import report
from bench.processes import ROOT
from bench.registry import SCENARIOS
from bench.scenario import BenchError, NotMeasured, Plan, Scenario

LONG = Plan(records=5_000_000, waiting=10_000_000)


def measure(scenario: Scenario, plan: Plan, runs: int) -> report.Outcome:
    """All runs of one scenario."""
    outcome = report.Outcome(time.strftime("%Y-%m-%dT%H:%M:%S"), plan.records, waiting=plan.waiting)
    try:
        for _ in range(runs):
            outcome.runs.append(scenario.run(plan))
    except NotMeasured as e:
        outcome.not_measured = str(e)
        outcome.runs = []
    else:
        outcome.figures = report.medians(outcome.runs)
    return outcome


def wanted(scenario: Scenario, only: str) -> bool:
    """Whether it is among `only`: names, or parts of names where no scenario is called just that; commas between."""
    names = {s.name for s in SCENARIOS}
    return any(part == scenario.name if part in names else part in scenario.name for part in only.split(","))


def show(name: str, outcome: report.Outcome) -> None:
    """On the terminal."""
    print(name if outcome.figures else f"{name}: not measured: {outcome.not_measured}")
    spread: dict[str, list[float]] = {key: [r[key] for r in outcome.runs] for key in outcome.figures}
    for key, value in outcome.figures.items():
        low, high = min(spread[key]), max(spread[key])
        print(f"  {key:24} {report.figure(value):>12}   {report.figure(low)} … {report.figure(high)}", flush=True)


def run(args: argparse.Namespace) -> int:
    """Measure; 1 when something got worse and that is to fail, or when a run went wrong."""
    usual = LONG if args.long else Plan()
    plan = Plan(args.records or usual.records, args.waiting or usual.waiting, args.profile)
    earlier = report.newest(report.machine(), sorted(report.RESULTS.glob("*.json")))
    results = report.Results(report.machine())
    failed = False
    for scenario in SCENARIOS:
        if not wanted(scenario, args.only) or (args.long and not scenario.in_long):
            continue
        runs = args.runs or (1 if args.long else scenario.runs or 3)
        try:
            outcome = measure(scenario, plan, runs)
        except BenchError as e:
            print(f"{scenario.name}: FAILED: {e}", file=sys.stderr)
            failed = True
            continue
        results.outcomes[scenario.name] = outcome
        show(scenario.name, outcome)
        share = report.ratio(scenario, results.outcomes)
        if share is not None:
            print(f"  {'ratio to ' + str(scenario.reference):24} {report.figure(share):>12}")
        if plan.profile is not None:  # which slows down what it watches: no figures to keep
            continue
        for line in report.worse(earlier[scenario.name], outcome) if scenario.name in earlier else ():
            print(f"  WORSE {line}")
            failed = failed or args.fail
    if plan.profile is not None:
        print(f"profiles are in {plan.profile}")
    elif results.outcomes:
        print(f"written to {report.save(results).relative_to(ROOT)}")
    return int(failed)


def list_scenarios() -> int:
    """Names and titles."""
    for s in SCENARIOS:
        print(f"{s.name:32} {s.title}")
    return 0


def write_table() -> int:
    """docs/performance.md."""
    here = report.machine()
    outcomes = report.newest(here, sorted(report.RESULTS.glob("*.json")))
    report.write_page(report.table(SCENARIOS, outcomes, here))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", nargs="?", choices=["run", "list", "table"], default="run")
    parser.add_argument("--only", default="", help="names or parts of names, commas between")
    parser.add_argument("--runs", type=int, help="runs of each scenario, of which the median counts (default 3)")
    parser.add_argument("--records", type=int, help="default 200,000, with --long 5,000,000")
    parser.add_argument("--waiting", type=int, help="records in a store; default 500,000, with --long 10,000,000")
    parser.add_argument("--long", action="store_true", help="the scenarios that are worth it, with many records, once")
    parser.add_argument("--fail", action="store_true", help="exit 1 when a figure got more than 10 percent worse")
    parser.add_argument("--profile", type=Path, help="folder for profiles of the daemon (py-spy)")
    args = parser.parse_args()
    if args.command == "list":
        return list_scenarios()
    return write_table() if args.command == "table" else run(args)


if __name__ == "__main__":
    sys.exit(main())
