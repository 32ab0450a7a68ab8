import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.daemon.home import Home, archive, running, stamp, until
from torhaus.codecs.model import Frame, Reject, RejectReason
from torhaus.daemon.app import App
from torhaus.daemon.overdue import Overdue
from torhaus.daemon.scans.watch import Place, ScanWatch
from torhaus.daemon.scripts.host_model import HostStatus
from torhaus.daemon.status import Status
from torhaus.drivers.base import DeviceChanged, Host, LinkChanged

METER = '[[device]]\nname = "meter"\ncodec = "cayenne_lpp"\n'


async def meter(host: Host) -> None:
    host.event(LinkChanged(True))
    data = bytes.fromhex("01670110")
    host.deliver([Frame("meter", data, stamp(), device="meter")], [Reject(b"x", RejectReason.CRC)])
    await asyncio.Event().wait()


def with_app(folder: Path, body: Any) -> None:
    home = Home(folder, archive(folder), devices=METER)

    async def go() -> None:
        app = home.app({"meter": meter})
        async with running(app):
            await until(home.lines)
            await until(lambda: app.runners["archive"][1].tally.accepted)
            body(app)

    asyncio.run(go())


def test_everything_at_once(tmp_path: Path) -> None:
    def body(app: App) -> None:
        app.watch.dropped("main", "archive", 3, "size")
        s = msgspec.json.decode(msgspec.json.encode(app.survey.status()), type=Status)
        assert (s.site, s.running, s.ready, s.problems) == ("test", True, True, [])
        assert (s.drivers["meter"].up, s.drivers["meter"].frames) == (True, 1)
        assert s.devices == {"meter": stamp().wall_ns}
        assert (s.logs["main"].records, s.logs["strangers"].records) == (1, 1)
        assert s.logs["main"].capacity_bytes == 4 << 30
        assert s.written_per_day_bytes == 0  # a minute has to pass before that means anything
        app.survey._began_ns -= 3600 * 10**9
        written = sum(app.outbox.written().values())
        assert 0 < app.survey.status().written_per_day_bytes <= 24 * written + 1
        f = s.forwarders["archive"]
        assert (f.type, f.up, f.backlog, f.accepted, f.dead_letters) == ("file", True, 0, 1, 0)
        assert f.last_success_ns > 0
        assert (s.dropped, s.rejects, s.scans) == ({"archive/size": 3}, {"crc": 1}, {})
        assert app.survey.line() == "2 records stored, backlog 0"

    with_app(tmp_path, body)


def test_scripts_set_aside_and_devices_overdue_are_told(tmp_path: Path) -> None:
    def body(app: App) -> None:
        app.survey.scripts = lambda: HostStatus(None, 0, 0, 0, 0, "", ("bad.js",), 1)
        since = msgspec.structs.replace(stamp(), boot_ns=-(10**15))
        app.survey.overdue = Overdue({f"d{n}": 60.0 for n in range(10)} | {"meter": 1e9}, since)
        app.survey._now = lambda: msgspec.structs.replace(stamp(), synced=True)  # type: ignore[method-assign]
        assert app.survey.late() == [f"d{n}" for n in range(10)]
        assert app.survey.problems() == [
            "script bad.js: set aside for a while: it kept breaking its limits",
            "overdue: d0, d1, d2, d3, d4, d5, d6, d7 and 2 more",
        ]

    with_app(tmp_path, body)


def test_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def body(app: App) -> None:
        survey = app.survey
        survey.starting = True
        assert (survey.problems(), survey.ready()) == (["starting"], False)
        survey.starting = False
        app.watch.gone("driver meter", "unplugged")
        app.watch.event("bus", LinkChanged(up=True))
        for n in range(10):
            app.watch.event("bus", DeviceChanged(f"m{n}", up=False, detail="no answer"))
        app.watch.gone("scans", "busy")
        survey.scan_watch = ScanWatch()
        survey.scan_watch.stations = {"mail": Place(False, ""), "other": Place()}
        survey.scan_watch.targets = {"archive": Place(False, "503"), "post": Place()}
        assert survey.problems() == [
            "driver meter: unplugged",
            f"driver bus: no reading of {', '.join(f'm{n} (no answer)' for n in range(8))} and 2 more",
            "scans: busy",
            "scan station mail: cannot be read",
            "scan target archive: takes nothing (503); torhaus scans targets",
        ]
        assert survey.ready()  # what comes in is stored all the same
        app.runners["archive"][1].tally.up = False
        assert survey.ready()  # offline is a normal state
        assert survey.problems()[0].startswith("driver")
        assert survey.line().endswith("waiting for archive")
        with monkeypatch.context() as patch:
            patch.setattr(type(app.outbox), "failing", property(lambda _: "main: disk_full"))
            assert not survey.ready()
            assert survey.problems()[0] == "outbox: main: disk_full"
            assert survey.line().startswith("cannot write: main: disk_full; ")
        with monkeypatch.context() as patch:
            patch.setattr(app.outbox, "silent_s", lambda: 6.4)
            assert not survey.ready()
            assert survey.problems()[0] == "outbox: the writer has not answered for 6 s"

    with_app(tmp_path, body)
