"""From a packet forwarder through the daemon to ChirpStack and back, all of it real but the radio."""

import asyncio
from pathlib import Path

import msgspec
from chirpstack_api.gw import gw_pb2

from tests.daemon.chirpstack_scene import ACK, down, serving
from tests.daemon.home import Home, running, until
from tests.drivers.gwmp_down_fakes import Concentrator
from tests.drivers.gwmp_fakes import EUI
from tests.peers import mosquitto
from torhaus.codecs.framing.semtech_udp_client import build_push_data
from torhaus.codecs.model import Radio, Reception

PHY = b"\x40\1\2\3\4\0\1\0\1xmic!"


def test_up_and_down(tmp_path: Path) -> None:
    async def go(port: int) -> None:
        home = Home(
            tmp_path / "home",
            '[[driver]]\nname = "roof"\ntype = "semtech_udp"\nlisten = "127.0.0.1:0"\n'
            f'[[driver.gateway]]\neui = "{EUI}"\n'
            f'[[forwarder]]\nname = "city"\ntype = "chirpstack"\nurl = "mqtt://127.0.0.1:{port}"\n',
        )
        app = home.app()
        async with asyncio.timeout(30), serving(port) as server:
            async with running(app):
                await until(lambda: app.runners["city"][1].tally.up)
                gateway = Concentrator(app.drivers["roof"])
                try:
                    await gateway.pull()
                    rx = Reception(EUI, -97, 7.5, tmst_us=0x01020304, crc=1)
                    radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [rx])
                    gateway.sock.send(build_push_data(b"\7\7", EUI, [(PHY, radio)], {"rxnb": 5, "rxok": 4}))
                    await until(lambda: server.of("event/up") and server.of("event/stats") and server.of("state/conn"))
                    (frame,) = server.of("event/up")
                    assert frame.phy_payload == PHY
                    assert server.of("event/stats")[0].rx_packets_received == 5
                    assert server.of("state/conn")[0].state == gw_pb2.ConnState.State.ONLINE
                    await server.ask(EUI, "down", down(EUI, 4711, frame.rx_info.context, frame.rx_info.context))
                    await gateway._receive()  # the PUSH_ACK
                    token, txpk = await gateway.given()
                    assert txpk.tmst_us == 0x01020304 + 1_000_000
                    gateway.say(token, "TOO_LATE")
                    token, txpk = await gateway.given()
                    assert txpk.tmst_us == 0x01020304 + 2_000_000
                    gateway.say(token)
                    await until(lambda: server.of("event/ack"))
                    assert [item.status for item in server.of("event/ack")[0].items] == [ACK.TOO_LATE, ACK.OK]
                    assert app.runners["city"][1].sender.commands == {("down", "OK"): 1}
                    assert msgspec.to_builtins(app.survey.status().logs)["relay"]["records"] == 2
                finally:
                    gateway.sock.close()
            await until(lambda: len(server.of("state/conn")) == 2)
            assert server.of("state/conn")[1].state == gw_pb2.ConnState.State.OFFLINE

    with mosquitto(tmp_path) as port:
        asyncio.run(go(port))
