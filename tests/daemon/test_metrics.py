"""Names, types and labels are API: what is in this list stays; new ones are added to it."""

import asyncio
import subprocess
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.daemon.home import Home, archive, running, stamp, until
from tests.peers import program
from torhaus.codecs.model import Frame, Reject, RejectReason
from torhaus.daemon.app import App
from torhaus.daemon.evidence.stamping import StampFigures
from torhaus.daemon.metrics import TorhausCollector, expose, registry
from torhaus.daemon.scans.events import Attempted, IntakeStalled, NotTaken, ScanMoved, StationChanged, TargetChanged
from torhaus.daemon.scans.queue import Counts
from torhaus.daemon.scans.states import Reason, State
from torhaus.daemon.scans.watch import ScanWatch
from torhaus.drivers.base import GatewaySeen, GatewayStats, Host, LinkChanged

FROZEN = """
torhaus_build_info gauge version
torhaus_clock_synchronized gauge
torhaus_decode_readings_total counter codec
torhaus_decode_rejects_total counter codec,reason
torhaus_defects_total counter component
torhaus_devices_overdue gauge
torhaus_devices_seen gauge
torhaus_driver_ack_seconds histogram
torhaus_driver_acks_total counter driver
torhaus_driver_frames_total counter driver
torhaus_driver_gateways gauge known
torhaus_driver_last_frame_timestamp_seconds gauge driver
torhaus_driver_late_acks_total counter driver
torhaus_driver_refused_gateways_total counter driver
torhaus_driver_rejects_total counter driver,reason
torhaus_driver_silent_devices gauge driver
torhaus_driver_up gauge driver
torhaus_driver_withheld_acks_total counter driver
torhaus_forwarder_accepted_records_total counter forwarder
torhaus_forwarder_backlog_records gauge forwarder
torhaus_forwarder_commands_total counter command,forwarder,result
torhaus_forwarder_connects_total counter forwarder
torhaus_forwarder_damaged_records_total counter forwarder
torhaus_forwarder_dead_letters gauge forwarder
torhaus_forwarder_kept_records_total counter forwarder
torhaus_forwarder_lag_seconds gauge forwarder
torhaus_forwarder_last_success_timestamp_seconds gauge forwarder
torhaus_forwarder_late_records_total counter forwarder
torhaus_forwarder_oldest_record_timestamp_seconds gauge forwarder
torhaus_forwarder_rejected_records_total counter forwarder
torhaus_forwarder_set_aside_records gauge forwarder
torhaus_forwarder_skipped_records_total counter forwarder
torhaus_forwarder_up gauge forwarder
torhaus_gateway_ack_ratio gauge driver,gateway
torhaus_gateway_address_changes_total counter driver,gateway
torhaus_gateway_airtime_seconds_total counter band,driver,gateway
torhaus_gateway_altitude_meters gauge driver,gateway
torhaus_gateway_crc_bad_total counter driver,gateway
torhaus_gateway_downlink_fallbacks_total counter driver,gateway
torhaus_gateway_downlink_seconds histogram driver,gateway
torhaus_gateway_downlinks_total counter driver,gateway,result
torhaus_gateway_duty_cycle_used_ratio gauge band,driver,gateway
torhaus_gateway_impostors_total counter driver,gateway
torhaus_gateway_last_seen_timestamp_seconds gauge driver,gateway
torhaus_gateway_latitude_degrees gauge driver,gateway
torhaus_gateway_longitude_degrees gauge driver,gateway
torhaus_gateway_reported_packets_total counter driver,gateway,kind
torhaus_gateway_temperature_celsius gauge driver,gateway
torhaus_gateway_up gauge driver,gateway
torhaus_gateway_uplinks_total counter driver,gateway
torhaus_lora_answers_total counter result
torhaus_lora_devices gauge data_rate
torhaus_lora_downlink_refusals_total counter reason
torhaus_lora_downlinks_total counter result
torhaus_lora_downlinks_waiting gauge
torhaus_lora_joins_total counter result
torhaus_lora_mac_requests_total counter command,result
torhaus_lora_merged_copies_total counter
torhaus_lora_mic_failures_total counter
torhaus_lora_missed_uplinks_total counter
torhaus_lora_rejoins_total counter result
torhaus_lora_session_requests_total counter result
torhaus_lora_viewer_skipped_frames_total counter
torhaus_lora_viewers gauge
torhaus_meter_exchanges_total counter
torhaus_outbox_bytes gauge part
torhaus_outbox_commit_seconds histogram
torhaus_outbox_dropped_records_total counter forwarder,reason
torhaus_outbox_failing gauge
torhaus_outbox_full_estimate_seconds gauge log
torhaus_outbox_log_bytes gauge log
torhaus_outbox_log_capacity_bytes gauge log
torhaus_outbox_log_records gauge log
torhaus_outbox_lost_records_total counter log
torhaus_outbox_records_total counter
torhaus_outbox_refused_records_total counter reason
torhaus_outbox_salvaged_records_total counter log
torhaus_outbox_set_aside_bytes gauge
torhaus_outbox_set_aside_files gauge
torhaus_outbox_written_bytes_total counter part
torhaus_page_requests_total counter code,view
torhaus_page_sessions gauge
torhaus_page_sign_ins_total counter result
torhaus_page_streams gauge
torhaus_ready gauge
torhaus_scan_attempts_total counter outcome,target
torhaus_scan_documents gauge state,station
torhaus_scan_evidence_checked_timestamp_seconds gauge
torhaus_scan_evidence_entries gauge
torhaus_scan_evidence_faults_total counter
torhaus_scan_evidence_stamped_timestamp_seconds gauge
torhaus_scan_evidence_stamps_total counter result
torhaus_scan_evidence_unstamped_roots gauge
torhaus_scan_left_entries_total counter kind,station
torhaus_scan_moves_total counter state,station
torhaus_scan_quality_waiting_documents gauge station
torhaus_scan_quarantined_total counter reason,station
torhaus_scan_release_withdrawn_documents gauge station
torhaus_scan_stalls_total counter kind
torhaus_scan_station_up gauge station
torhaus_scan_taken_bytes_total counter station
torhaus_scan_target_documents gauge state,target
torhaus_scan_target_up gauge target
torhaus_scripts_aside gauge
torhaus_scripts_deaths_total counter
torhaus_scripts_hangs_total counter
torhaus_scripts_pauses_total counter
torhaus_scripts_queued_records gauge
torhaus_scripts_sent_away_total counter
torhaus_scripts_starts_total counter
torhaus_scripts_suspect_records gauge
torhaus_scripts_undecoded_records gauge
torhaus_scripts_warnings_total counter
torhaus_start_time_seconds gauge
torhaus_wmbus_dropped_telegrams_total counter driver,reason
torhaus_wmbus_meters gauge kind
"""

