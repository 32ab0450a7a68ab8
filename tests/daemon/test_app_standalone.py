"""A site without a network server, through a packet forwarder: join, acknowledge, kill, acknowledge, allow."""

import asyncio
import shutil
from pathlib import Path

from tests.daemon.home import archive, running, until
from tests.daemon.lora_device import OtaaDevice
from tests.daemon.test_app_joins import DRIVER, home_of, push
from tests.daemon.test_cli_joins import run
from tests.daemon.test_lora_accepts import NET_ID, Rejoining
from tests.drivers.gwmp_down_fakes import Concentrator
from torhaus.codecs.framing.semtech_udp import PULL_RESP, PUSH_ACK
from torhaus.codecs.framing.semtech_udp_down import Txpk, parse_pull_resp
from torhaus.daemon.app import App

STANDALONE = '[lorawan]\nmode = "standalone"\nnet_id = "000001"\n'


async def answered(app: App, gateway: Concentrator, phy: bytes, tmst: int) -> Txpk:
    """What is to be sent after a frame."""
    push(gateway, phy, tmst)
    came = {data[3]: data for data in [await gateway._receive(), await gateway._receive()]}
    assert came.keys() == {PUSH_ACK, PULL_RESP}, "in either order: this clock does not wait for further gateways"
    found = parse_pull_resp(came[PULL_RESP])
    gateway.say(found.token)
    return found.txpk


def test_a_device_joins_and_is_acknowledged_before_and_after_a_kill(tmp_path: Path) -> None:
    it = OtaaDevice()
    homes = [home_of(tmp_path / name, it) for name in ("one", "two")]
    for home in homes:
        home.write(STANDALONE + DRIVER + archive(home.folder))

    async def go() -> None:
        async with asyncio.timeout(30):
            first = homes[0].app()
            async with running(first):
                gateway = Concentrator(first.drivers["roof"])
                await gateway.pull()
                txpk = await answered(first, gateway, it.ask(), 1000)
                assert (txpk.tmst_us, txpk.freq_hz, txpk.datarate) == (5_001_000, 868_100_000, "SF7BW125")
                assert it.take(txpk.data)
                txpk = await answered(first, gateway, it.uplink(confirmed=True), 2000)
                assert txpk.tmst_us == 1_002_000
                ack = it.hear(txpk.data)
                assert ack is not None
                assert ack.ack
                await until(lambda: len(homes[0].lines()) == 1)
                shutil.copytree(homes[0].store, homes[1].store)
                gateway.sock.close()
            second = homes[1].app()
            async with running(second):
                gateway = Concentrator(second.drivers["roof"])
                await gateway.pull()
                txpk = await answered(second, gateway, it.uplink(confirmed=True), 3000)
                assert it.hear(txpk.data) is not None
                it.dev_nonce -= 1
                push(gateway, it.ask(), 4000)
                await until(lambda: second.joining.book.results["nonce_used"] == 1)
                await gateway._receive()
                assert await asyncio.to_thread(run, homes[1], "nobody", command="allow-join") == 64
                assert await asyncio.to_thread(run, homes[1], "flur", command="allow-join") == 0
                it.dev_nonce -= 1
                assert it.take((await answered(second, gateway, it.ask(), 5000)).data)
                gateway.sock.close()

    asyncio.run(go())


def test_a_device_is_told_to_rejoin(tmp_path: Path) -> None:
    it = Rejoining()
    home = home_of(tmp_path, it)
    home.write(STANDALONE.replace("000001", f"{NET_ID:06x}") + DRIVER + archive(home.folder))

    async def go() -> None:
        async with asyncio.timeout(30):
            app = home.app()
            async with running(app):
                assert await asyncio.to_thread(run, home, "flur", command="rejoin") == 64, "it has not joined yet"
                gateway = Concentrator(app.drivers["roof"])
                await gateway.pull()
                assert it.take((await answered(app, gateway, it.ask(), 10_000_000)).data)
                assert it.hear((await answered(app, gateway, it.uplink(confirmed=True), 20_000_000)).data) is not None
                assert await asyncio.to_thread(run, home, "flur", command="rejoin") == 0
                told = it.hear((await answered(app, gateway, it.uplink(), 30_000_000)).data)
                assert told is not None
                assert len(told.fopts) == 3
                assert it.accepted((await answered(app, gateway, it.again(0), 40_000_000)).data, 0)
                ack = it.hear((await answered(app, gateway, it.uplink(confirmed=True), 50_000_000)).data)
                assert ack is not None
                assert ack.fopts == b"", "once"
                gateway.sock.close()

    asyncio.run(go())
