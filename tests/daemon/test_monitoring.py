"""Alert rules and dashboard: promtool takes them, every name in them is a real one, each alert comes and goes."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.peers import program

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
RULES: Final = DOCS / "monitoring/alerts.yml"
DASHBOARD: Final = DOCS / "monitoring/dashboard.json"
OWN_LABELS: Final = {"instance", "job"}  # Prometheus adds them
PROCESS: Final = {"process_resident_memory_bytes", "process_cpu_seconds_total"}

GOOD: Final = {
    'up{job="torhaus"}': "1+0x1200",
    "torhaus_ready": "1+0x1200",
    "torhaus_start_time_seconds": "1000+0x1200",
    'torhaus_defects_total{component="x"}': "3+0x1200",
    "torhaus_clock_synchronized": "1+0x1200",
    "torhaus_outbox_failing": "0+0x1200",
    'torhaus_outbox_refused_records_total{reason="disk_full"}': "5+0x1200",
    'torhaus_outbox_full_estimate_seconds{log="main"}': "900000+0x1200",
    'torhaus_outbox_dropped_records_total{forwarder="central",reason="size"}': "5+0x1200",
    'torhaus_outbox_dropped_records_total{forwarder="",reason="size"}': "0+1x1200",
    'torhaus_outbox_dropped_records_total{forwarder="central",reason="thinned"}': "0+1x1200",
    "torhaus_outbox_set_aside_files": "0+0x1200",
    'torhaus_outbox_lost_records_total{log="main"}': "0+0x1200",
    'torhaus_forwarder_up{forwarder="central"}': "1+0x1200",
    'torhaus_forwarder_lag_seconds{forwarder="central"}': "5+0x1200",
    'torhaus_forwarder_dead_letters{forwarder="central"}': "0+0x1200",
    'torhaus_driver_up{driver="radio"}': "1+0x1200",
    'torhaus_driver_silent_devices{driver="cellar"}': "0+0x1200",
    "torhaus_devices_overdue": "0+0x1200",
    'torhaus_gateway_up{driver="radio",gateway="roof"}': "1+0x1200",
    'torhaus_gateway_impostors_total{driver="radio",gateway="roof"}': "2+0x1200",
    'torhaus_gateway_duty_cycle_used_ratio{driver="radio",gateway="roof",band="g1"}': "0.5+0x1200",
    'torhaus_driver_late_acks_total{driver="radio"}': "0+1x1200",
    'torhaus_driver_acks_total{driver="radio"}': "0+4500x1200",
    "torhaus_scripts_aside": "0+0x1200",
    'torhaus_page_sign_ins_total{result="ok"}': "0+2x1200",
    'torhaus_page_sign_ins_total{result="wrong"}': "0+0x1200",
    'torhaus_scan_station_up{station="post"}': "1+0x1200",
    'torhaus_scan_stalls_total{kind="disk"}': "1+0x1200",
    'torhaus_scan_target_up{target="dms"}': "1+0x1200",
    'torhaus_scan_documents{station="post",state="quarantined"}': "0+0x1200",
    'torhaus_scan_documents{station="post",state="held"}': "0+0x1200",
    'torhaus_scan_documents{station="post",state="verified"}': "0+3x1200",
    'torhaus_scan_quality_waiting_documents{station="post"}': "0+0x1200",
    'torhaus_scan_release_withdrawn_documents{station="post"}': "0+0x1200",
    "torhaus_scan_evidence_faults_total": "0+0x1200",
    "torhaus_scan_evidence_entries": "0+9x1200",
    "torhaus_scan_evidence_checked_timestamp_seconds": "0+300x1200",
    "torhaus_scan_evidence_unstamped_roots": "1+0x1200",
}
"""A box that is well for four days, a value each five minutes. Its clock begins with the epoch, as promtool's does."""
BAD: Final = {
    "TorhausGone": ('up{job="torhaus"}', "0+0x1200"),
    "TorhausNotReady": ("torhaus_ready", "0+0x1200"),
    "TorhausRestarts": ("torhaus_start_time_seconds", "1000+60x1200"),
    "TorhausDefect": ('torhaus_defects_total{component="x"}', "0+1x1200"),
    "TorhausClockNotSynchronized": ("torhaus_clock_synchronized", "0+0x1200"),
    "TorhausWritingFails": ("torhaus_outbox_failing", "1+0x1200"),
    "TorhausRecordsRefused": ('torhaus_outbox_refused_records_total{reason="disk_full"}', "0+1x1200"),
    "TorhausLogFullSoon": ('torhaus_outbox_full_estimate_seconds{log="main"}', "9000+0x1200"),
    "TorhausRecordsDropped": (
        'torhaus_outbox_dropped_records_total{forwarder="central",reason="size"}', "0+1x1200",
    ),
    "TorhausFileDamaged": ("torhaus_outbox_set_aside_files", "1+0x1200"),
    "TorhausRecordsLost": ('torhaus_outbox_lost_records_total{log="main"}', "0+1x1200"),
    "TorhausForwarderDown": ('torhaus_forwarder_up{forwarder="central"}', "0+0x1200"),
    "TorhausForwarderBehind": ('torhaus_forwarder_lag_seconds{forwarder="central"}', "30000+0x1200"),
    "TorhausDeadLetters": ('torhaus_forwarder_dead_letters{forwarder="central"}', "4+0x1200"),
    "TorhausDriverDown": ('torhaus_driver_up{driver="radio"}', "0+0x1200"),
    "TorhausMetersSilent": ('torhaus_driver_silent_devices{driver="cellar"}', "2+0x1200"),
    "TorhausDevicesOverdue": ("torhaus_devices_overdue", "3+0x1200"),
    "TorhausGatewaySilent": ('torhaus_gateway_up{driver="radio",gateway="roof"}', "0+0x1200"),
    "TorhausGatewayImpostor": ('torhaus_gateway_impostors_total{driver="radio",gateway="roof"}', "0+1x1200"),
    "TorhausDutyCycleNearlyUsed": (
        'torhaus_gateway_duty_cycle_used_ratio{driver="radio",gateway="roof",band="g1"}', "0.95+0x1200",
    ),
    "TorhausAcksLate": ('torhaus_driver_late_acks_total{driver="radio"}', "0+90x1200"),
    "TorhausScriptAside": ("torhaus_scripts_aside", "1+0x1200"),
    "TorhausSignInsFail": ('torhaus_page_sign_ins_total{result="wrong"}', "0+9x1200"),
    "TorhausScanStationDown": ('torhaus_scan_station_up{station="post"}', "0+0x1200"),
    "TorhausScansStandStill": ('torhaus_scan_stalls_total{kind="disk"}', "0+1x1200"),
    "TorhausScanTargetDown": ('torhaus_scan_target_up{target="dms"}', "0+0x1200"),
    "TorhausScanQuarantined": ('torhaus_scan_documents{station="post",state="quarantined"}', "1+0x1200"),
    "TorhausScanHeld": ('torhaus_scan_documents{station="post",state="held"}', "1+0x1200"),
    "TorhausScanQualityWaits": ('torhaus_scan_quality_waiting_documents{station="post"}', "2+0x1200"),
    "TorhausScanReleaseWithdrawn": ('torhaus_scan_release_withdrawn_documents{station="post"}', "1+0x1200"),
    "TorhausEvidenceChanged": ("torhaus_scan_evidence_faults_total", "0+1x1200"),
    "TorhausEvidenceNotChecked": ("torhaus_scan_evidence_checked_timestamp_seconds", "0+0x1200"),
    "TorhausRootsUnstamped": ("torhaus_scan_evidence_unstamped_roots", "9+0x1200"),
}  # fmt: skip
"""What is wrong with it when each alert comes."""
AT: Final = "96h"


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    """Every series that a box has, with its labels, from the reference that is made from the code."""
    found: dict[str, set[str]] = {name: set() for name in PROCESS}
    for line in (DOCS / "reference/metrics.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| `torhaus_"):
            name, kind, labels = (cell.strip(" `") for cell in line.split("|")[1:4])
            of_it = set(labels.split(", ")) - {""}
            found[name] = of_it
            if kind == "histogram":
                found[f"{name}_bucket"] = of_it | {"le"}
    return found


