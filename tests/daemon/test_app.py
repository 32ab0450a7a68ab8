import asyncio
import logging
import sqlite3
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.daemon.home import METER, Heard, Home, archive, frame, running, sender, udp_port, until
from torhaus.codecs.model import RejectReason
from torhaus.daemon.config.model import ForwarderCommon
from torhaus.daemon.demo.gateway import SimulatedGateway
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.forward.base import Item, Outcome
from torhaus.daemon.offline import read_status
from torhaus.daemon.scans.migrate import VERSION
from torhaus.drivers.base import DriverGone, Host, LinkChanged

LIMITS = {"main": 1, "strangers": 1}


def get(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        body: bytes = answer.read()
        return body


def test_from_the_air_to_a_file_and_an_orderly_end(tmp_path: Path) -> None:
    port, known = udp_port(), [Sensor(i) for i in range(3)]
    radio = f'[[driver]]\nname = "radio"\ntype = "semtech_udp"\nlisten = "127.0.0.1:{port}"\n'
    home = Home(tmp_path, radio + archive(tmp_path), known)

    async def go() -> None:
        app = home.app()
        async with running(app):
            assert home.socket.stat().st_mode & 0o777 == 0o660
            gateway = SimulatedGateway("aa555a0000000101")
            await gateway.open("127.0.0.1", port)
            for sensor in known:
                assert await gateway.push_acked([sensor.uplink()], 5)
            gateway.close()
            assert b"torhaus_driver_frames_total" in await asyncio.to_thread(get, app.http_port, "/metrics")
            assert (await home.ask("/healthz"))["ready"] is True
        assert [line["device"] for line in home.lines()] == ["sensor-0", "sensor-1", "sensor-2"]
        assert not home.socket.exists()
        assert isinstance(app.notifier, Heard)
        said = [next(iter(s)) for s in app.notifier.said if "WATCHDOG" not in s]
        assert said == ["READY", "STOPPING"]

    asyncio.run(go())
    assert read_status(home.store, "test", LIMITS).forwarders["archive"].backlog == 0


def test_a_part_with_a_defect_is_started_again_and_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("torhaus"), "propagate", True)
    home = Home(tmp_path, archive(tmp_path), devices=METER)
    starts = 0

    async def broken(host: Host) -> None:
        nonlocal starts
        starts += 1
        if starts < 5:
            raise ValueError("x")
        host.event(LinkChanged(True))
        await asyncio.Event().wait()

    async def go() -> None:
        app = home.app({"broken": broken, "good": sender([frame()])})
        async with running(app):
            await until(lambda: starts == 5 and home.lines())
            assert app.watch.defects == {"driver broken": 4}
            assert app.survey.problems() == []

    asyncio.run(go())
    assert home.lines()[0]["fields"] == {"temperature_1": {"value": 27.2, "unit": "Cel"}}
    logged = [r for r in caplog.records if r.getMessage() == "defect"]
    assert len(logged) == 3  # the 1st, 2nd and 4th


@pytest.mark.parametrize("name", ["outbox", "scans", "clock", "forwarder archive", "driver x"])
def test_a_driver_that_is_named_like_a_part(tmp_path: Path, name: str) -> None:
    home = Home(tmp_path, archive(tmp_path), devices=METER)
    tries = 0

    async def gone(host: Host) -> None:
        nonlocal tries
        tries += 1
        raise DriverGone("no such port")

    async def go() -> None:
        app = home.app({name: gone, "good": sender([frame()])})
        app.watch.gone(name, "the part, not the driver") if not name.startswith("driver ") else None
        async with running(app):
            await until(lambda: tries > 2 and home.lines())
            assert app.watch.drivers[name].detail == "no such port"
            assert f"driver {name}: no such port" in app.survey.problems()
            assert app.survey.ready()

    asyncio.run(go())


