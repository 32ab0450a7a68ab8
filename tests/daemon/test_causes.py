from types import SimpleNamespace
from typing import Any

from torhaus.codecs.model import Stamp
from torhaus.daemon.causes import DAY_NS, KINDS, SHOWN, of_devices, of_outbox, of_parts, of_scans
from torhaus.daemon.evidence.stamping import StampFigures
from torhaus.daemon.outbox.aside import Report
from torhaus.daemon.scans.queue import Counts
from torhaus.daemon.scans.watch import Place, ScanWatch
from torhaus.daemon.watch import Watch
from torhaus.drivers.base import DeviceChanged, LinkChanged


def outbox(**parts: Any) -> Any:
    whole: dict[str, Any] = {
        "failing": None,
        "silent_s": lambda: 0.0,
        "second": SimpleNamespace(problem=None),
        "mender": SimpleNamespace(reports={}),
    }
    return SimpleNamespace(**(whole | parts))


def lookout(**full_in_s: float | None) -> Any:
    return SimpleNamespace(
        room_bytes=None, forecasts={name: SimpleNamespace(full_in_s=lambda s=s: s) for name, s in full_in_s.items()}
    )


def test_a_sound_box_has_none() -> None:
    assert [*of_outbox(outbox(), lookout(main=None)), *of_parts(Watch(0), ()), *of_devices([], {})] == []


def test_the_disk() -> None:
    report = Report(first=7, site="test", store="a", salvaged=2, lost_records=3)
    box = outbox(
        failing="disk full",
        silent_s=lambda: 7.4,
        second=SimpleNamespace(problem="no room"),
        mender=SimpleNamespace(reports={("main", 7): report, ("main", 9): Report(first=9, site="test", store="a")}),
    )
    found = list(of_outbox(box, lookout(main=7200.0, relay=1e9)))
    assert [c.kind for c in found] == [
        "outbox_failing",
        "writer_silent",
        "log_filling",
        "second_copy",
        "segment_damaged",
    ]
    assert [c.text for c in found[:4]] == [
        "outbox: disk full",
        "outbox: the writer has not answered for 7 s",
        "outbox: main: full in about 2.0 h at the present rate",
        "outbox: second copy of the state: no room",
    ]
    assert found[2].values == {"hours": 2.0}
    assert found[4].text.startswith("main log, segment 7: ")


def test_a_disk_that_others_fill() -> None:
    forecasts = lookout()
    for room, texts in (((256 << 20), []), ((256 << 20) - 1, ["outbox: only 255 MiB are free on its disk"])):
        forecasts.room_bytes = room
        assert [c.text for c in of_outbox(outbox(), forecasts)] == texts
    assert [c.kind for c in of_outbox(outbox(failing="disk full"), forecasts)] == ["outbox_failing"]


def test_parts() -> None:
    watch = Watch(0)
    watch.driver("radio")
    watch.gone("scans", "busy")
    watch.event("bus", LinkChanged(up=True))
    for n in range(10):
        watch.event("bus", DeviceChanged(f"m{n}", up=False, detail="no answer"))
    silent = f"{', '.join(f'm{n} (no answer)' for n in range(8))} and 2 more"
    assert [(c.kind, c.text, c.about) for c in of_parts(watch, ["a.js"])] == [
        ("driver_down", "driver radio: starting", "radio"),
        ("bus_silent", f"driver bus: no reading of {silent}", "bus"),
        ("part_down", "scans: busy", "scans"),
        ("script_aside", "script a.js: set aside for a while: it kept breaking its limits", "a.js"),
    ]


def test_devices() -> None:
    (few,) = of_devices(["a", "b"], {})
    assert (few.text, few.about, few.values) == ("overdue: a, b", "a, b", {"n": 2})
    (many,) = of_devices([str(i) for i in range(SHOWN + 3)], {})
    assert many.text == "overdue: 0, 1, 2, 3, 4, 5, 6, 7 and 3 more"
    assert many.about.endswith(" …")


def test_devices_that_are_heard_and_not_understood() -> None:
    watch = Watch(0)
    for n in range(3):
        assert watch.unreadable() == {}
        for name in ("a", "b", "c"):
            watch.undecodable(name, "unknown_type" if n else "short")
    watch.decoded("elsys", "c", Stamp(0, 0, synced=True))
    unreadable, overdue = of_devices(["a", "d"], watch.unreadable())  # a is heard: neither battery nor radio
    assert (unreadable.kind, unreadable.about, unreadable.values) == ("undecoded", "a, b", {"n": 2})
    assert unreadable.text == "payloads cannot be decoded: a (unknown_type), b (unknown_type)"
    assert overdue.text == "overdue: d"


def test_scans() -> None:
    watch = ScanWatch()
    watch.stations = {"post": Place(up=False, detail="/srv: Permission denied"), "bau": Place()}
    watch.stalled = {"counter": "disk_full"}
    watch.targets = {"dms": Place(up=False, detail="HTTP 503"), "akten": Place()}
    watch.withdrawn = {"bau": 1}
    watch.counts = Counts({"post": {"held": 2, "verified": 9}, "bau": {"quarantined": 1}}, {}, {"alt": 3}, {"dms2": 1})
    found = list(of_scans(watch, 7 * DAY_NS))
    assert [(c.kind, c.about) for c in found] == [
        ("station_down", "post"), ("station_stalled", "counter"), ("target_down", "dms"), ("release_withdrawn", "bau"),
        ("station_gone", "alt"), ("target_gone", "dms2"), ("scans_held", "post"), ("scans_quarantined", "bau"),
    ]  # fmt: skip
    assert found[0].text == "scan station post: cannot be read (/srv: Permission denied)"
    stalled = "scan station counter: documents cannot be taken in (disk_full); they stay where they are"
    assert (found[1].text, found[1].detail) == (stalled, "disk full")
    assert found[2].text == "scan target dms: takes nothing (HTTP 503); torhaus scans targets"
    assert found[3].text == "scan station bau: keep the paper of 1 that its department complained of after release"
    assert found[5].text == "scan target dms2: not in the configuration any more, 1 waiting for it"
    assert found[6].text == "scan station post: 2 held; torhaus scans list --state held"
    assert {c.kind for c in found} <= set(KINDS)


def test_time_stamps_that_do_not_come() -> None:
    watch = ScanWatch()
    watch.evidence.stamps = StampFigures(waiting_since_ns=5 * DAY_NS, trouble="slow")
    assert list(of_scans(watch, 7 * DAY_NS)) == []
    (late,) = of_scans(watch, 8 * DAY_NS)
    assert (late.kind, late.text, late.values) == ("unstamped", "evidence: no time stamp for 3 days (slow)", {"n": 3})