SECRET = {"gateway": "aa555a00deadbeef", "device": "mayors-office", "document": "dismissal.pdf"}


def collector(app: App) -> TorhausCollector:
    return TorhausCollector("1.2.3", app.clock, app.outbox, app.watch, app.survey)


def scrape(app: App) -> str:
    return expose(registry(collector(app))).decode()


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(text)
    return {
        (s.name, tuple(sorted(s.labels.items()))): s.value
        for f in families
        if f.name.startswith("torhaus")
        for s in f.samples
    }


def busy(app: App) -> None:
    """One of everything that can be counted."""
    w, scans = app.watch, ScanWatch()
    w.defect("codec x", ValueError())
    w.refused(1, "disk_full")
    w.dropped("main", "archive", 2, "size")
    w.acked("radio", 0.003)
    w.acked("radio", 3)
    w.warned(1)
    app.runners["archive"][1].sender.commands = {("down", "TOO_LATE"): 2}
    for event in (
        ScanMoved("test/1/1", "mail", "dms", State.SPOOLED, None, 10),
        ScanMoved("test/1/1", "mail", "dms", State.QUARANTINED, Reason.DAMAGED),
        Attempted("dms", "verified", 0.1),
        NotTaken("mail", "symlink"),
        IntakeStalled("mail", "disk_full"),
        StationChanged("mail", True),
        TargetChanged("dms", False, "x"),
    ):
        scans(event)
    scans.counts = Counts({"mail": {"spooled": 1}}, {"dms": {"verified": 2}})
    scans.to_look_at = {"mail": 3}
    scans.withdrawn = {"mail": 1}
    scans.evidence.stamps = StampFigures(Counter(good=1), 1_795_000_000 * 10**9, 2, 1)
    app.survey.scan_watch = scans


