"""A join through the whole daemon: request from a gateway, accept from a network server, kills in between."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.daemon.home import Home, archive, running, until
from tests.daemon.lora_device import JoinServer, OtaaDevice
from tests.drivers.gwmp_down_fakes import Concentrator
from tests.drivers.gwmp_fakes import EUI
from torhaus.codecs.framing.semtech_udp_client import build_push_data
from torhaus.codecs.lorawan.downlink import After, Downlink, TxItem, TxStatus
from torhaus.codecs.model import Radio, Reception
from torhaus.daemon.app import App

ADDR = 0x26011234
DRIVER = f'[[driver]]\nname = "roof"\ntype = "semtech_udp"\nlisten = "127.0.0.1:0"\n[[driver.gateway]]\neui = "{EUI}"\n'


def home_of(folder: Path, it: OtaaDevice) -> Home:
    home = Home(folder, devices=it.config())
    home.write(DRIVER + archive(folder))
    (folder / "devices.keys.toml").write_text(it.key_table())
    return home


def push(gateway: Concentrator, phy: bytes, tmst: int) -> None:
    rx = Reception(EUI, -97, 7.5, tmst_us=tmst, crc=1)
    gateway.sock.send(build_push_data(b"\7\7", EUI, [(phy, Radio(868_100_000, "LORA", "SF7BW125", "4/5", [rx]))]))


async def accepted(app: App, it: OtaaDevice, gateway: Concentrator) -> None:
    """The device asks, a network server's accept goes down through Downlinks, and the device takes it."""
    request = it.ask()
    before = app.joining.book.results["requested"]
    push(gateway, request, 1000)
    await until(lambda: app.joining.book.results["requested"] == before + 1)
    await gateway._receive()  # the PUSH_ACK
    accept = JoinServer(it).answer(request, ADDR)
    at = After(5_000_000, (1000).to_bytes(4, "big"))
    sending = asyncio.create_task(
        app.downlinks.send(Downlink(EUI, (TxItem(accept, 868_100_000, "LORA", "SF7BW125", at),)))
    )
    token, txpk = await gateway.given()
    assert it.take(txpk.data)
    gateway.say(token)
    assert (await sending)[0].status is TxStatus.OK


async def read(app: App, home: Home, it: OtaaDevice, gateway: Concentrator) -> None:
    """Its next uplink becomes a reading; what was sent before a kill may come once more in between."""
    push(gateway, it.uplink(), 2000)
    await until(lambda: any(line["lora"]["fcnt"] == it.fcnt_up - 1 for line in home.lines()))
    line = next(line for line in home.lines() if line["lora"]["fcnt"] == it.fcnt_up - 1)
    assert line["fields"]["temperature"]["value"] == 21.4
    assert line["device"] == "flur"


@pytest.mark.parametrize("is_1_1", [False, True])
def test_killed_after_the_accept_and_killed_after_the_first_uplink(tmp_path: Path, is_1_1: bool) -> None:
    """A copy of the store's files as they are at some moment is what a kill at that moment leaves."""
    it = OtaaDevice(is_1_1=is_1_1)
    homes = [home_of(tmp_path / name, it) for name in ("one", "two", "three")]

    async def go() -> None:
        async with asyncio.timeout(30):
            first = homes[0].app()
            async with running(first):
                gateway = Concentrator(first.drivers["roof"])
                await gateway.pull()
                await accepted(first, it, gateway)
                shutil.copytree(homes[0].store, homes[1].store)
                gateway.sock.close()
            second = homes[1].app()
            async with running(second):
                gateway = Concentrator(second.drivers["roof"])
                await read(second, homes[1], it, gateway)
                await until(lambda: second.joining.book.results["established"] == 1)
                shutil.copytree(homes[1].store, homes[2].store)
                gateway.sock.close()
            third = homes[2].app()
            async with running(third):
                gateway = Concentrator(third.drivers["roof"])
                before = len(homes[2].lines())
                it.fcnt_up -= 1
                push(gateway, it.uplink(), 3000)  # a recording
                await until(lambda: third.watch.rejects)
                assert [reason for _, _, reason in third.watch.rejects] == ["duplicate"]
                await read(third, homes[2], it, gateway)
                assert len(homes[2].lines()) >= before + 1
                answer = await homes[2].ask("/lora/joins")
                assert [a["result"] for a in answer] in ([], ["established"])
                gateway.sock.close()

    asyncio.run(go())
    for home in homes:
        for file in home.store.rglob("*"):
            data = file.read_bytes() if file.is_file() else b""
            assert it.app_key not in data
            assert it.app_key.hex().encode() not in data
            assert it.keys is not None
            assert it.keys._keys.app_s_key not in data
            assert it.keys._keys.app_s_key.hex().encode() not in data