def expressions() -> list[str]:
    """All of the dashboard, with values for Grafana's variables."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    found = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [e.replace("$__rate_interval", "5m").replace("$instance", ".*") for e in found]


def promtool(*words: str) -> str:
    done = subprocess.run([program("promtool"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_name_is_a_real_one(known: dict[str, set[str]]) -> None:
    rules = [line for line in RULES.read_text(encoding="utf-8").splitlines() if line.strip().startswith("expr:")]
    assert len(rules) == len(BAD)
    for text in (*rules, *expressions(), *GOOD):
        for name, matchers in re.findall(r"\b((?:torhaus|process)_[a-z_]+)(?:\{([^}]*)\})?", text):
            labels = set(re.findall(r"([a-z_]+)\s*(?:=|!)", re.sub(r'"[^"]*"', "", matchers)))
            assert name in known, text
            assert labels <= known[name] | OWN_LABELS, text


def test_promtool_takes_rules_and_dashboard(tmp_path: Path) -> None:
    promtool("check", "rules", str(RULES))
    file = tmp_path / "dashboard.yml"
    rules = [{"record": f"panel:{n}", "expr": e} for n, e in enumerate(expressions())]
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(file))


def series(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": given} for name, given in values.items()]


def firing(*alerts: str) -> dict[str, Any]:
    """Exactly these, each once."""
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in alerts]
    return {"expr": 'count by (alertname) (ALERTS{alertstate="firing"})', "eval_time": AT, "exp_samples": samples}


def test_each_alert_comes_with_its_fault_and_with_no_other(tmp_path: Path) -> None:
    cases = [{"interval": "5m", "input_series": series(GOOD), "promql_expr_test": [firing()]}]
    for name, (what, values) in BAD.items():
        given = series(GOOD | {what: values})
        cases.append({"interval": "5m", "input_series": given, "promql_expr_test": [firing(name)]})
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "6h", "tests": cases}), "utf-8")
    promtool("test", "rules", str(file))


def test_every_alert_is_told_in_both_languages() -> None:
    text = RULES.read_text(encoding="utf-8")
    assert sorted(re.findall(r"- alert: (\w+)", text)) == sorted(BAD)
    for key in ("summary", "summary_de", "action", "action_de"):
        assert len(re.findall(rf"^ +{key}: '.+'$", text, re.MULTILINE)) == len(BAD)
