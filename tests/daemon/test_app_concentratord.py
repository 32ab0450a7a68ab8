"""A Concentratord and the whole daemon: from its socket to a file, and back down to it."""

import asyncio
from pathlib import Path

from chirpstack_api.gw import gw_pb2

from tests.daemon.home import Home, archive, running, until
from tests.drivers.concentratord_fakes import GATEWAY, FakeConcentratord, downlink, report, uplink
from torhaus.codecs.lorawan.downlink import TxStatus
from torhaus.daemon.demo.sensors import Sensor


def test_from_concentratord_to_a_file_and_a_downlink_back(tmp_path: Path) -> None:
    fake, sensor = FakeConcentratord(tmp_path), Sensor(0)
    urls = f'event_url = "{fake.event_url}"\ncommand_url = "{fake.command_url}"\ngateway = "{GATEWAY}"\n'
    dach = f'[[driver]]\nname = "dach"\ntype = "concentratord"\n{urls}'
    home = Home(tmp_path, dach + archive(tmp_path), [sensor])

    async def go() -> None:
        app = home.app()
        async with fake.open(), running(app):
            await fake.until_subscribed()
            await until(lambda: app.downlinks.present() == [GATEWAY])
            await fake.publish(b"\xffgarbage")
            await fake.publish(report())
            await fake.publish(uplink(phy=sensor.uplink()))
            await until(lambda: len(home.lines()) >= 1)
            said = await app.downlinks.send(downlink())
            assert [a.status for a in said] == [TxStatus.OK, TxStatus.IGNORED]
            assert app.watch.rejects["dach", "", "syntax"] == 1
            gateway = app.watch.gateways.all[GATEWAY]
            assert (gateway.online, gateway.listed, gateway.protocol) == (True, True, "concentratord")
            assert gateway.counts.uplinks == 1
            assert gateway.counts.downlinks == {"OK": 1}
            assert gateway.address == fake.command_url
        (line,) = home.lines()
        (rx,) = line["lora"]["rx"]
        assert (line["device"], rx["gateway"], rx["rssi_dbm"]) == ("sensor-0", GATEWAY, -97.0)

    asyncio.run(go())
    (sent,) = fake.downlinks
    assert sent.items[0].tx_info.modulation.lora.code_rate == gw_pb2.CR_4_5
