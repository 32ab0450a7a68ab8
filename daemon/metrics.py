"""Every Prometheus name of torhaus. They are API: tests/daemon/test_metrics.py freezes them.

Nothing is counted here. What happens is counted as plain integers where it happens (watch.py, settle.py); this
collector reads them when it is scraped, so that the hot path pays for an addition and no more. No label has a value
that outsiders control; devices are counted, not named. Rooms with many have a file of their own: lora/metrics.py.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest

from torhaus.daemon.clock import Clock
from torhaus.daemon.families import Rows, histogram
from torhaus.daemon.families import by as _by
from torhaus.daemon.families import count as _count
from torhaus.daemon.families import gauge as _gauge
from torhaus.daemon.histogram import Histogram
from torhaus.daemon.lora import metrics as lora
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.status import Survey
from torhaus.daemon.watch import Watch
from torhaus.daemon.wmbus import metrics as wmbus


class TorhausCollector:
    """Reads the running parts at each scrape."""

    def __init__(self, version: str, clock: Clock, outbox: Outbox, watch: Watch, survey: Survey) -> None:
        self._version = version
        self._clock = clock
        self._outbox = outbox
        self._watch = watch
        self._survey = survey

    def collect(self) -> Iterator[Metric]:
        """All families."""
        w = self._watch
        yield _gauge("torhaus_build_info", "Version of this torhaus", ["version"], [((self._version,), 1)])
        yield _gauge("torhaus_start_time_seconds", "When the daemon started", [], [((), w.started_ns / 1e9)])
        synced = float(self._clock.synced())
        yield _gauge("torhaus_clock_synchronized", "1 when the kernel says that its clock is right", [], [((), synced)])
        yield _gauge("torhaus_ready", "1 when what comes in is stored", [], [((), float(self._survey.ready()))])
        yield _count("torhaus_defects", "Errors that must not happen", ["component"], _by(w.defects))
        yield from self._drivers()
        counting = self._survey.counting
        text = "Counters that showed another meter, or one that was reset"
        yield _count("torhaus_meter_exchanges", text, [], [((), counting.exchanged if counting is not None else 0)])
        yield from lora.families(w.gateways, self._survey.duty)
        yield from lora.join_families(self._survey.joining)
        yield from wmbus.families(self._survey.wireless)
        yield from self._outbox_families()
        yield from self._forwarders()
        yield from self._scans()
        yield from self._scripts()
        yield from self._frame_log()
        yield from self._survey.page.families()

    def _drivers(self) -> Iterator[Metric]:
        w, one = self._watch, ["driver"]
        d = w.drivers.items()
        yield _gauge("torhaus_driver_up", "1 when the driver has its device or port", one, (((n,), s.up) for n, s in d))
        silent = (((n,), len(s.silent)) for n, s in d)
        yield _gauge(
            "torhaus_driver_silent_devices", "Devices on its bus that are asked and do not answer", one, silent
        )
        yield _count("torhaus_driver_frames", "Frames received", one, (((n,), s.frames) for n, s in d))
        last = (((n,), s.last_frame_ns / 1e9) for n, s in d if s.last_frame_ns)
        yield _gauge("torhaus_driver_last_frame_timestamp_seconds", "When the last frame came", one, last)
        yield _count(
            "torhaus_driver_acks", "Acknowledgements sent after the commit", one, (((n,), s.acks) for n, s in d)
        )
        late = (((n,), s.acks_late) for n, s in d)
        yield _count("torhaus_driver_late_acks", "Acknowledgements that missed the forwarder's 50 ms", one, late)
        held = (((n,), s.acks_withheld) for n, s in d)
        yield _count("torhaus_driver_withheld_acks", "Not acknowledged, because not stored", one, held)
        yield _histogram("torhaus_driver_ack_seconds", "Datagram received to acknowledgement sent", w.ack_s)
        refused = "Connections and requests of gateways refused: the log says why"
        yield _count("torhaus_driver_refused_gateways", refused, one, (((n,), s.refused_gateways) for n, s in d))
        heard = [g.known for g in w.gateways.all.values() if g.first_ns]
        rows: Rows = [(("yes",), sum(heard)), (("no",), len(heard) - sum(heard))]
        yield _gauge("torhaus_driver_gateways", "Gateways heard since the start", ["known"], rows)
        yield _count("torhaus_driver_rejects", "Bytes and frames refused", ["driver", "reason"], self._rejects(0))
        yield _count("torhaus_decode_rejects", "Payloads and frames refused", ["codec", "reason"], self._rejects(1))
        yield _count("torhaus_decode_readings", "Frames decoded to readings", ["codec"], _by(w.readings))
        merged = "Frames heard by a further gateway and put to the reading they belong to"
        yield _count("torhaus_lora_merged_copies", merged, [], [((), w.merged_copies)])
        yield _gauge("torhaus_devices_seen", "Devices with a reading since the start", [], [((), len(w.devices))])

    def _frame_log(self) -> Iterator[Metric]:
        w = self._watch
        yield _gauge("torhaus_lora_viewers", "Who watches LoRaWAN frames", [], [((), w.frame_viewers)])
        text = "LoRaWAN frames that somebody who watches was too slow for"
        yield _count("torhaus_lora_viewer_skipped_frames", text, [], [((), w.frames_skipped)])

    def _rejects(self, which: int) -> Rows:
        sums: dict[tuple[str, ...], float] = {}
        for key, n in self._watch.rejects.items():
            if which == 0 or key[1]:
                row = (key[which], key[2])
                sums[row] = sums.get(row, 0) + n
        return sums.items()

    def _outbox_families(self) -> Iterator[Metric]:
        w, box = self._watch, self._outbox
        yield _count("torhaus_outbox_records", "Records committed to disk", [], [((), w.committed_records)])
        yield _histogram("torhaus_outbox_commit_seconds", "Duration of a commit", w.commits)
        failing = float(box.failing is not None)
        yield _gauge("torhaus_outbox_failing", "1 while writing fails", [], [((), failing)])
        logs = {name: self._survey.log_status(name) for name in box.logs}
        one = ["log"]
        yield _gauge(
            "torhaus_outbox_log_records", "Records in the log", one, (((n,), x.records) for n, x in logs.items())
        )
        yield _gauge("torhaus_outbox_log_bytes", "Bytes on disk", one, (((n,), x.bytes) for n, x in logs.items()))
        parts = "Bytes on disk by what they are: all but strangers and relay count towards the main log's limit"
        yield _gauge("torhaus_outbox_bytes", parts, ["part"], _by(box.parts()))
        limit = (((n,), x.capacity_bytes) for n, x in logs.items())
        yield _gauge("torhaus_outbox_log_capacity_bytes", "Bytes the log may have", one, limit)
        full = [((n,), x.full_in_s) for n, x in logs.items() if x.full_in_s is not None]
        text = "Seconds until the log is full at the present rate; absent while it is not growing"
        yield _gauge("torhaus_outbox_full_estimate_seconds", text, one, full)
        wear = "Bytes written: pages to write-ahead logs, and from there to the databases"
        yield _count("torhaus_outbox_written_bytes", wear, ["part"], _by(box.written()))
        refused = "Records not stored and not acknowledged"
        yield _count("torhaus_outbox_refused_records", refused, ["reason"], _by(w.refused_records))
        dropped = "Records that left the log before the forwarder had them"
        rows = (((f, r), n) for (f, r), n in w.dropped_records.items())
        yield _count("torhaus_outbox_dropped_records", dropped, ["forwarder", "reason"], rows)
        aside = "Files that could not be used and were set aside"
        yield _gauge("torhaus_outbox_set_aside_files", aside, [], [((), len(box.mender.files))])
        yield _gauge("torhaus_outbox_set_aside_bytes", "What these files occupy", [], [((), box.mender.bytes)])
        salvaged = "Records read out of damaged segments"
        yield _count("torhaus_outbox_salvaged_records", salvaged, one, _by(w.salvaged_records))
        yield _count("torhaus_outbox_lost_records", "Records lost with damaged segments", one, _by(w.lost_records))

    def _forwarders(self) -> Iterator[Metric]:
        one = ["forwarder"]
        all_ = {name: (self._survey.forwarder_status(name), r.tally) for name, (_, r) in self._survey.runners.items()}

        def rows(attribute: str, which: int = 1, scale: float = 1) -> Rows:
            return [((name,), getattr(both[which], attribute) / scale) for name, both in all_.items()]

        yield _gauge("torhaus_forwarder_up", "1 when the far side is connected", one, rows("up"))
        yield _gauge("torhaus_forwarder_backlog_records", "Records not settled yet", one, rows("backlog", 0))
        yield _count("torhaus_forwarder_accepted_records", "Records the far side has", one, rows("accepted"))
        yield _count("torhaus_forwarder_late_records", "Accepted ones that went by the backlog", one, rows("late"))
        yield _count("torhaus_forwarder_rejected_records", "Records refused for good", one, rows("rejected"))
        yield _count("torhaus_forwarder_kept_records", "Records refused for now or unanswered", one, rows("kept"))
        yield _count("torhaus_forwarder_skipped_records", "Records not meant for it", one, rows("skipped"))
        yield _count("torhaus_forwarder_damaged_records", "Records damaged on disk, never sent", one, rows("damaged"))
        yield _count("torhaus_forwarder_connects", "Connections made", one, rows("connects"))
        yield _gauge("torhaus_forwarder_set_aside_records", "Records tried again later", one, rows("set_aside", 0))
        yield _gauge("torhaus_forwarder_dead_letters", "Records a person must look at", one, rows("dead_letters", 0))
        last = rows("last_success_ns", 1, 1e9)
        yield _gauge("torhaus_forwarder_last_success_timestamp_seconds", "When the far side last took one", one, last)
        old = [((name,), s.oldest_ns / 1e9) for name, (s, _) in all_.items() if s.oldest_ns]
        text = "When the oldest record came that waits; absent when none does"
        yield _gauge("torhaus_forwarder_oldest_record_timestamp_seconds", text, one, old)
        now = self._clock.wall_ns()
        lag = [((n,), max(0, now - s.oldest_ns) / 1e9 if s.oldest_ns else 0) for n, (s, _) in all_.items()]
        yield _gauge("torhaus_forwarder_lag_seconds", "Age of the oldest record that waits, 0 when none does", one, lag)

        asked = ((name, r.sender.commands) for name, (_, r) in self._survey.runners.items())
        text = "Commands of a network server, by what became of them"
        by_result = (((name, *key), n) for name, commands in asked for key, n in commands.items())
        yield _count("torhaus_forwarder_commands", text, ["forwarder", "command", "result"], by_result)

    def _scans(self) -> Iterator[Metric]:
        w = self._survey.scan_watch
        if w is None:
            return
        rows: Rows = (((s, state), n) for s, states in w.counts.station.items() for state, n in states.items())
        yield _gauge("torhaus_scan_documents", "Documents by station and state", ["station", "state"], rows)
        rows = (((t, state), n) for t, states in w.counts.target.items() for state, n in states.items())
        yield _gauge("torhaus_scan_target_documents", "Documents by target and state", ["target", "state"], rows)
        if w.to_look_at is not None:
            text = "Documents at which quality control has to look"
            rows = (((name,), w.to_look_at.get(name, 0)) for name in {**w.counts.station, **w.to_look_at})
            yield _gauge("torhaus_scan_quality_waiting_documents", text, ["station"], rows)
        if w.withdrawn is not None:
            text = "Documents of which somebody complained after their paper was released, and that is open"
            rows = (((name,), w.withdrawn.get(name, 0)) for name in {**w.counts.station, **w.withdrawn})
            yield _gauge("torhaus_scan_release_withdrawn_documents", text, ["station"], rows)
        moves = "Changes of state since the start"
        yield _count("torhaus_scan_moves", moves, ["station", "state"], w.moves.items())
        yield _count("torhaus_scan_taken_bytes", "Bytes taken in", ["station"], _by(w.taken_bytes))
        why = "Documents that went to quarantine"
        yield _count("torhaus_scan_quarantined", why, ["station", "reason"], w.quarantined.items())
        left = "Directory entries that are not taken"
        yield _count("torhaus_scan_left_entries", left, ["station", "kind"], w.left.items())
        tries = "Delivery attempts"
        yield _count("torhaus_scan_attempts", tries, ["target", "outcome"], w.attempts.items())
        yield _count("torhaus_scan_stalls", "Times that intake or store stood still", ["kind"], _by(w.stalls))
        up: Rows = (((n,), float(p.up)) for n, p in w.stations.items())
        yield _gauge("torhaus_scan_station_up", "1 when the hot folder can be read", ["station"], up)
        up = (((n,), float(p.up)) for n, p in w.targets.items())
        yield _gauge("torhaus_scan_target_up", "1 when the target answers", ["target"], up)
        e = w.evidence
        yield _gauge("torhaus_scan_evidence_entries", "Entries of the evidence journal", [], [((), e.entries)])
        checked = "When entries were checked and put under a root last"
        yield _gauge("torhaus_scan_evidence_checked_timestamp_seconds", checked, [], [((), e.rooted_ns / 1e9)])
        bad = "Entries of the evidence journal that were found changed"
        yield _count("torhaus_scan_evidence_faults", bad, [], [((), e.faults)])
        if e.stamps is not None:
            by_result = _by(e.stamps.results)
            yield _count("torhaus_scan_evidence_stamps", "Time stamps asked for, by result", ["result"], by_result)
            text = "Time that the last good time stamp names"
            at: Rows = [((), e.stamps.stamped_ns / 1e9)]
            yield _gauge("torhaus_scan_evidence_stamped_timestamp_seconds", text, [], at)
            yield _gauge("torhaus_scan_evidence_unstamped_roots", "Roots without stamp", [], [((), e.stamps.waiting)])

    def _scripts(self) -> Iterator[Metric]:
        if self._survey.scripts is None:
            return
        late = len(self._survey.late())
        yield _gauge("torhaus_devices_overdue", "Devices that should have been heard by now", [], [((), late)])
        s = self._survey.scripts()
        yield _gauge("torhaus_scripts_queued_records", "Records that wait for their script", [], [((), s.queued)])
        what = "Records that wait for a script which has not proved itself, or took too long"
        yield _gauge("torhaus_scripts_suspect_records", what, [], [((), s.suspects)])
        what = "Times a script, or a device's payloads for it, were sent to the suspects' process"
        yield _count("torhaus_scripts_sent_away", what, [], [((), s.sent_away)])
        yield _count("torhaus_scripts_starts", "Starts of script processes", [], [((), s.starts)])
        yield _count("torhaus_scripts_deaths", "Ends of script processes that nobody asked for", [], [((), s.deaths)])
        yield _count("torhaus_scripts_hangs", "Times one was ended because it hung", [], [((), s.hangs)])
        yield _gauge("torhaus_scripts_aside", "Scripts that are not tried for a while", [], [((), len(s.aside))])
        yield _count("torhaus_scripts_pauses", "Times a script was set aside", [], [((), s.pauses)])
        warned = self._watch.script_warnings
        yield _count("torhaus_scripts_warnings", "Warnings that scripts gave with results", [], [((), warned)])
        undecoded = sum(end - start for start, end in self._outbox.undecoded)
        yield _gauge("torhaus_scripts_undecoded_records", "Records on disk without a verdict", [], [((), undecoded)])


def registry(collector: TorhausCollector) -> CollectorRegistry:
    """A registry of its own, with process figures beside torhaus's."""
    reg = CollectorRegistry()
    ProcessCollector(registry=reg)
    GCCollector(registry=reg)
    reg.register(collector)
    return reg


def expose(reg: CollectorRegistry) -> bytes:
    """The text format, version 0.0.4."""
    return generate_latest(reg)


def _histogram(name: str, text: str, observed: Histogram) -> Metric:
    return histogram(name, text, [], [((), observed)])