def test_what_is_being_sent_is_finished_before_the_end(tmp_path: Path) -> None:
    home = Home(tmp_path, devices=METER)
    sending, answered = asyncio.Event(), asyncio.Event()

    class Slow:
        max_batch = 10
        concurrency = 1
        note = None

        async def open(self) -> None: ...

        async def gone(self) -> None:
            await asyncio.Event().wait()

        async def close(self) -> None: ...

        async def send(self, batch: list[Item]) -> Outcome:
            sending.set()
            await answered.wait()
            return Outcome(list(range(len(batch))))

    module = SimpleNamespace(open_forwarder=lambda config, context: Slow())
    common = ForwarderCommon(name="slow", type="slow")

    async def go() -> None:
        app = home.app({"meter": sender([frame()])}, [(module, common, None)])
        async with running(app):
            await sending.wait()
            asyncio.get_running_loop().call_later(0.2, answered.set)
        assert app.runners["slow"][1].tally.accepted == 1

    asyncio.run(go())
    assert read_status(home.store, "test", LIMITS).forwarders["slow"].backlog == 0


SCRIPTED = '[[device]]\nname = "boiler"\ncodec = "boiler.js"\n'


def test_a_script_that_cannot_be_read_costs_its_records_their_fields_only(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path) + 'kinds = ["reading", "frame"]\n', devices=SCRIPTED)
    script = tmp_path / "decoders" / "boiler.js"
    script.parent.mkdir()
    script.write_text("function decodeUplink(i) { return {data: {n: i.bytes[0]}}; }")
    app = home.app({"meter": sender([frame(b"\x07", "boiler")])})
    script.unlink()

    async def go() -> None:
        async with running(app):
            await until(home.lines)
            [problem] = app.survey.problems()
            assert problem.startswith("script boiler.js: ")
            assert "No such file" in problem

    asyncio.run(go())
    line = home.lines()[0]
    assert (line["kind"], line["reason"]) == ("frame", "script_error")
    assert "fields" not in line
    assert app.watch.rejects["x", "script", RejectReason.SCRIPT_ERROR.value] == 1


def test_a_scan_store_that_is_refused_is_told_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("torhaus"), "propagate", True)
    caplog.set_level(logging.INFO)
    for name in ("in", "delivered", "state/scans"):
        (tmp_path / name).mkdir(parents=True)
    home = Home(
        tmp_path,
        f'[[scan.station]]\nname = "mailroom"\ntype = "folder"\npath = "{tmp_path}/in"\ntarget = "archive"\n'
        f'[[scan.target]]\nname = "archive"\ntype = "folder"\npath = "{tmp_path}/delivered"\n',
    )
    path = home.store / "scans" / "scans.db"
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA user_version = 99")
    conn.close()

    def told() -> list[str]:
        return [r.getMessage() for r in caplog.records if getattr(r, "fields", {}).get("part") == "scans"]

    async def go() -> None:
        app = home.app({})
        async with running(app):
            assert app._scans is not None
            await until(lambda: "scans" in app.watch.down)
            for _ in range(20):
                await app.clock.sleep(1)
            assert app.survey.problems() == [f"scans: scans.db has version 99, this torhaus knows {VERSION}"]
            assert app.survey.ready()
            with pytest.raises(Exception, match="the scan store is not open"):
                await home.ask("/scans")
            assert told() == ["cannot work"]
            path.unlink()
            await until(lambda: app.survey.problems() == [])
            assert await home.ask("/scans") == []
            assert app.survey.status().scans == {"station mailroom": {}, "target archive": {}}
        assert app.watch.defects == {}

    asyncio.run(go())
    assert told()[-1] == "works again"


def test_an_exception_that_nobody_awaits_is_counted(tmp_path: Path) -> None:
    home = Home(tmp_path)

    async def go() -> None:
        app = home.app({})
        async with running(app):
            asyncio.get_running_loop().call_soon(lambda: 1 // 0)
            asyncio.get_running_loop().call_exception_handler({"message": "without an exception"})
            await until(lambda: app.watch.defects["event loop"])
            assert app.survey.ready()

    asyncio.run(go())


def test_a_state_that_cannot_be_read_is_told_and_over_when_it_is_over(tmp_path: Path) -> None:
    home = Home(tmp_path)

    async def go() -> None:
        app = home.app({})
        async with running(app):
            sound, broken = app.outbox.on_state, True

            async def on_state(job: Any) -> Any:
                if broken:
                    raise sqlite3.OperationalError("disk I/O error")
                return await sound(job)

            app.outbox.on_state = on_state  # type: ignore[method-assign]
            await until(app.survey.problems)
            assert app.survey.problems() == ["dead letters: disk I/O error"]
            broken = False
            await until(lambda: not app.survey.problems())
        assert app.watch.defects == {}

    asyncio.run(go())
