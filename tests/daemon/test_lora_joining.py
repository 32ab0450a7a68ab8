"""From configuration and store to a network that knows the sessions."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.home import Home, running
from tests.daemon.lora_device import OtaaDevice
from torhaus.codecs.model import Frame
from torhaus.daemon.lora.configured import device_of
from torhaus.daemon.lora.joining import joiners_of
from torhaus.daemon.lora.network import Device
from torhaus.daemon.outbox.flush import Flush
from torhaus.daemon.outbox.joins import DeviceJoins, Joined
from torhaus.daemon.outbox.mac_state import Mac
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.store import MAIN


def test_the_devices_that_have_their_root_keys(tmp_path: Path) -> None:
    one, two = OtaaDevice(), OtaaDevice("keller", dev_eui=2, is_1_1=True)
    bare, half = OtaaDevice("alt", dev_eui=3), OtaaDevice("halb", dev_eui=4, is_1_1=True)
    home = Home(tmp_path, devices=one.config() + two.config("allow_half_mic = true\n") + bare.config() + half.config())
    table = half.key_table().replace("nwk_key", "# nwk_key")
    (tmp_path / "devices.keys.toml").write_text(one.key_table() + two.key_table() + table)
    loaded = home.load()
    devices = [device_of(d, loaded.keys.get(d.name), tmp_path) for d in loaded.devices]
    found = joiners_of(loaded, devices)
    assert [(j.device.name, j.allow_half_mic) for j in found] == [("flur", False), ("keller", True)]


def test_a_session_that_was_changed_on_disk_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    it = OtaaDevice()
    home = Home(tmp_path, devices=it.config())
    (tmp_path / "devices.keys.toml").write_text(it.key_table())
    home.store.mkdir(mode=0o700)
    state = State(home.store / "state.db")
    state.save(Flush(joins={it.eui: DeviceJoins(1, (Joined(1, 2, 3, 4, 5, 6),))}))
    state.close()

    async def start() -> bool:
        app = home.app({})
        async with running(app):
            assert app.joining.network is not None
            assert await home.ask("/lora/joins") == []
            return bool(app.joining.network.sessions())

    assert asyncio.run(start())
    with contextlib.closing(sqlite3.connect(home.store / "state.db")) as conn, conn:
        conn.execute("UPDATE device_joins SET crc = crc + 1")
    assert not asyncio.run(start())


@pytest.mark.parametrize(
    ("battery", "event"),
    [
        (0, {"event": "status", "margin_db": -3, "external_power": 1}),
        (128, {"event": "status", "margin_db": -3, "external_power": 0, "battery_percent": 50.2}),
        (255, {"event": "status", "margin_db": -3, "external_power": 0}),
    ],
)
def test_what_a_device_says_of_itself_is_an_event(tmp_path: Path, battery: int, event: dict[str, object]) -> None:
    it = OtaaDevice()
    home = Home(tmp_path, '[lorawan]\nmode = "standalone"\n', devices=it.config())
    (tmp_path / "devices.keys.toml").write_text(it.key_table())

    async def go() -> list[tuple[str, object]]:
        app = home.app({})
        async with running(app):
            standalone = app.joining.standalone
            assert standalone is not None
            assert standalone.mac.on_status is not None
            frame = Frame("roof", b"x", app.clock.stamp())
            standalone.mac.on_status(Device("flur", it.eui), frame, Mac(battery=battery, margin_db=-3))
            standalone.mac.on_status(Device("flur", it.eui), frame, Mac())
            await app.outbox.save()
            found = await app.outbox.read(MAIN, 0, 10)
        return [(s.record.device or "", s.record.event) for s in found if isinstance(s, Stored)]

    assert asyncio.run(go()) == [("flur", event)]