async def radio(host: Host) -> None:
    host.event(LinkChanged(True))
    host.event(GatewaySeen(SECRET["gateway"], "10.0.0.1", "gwmp2", known=True))
    good = Frame("radio", bytes.fromhex("01670110"), stamp(), device=SECRET["device"])
    bad = Frame("radio", b"\x01", stamp(), device=SECRET["device"])
    stats = GatewayStats(SECRET["gateway"], {"rxnb": 1}, stamp())
    host.deliver([good, bad], [Reject(b"x", RejectReason.SYNTAX)], stats=stats)
    await asyncio.Event().wait()


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Scrapes of a running daemon: at its start, with everything counted, and once more."""
    folder = tmp_path_factory.mktemp("metrics")
    home = Home(folder, archive(folder), devices=f'[[device]]\nname = "{SECRET["device"]}"\ncodec = "cayenne_lpp"\n')
    found: list[str] = []

    async def go() -> None:
        app = home.app({"radio": radio})
        async with running(app):
            await until(home.lines)
            found.append(scrape(app))
            busy(app)
            await until(lambda: app.runners["archive"][1].tally.accepted)
            found.append(scrape(app))
            busy(app)
            found.append(scrape(app))

    asyncio.run(go())
    return found


def test_names_types_and_labels_are_frozen(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path))
    found: list[str] = []

    async def go() -> None:
        app = home.app({"radio": radio})
        async with running(app):
            busy(app)
            for family in collector(app).collect():
                labels: Any = getattr(family, "_labelnames", ())
                suffix = "_total" if family.type == "counter" else ""
                found.append(f"{family.name}{suffix} {family.type} {','.join(sorted(labels))}".strip())

    asyncio.run(go())
    assert sorted(found) == FROZEN.strip().splitlines()


def test_promtool_has_nothing_to_say(texts: list[str]) -> None:
    promtool = program("promtool")
    for text in texts:
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_nothing_that_outsiders_name_is_a_label(texts: list[str]) -> None:
    for text in texts:
        assert not [word for word in SECRET.values() if word in text]


def test_figures(texts: list[str]) -> None:
    found = samples(texts[1])
    radio_ = (("driver", "radio"),)
    assert found["torhaus_driver_frames_total", radio_] == 2
    assert found["torhaus_driver_acks_total", radio_] == 2
    assert found["torhaus_driver_late_acks_total", radio_] == 1
    assert found["torhaus_driver_gateways", (("known", "yes"),)] == 1
    assert found["torhaus_decode_readings_total", (("codec", "cayenne_lpp"),)] == 1
    assert found["torhaus_decode_rejects_total", (("codec", "cayenne_lpp"), ("reason", "short"))] == 1
    assert found["torhaus_driver_rejects_total", (("driver", "radio"), ("reason", "syntax"))] == 1
    assert found["torhaus_outbox_records_total", ()] == 5  # what the codec refused lies among the strangers, too
    assert found["torhaus_outbox_log_records", (("log", "main"),)] == 3
    assert found["torhaus_forwarder_accepted_records_total", (("forwarder", "archive"),)] == 1
    asked = (("command", "down"), ("forwarder", "archive"), ("result", "TOO_LATE"))
    assert found["torhaus_forwarder_commands_total", asked] == 2
    assert found["torhaus_scan_documents", (("state", "spooled"), ("station", "mail"))] == 1
    assert found["torhaus_scan_quality_waiting_documents", (("station", "mail"),)] == 3
    assert found["torhaus_scan_release_withdrawn_documents", (("station", "mail"),)] == 1
    assert found["torhaus_ready", ()] == 1
    assert found["torhaus_build_info", (("version", "1.2.3"),)] == 1


def test_counters_never_fall(texts: list[str]) -> None:
    for before, after in pairwise(texts):
        old, new = samples(before), samples(after)
        for key, value in old.items():
            if key[0].endswith(("_total", "_bucket", "_count", "_sum")) and not key[0].startswith("torhaus_scan"):
                assert new[key] >= value, key


def test_histograms_are_consistent(texts: list[str]) -> None:
    found = samples(texts[1])
    for name in ("torhaus_driver_ack_seconds", "torhaus_outbox_commit_seconds"):
        buckets = sorted((float(key[1][0][1]), value) for key, value in found.items() if key[0] == f"{name}_bucket")
        counts = [count for _, count in buckets]
        assert buckets[-1][0] == float("inf")
        assert counts == sorted(counts)
        assert counts[-1] == found[f"{name}_count", ()] > 0
    assert found["torhaus_driver_ack_seconds_sum", ()] == pytest.approx(3.003)
