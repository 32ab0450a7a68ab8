import asyncio
import logging
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from torhaus.daemon.evidence.desk import Figures
from torhaus.daemon.scans.events import (
    Attempted,
    Event,
    EvidenceBroken,
    IntakeFlows,
    IntakeStalled,
    LoginRefused,
    NotTaken,
    ReleaseWithdrawn,
    ScanMoved,
    SiteJournalBroken,
    SourceStuck,
    StampingChanged,
    StationChanged,
    StoreStalled,
    TargetChanged,
    Unfinished,
)
from torhaus.daemon.scans.queue import Counts
from torhaus.daemon.scans.states import Reason, State
from torhaus.daemon.scans.watch import Place, ScanWatch

EVENTS: list[Any] = [
    ScanMoved("s/1/1", "mail", None, State.SPOOLED, None, 100),
    ScanMoved("s/1/1", "mail", "dms", State.QUARANTINED, Reason.DAMAGED),
    ScanMoved("s/1/1", "mail", "dms", State.HELD, Reason.DUPLICATE),
    Attempted("dms", "verified", 0.1),
    StationChanged("mail", False, "EACCES"),
    StationChanged("mail", True),
    TargetChanged("dms", False, "refused"),
    NotTaken("mail", "symlink"),
    Unfinished("mail", Reason.DAMAGED),
    IntakeStalled("mail", "disk_full"),
    IntakeFlows("mail"),
    SourceStuck("mail", "s/1/1"),
    StoreStalled("seal", "OperationalError"),
    EvidenceBroken(5, "changed", 1),
    LoginRefused("mail", "token"),
    SiteJournalBroken("rathaus", "rewritten", 7),
    StampingChanged(False, "slow"),
    ReleaseWithdrawn("s/1/1", "mail"),
]


def test_every_event_is_counted_or_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(logging.getLogger("torhaus"), "propagate", True)
    caplog.set_level(logging.INFO)
    assert {type(e) for e in EVENTS} == set(get_args(Event))
    w = ScanWatch()
    for event in EVENTS:
        w(event)
    assert w.moves == {("mail", "spooled"): 1, ("mail", "quarantined"): 1, ("mail", "held"): 1}
    assert w.taken_bytes == {"mail": 100}
    assert w.quarantined == {("mail", "damaged"): 1}
    assert w.attempts == {("dms", "verified"): 1}
    assert w.left == {("mail", "symlink"): 1, ("mail", "login_token"): 1}
    assert w.stalls == {"disk_full": 1, "seal": 1, "evidence_broken": 1, "site_journal": 1}
    assert w.stations == {"mail": Place(True, "")}
    assert w.targets == {"dms": Place(False, "refused")}
    assert [r.getMessage() for r in caplog.records] == [
        "scan quarantined",
        "scan held",
        "scan station",
        "scan station",
        "scan target",
        "scan station: an entry is not taken",
        "scan station: a file is not complete yet",
        "scan intake stalled",
        "scan station: a taken file cannot be removed",
        "scans store stalled",
        "evidence journal: entries were changed",
        "scan upload: login refused",
        "a site's evidence journal was changed",
        "evidence: time stamps",
        "release taken back: keep the paper",
    ]


def test_table() -> None:
    class Queue:
        evidence = SimpleNamespace(figures=Figures(7))

        async def counts(self) -> Counts:
            return Counts({"mail": {"spooled": 2}}, {"dms": {}})

        class release:  # noqa: N801 - what stands there in a queue
            @staticmethod
            async def to_look_at() -> dict[str, int]:
                return {"mail": 1}

            @staticmethod
            async def withdrawn() -> dict[str, int]:
                return {"mail": 2}

    w = ScanWatch()
    assert w.table() == {}
    asyncio.run(w.refresh(Queue()))  # type: ignore[arg-type]
    assert w.table() == {
        "station mail": {"spooled": 2},
        "quality control": {"waiting": 1},
        "release": {"withdrawn": 2},
        "target dms": {},
    }
    assert (w.to_look_at, w.withdrawn) == ({"mail": 1}, {"mail": 2})


def test_a_station_is_stalled_until_something_is_taken_in_or_nothing_is_left() -> None:
    w = ScanWatch()
    for over in (
        IntakeFlows("mail"),
        ScanMoved("s/1/1", "mail", None, State.SPOOLED),
        ScanMoved("s/1/1", "mail", None, State.QUARANTINED, Reason.DAMAGED),
    ):
        w(IntakeStalled("mail", "disk_full"))
        w(ScanMoved("s/1/1", "counter", None, State.SPOOLED))
        w(ScanMoved("s/1/2", "mail", None, State.VERIFIED))
        assert w.stalled == {"mail": "disk_full"}
        w(over)
        assert w.stalled == {}
