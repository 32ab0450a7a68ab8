"""Devices whose keys stay at a ChirpStack server: its sessions are asked for, and their uplinks decoded here."""

import asyncio
from pathlib import Path

import pytest

from tests.daemon.chirpstack_api_server import TOKEN, ChirpStackApi
from tests.daemon.home import Home, archive, running, until
from tests.daemon.lora_device import JoinServer, OtaaDevice
from tests.daemon.test_app_joins import ADDR, DRIVER, push
from tests.drivers.gwmp_down_fakes import Concentrator
from torhaus.codecs.lorawan.keys import KeySet, derive_1_0
from torhaus.daemon.app import App


def home_of(folder: Path, url: str, it: OtaaDevice) -> Home:
    home = Home(folder, devices=it.config('keys = "chirpstack"\n'))
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(TOKEN)
    home.write(f'{DRIVER}{archive(folder)}[lorawan.chirpstack]\nurl = "{url}"\ntoken_file = "token"\n')
    return home


def join(it: OtaaDevice, server: ChirpStackApi, addr: int) -> bytes:
    """The device joins, at a gateway that is not ours. Its request."""
    request = it.ask()
    assert it.take(JoinServer(it).answer(request, addr))
    server.joined(it.eui, addr, keys_of(it))
    return request


def keys_of(it: OtaaDevice) -> KeySet:
    assert it.body is not None
    return derive_1_0(it.join_key, it.body.join_nonce, it.body.net_id, it.dev_nonce)


async def reads(app: App, home: Home, it: OtaaDevice, gateway: Concentrator) -> None:
    before = len(home.lines())
    push(gateway, it.uplink(), 3000)
    await until(lambda: len(home.lines()) > before)
    line = home.lines()[-1]
    assert line["device"] == it.name
    assert line["fields"]["temperature"]["value"] == 21.4
    assert line["lora"]["dev_addr"] == f"{it.dev_addr:08x}"


def test_its_sessions_are_read_here(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    it = OtaaDevice(dev_nonce=3)

    async def main() -> None:
        server = ChirpStackApi()
        async with asyncio.timeout(60), server.serving():
            join(it, server, ADDR)
            home = home_of(tmp_path / "home", server.url, it)
            app = home.app()
            async with running(app):
                gateway = Concentrator(app.drivers["roof"])
                try:
                    central = app.joining.central
                    assert central is not None
                    await until(lambda: central.results["new"] == 1)
                    await reads(app, home, it, gateway)
                    push(gateway, join(it, server, ADDR + 1), 4000)
                    await until(lambda: app.joining.book.results["keys_elsewhere"] == 1)
                    await until(lambda: central.results["new"] == 2)
                    await reads(app, home, it, gateway)
                    server.token = "another"  # it goes on with what it has
                    central.joins(it.eui)
                    await until(lambda: central.away is not None)
                    await reads(app, home, it, gateway)
                    assert app.survey.problems() == []
                finally:
                    gateway.sock.close()
            again = home.app()
            async with running(again):
                await until(lambda: any("no such key" in text for text in again.survey.problems()))
            app_s_key = keys_of(it).app_s_key
            for file in home.store.rglob("*"):
                if file.is_file():
                    assert app_s_key not in file.read_bytes()
                    assert app_s_key.hex().encode() not in file.read_bytes()
        said = capfd.readouterr()
        assert TOKEN not in said.out + said.err
        assert app_s_key.hex() not in said.out + said.err

    asyncio.run(main())
