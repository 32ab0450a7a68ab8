"""Passive mode: devices join at a network server elsewhere, over the relay; here and there the same values are read.

The server is written out here: it has the root keys, its own RXDelay and CFList, and knows nothing of torhaus.
"""

import asyncio
import socket
from pathlib import Path

import pytest

from tests.daemon.gwmp_server import GATEWAY, GwmpServer
from tests.daemon.home import Home, archive, running, until
from torhaus.codecs.framing.semtech_udp_client import build_pull_data, build_push_data
from torhaus.codecs.framing.semtech_udp_down import TxAck, Txpk, build_tx_ack, parse_pull_resp
from torhaus.codecs.lorawan.build import build_downlink
from torhaus.codecs.lorawan.cf_list import FREQUENCIES, CfList, encode_cf_list
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.join import JOIN_REQUEST, Asked, JoinAcceptBody, build_join_accept
from torhaus.codecs.lorawan.keys import derive_1_0, derive_1_1, derive_join_server
from torhaus.codecs.lorawan.phy import DataFrame, JoinRequest, parse
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.model import Radio, Reception
from torhaus.codecs.registry import load
from torhaus.daemon.demo.sensors import KINDS
from torhaus.daemon.simulate.identity import Identity, identities
from torhaus.daemon.simulate.member import Member
from torhaus.daemon.simulate.settings import Settings

ADDR = 0x26011234
CHANNELS_HZ = (867_900_000, 867_100_000, 0, 867_500_000, 866_900_000)
"""In an order of the server's own: 1.1 has the device's channel number in the MIC."""


class NetworkServer:
    """One device's. `read` has the payloads."""

    def __init__(self, one: Identity, radio: GwmpServer) -> None:
        self.one = one
        self.radio = radio
        self.read: list[bytes] = []
        self.join_nonce = 100
        self._keys: SessionKeys
        self._seen = 0
        self._fcnt_down = 0

    async def answer(self, settings: Settings) -> None:
        """The newest frame; `settings` are the device's, for what the server has to know of its channels."""
        await until(lambda: len(self.radio.phys) > self._seen)
        self._seen = len(self.radio.phys)
        phy, heard = self.radio.phys[-1], self.radio.rxpk[-1]
        frame = parse(phy)
        if isinstance(frame, JoinRequest):
            data, delay_s = self._accept(frame), 5
        else:
            assert isinstance(frame, DataFrame)
            numbers = [n for n, c in settings.channels.items() if c.freq_hz == round(heard["freq"] * 1e6)]
            assert self._keys.verify_uplink(phy, frame, frame.fcnt16, tx_dr=5, tx_ch=numbers[0])
            self.read.append(self._keys.decrypt(frame, frame.fcnt16))
            data = build_downlink(self._keys, ADDR, self._fcnt_down, None, ack=True, conf_fcnt=frame.fcnt16)
            self._fcnt_down += 1
            delay_s = 3
        tmst = heard["tmst"] + delay_s * 1_000_000
        tx = Txpk(
            data=data,
            freq_hz=868_100_000,
            modulation="LORA",
            datarate="SF7BW125",
            coderate="4/5",
            tmst_us=tmst,
            invert_polarization=True,
        )
        self.radio.ask(GATEWAY, tx)

    def _accept(self, asked: JoinRequest) -> bytes:
        one = self.one
        self.join_nonce += 1
        self._fcnt_down = 0
        more = encode_cf_list(CfList(FREQUENCIES, CHANNELS_HZ))
        body = JoinAcceptBody(self.join_nonce, 0x13, ADDR, 0x83 if one.is_1_1 else 0x03, 3, more)
        if one.nwk_key is not None:
            keys = derive_1_1(one.nwk_key, one.app_key, body.join_nonce, one.join_eui, asked.dev_nonce)
        else:
            keys = derive_1_0(one.app_key, body.join_nonce, body.net_id, asked.dev_nonce)
        self._keys = SessionKeys(keys)
        js = derive_join_server(one.join_key, one.dev_eui).js_int_key
        return build_join_accept(
            one.join_key, body, js_int_key=js, asked=Asked(JOIN_REQUEST, one.join_eui, asked.dev_nonce)
        )


class Gateway:
    """A packet forwarder's socket, and the device beside it."""

    def __init__(self, port: int) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.connect(("127.0.0.1", port))
        self.sock.send(build_pull_data(b"\1\1", GATEWAY))
        self.tmst = 100

    def hears(self, phy: bytes, freq_hz: int) -> None:
        self.tmst += 10_000_000
        rx = Reception(GATEWAY, -97, 7.5, tmst_us=self.tmst, crc=1)
        self.sock.send(build_push_data(b"\7\7", GATEWAY, [(phy, Radio(freq_hz, "LORA", "SF7BW125", "4/5", [rx]))]))

    async def sends(self) -> Txpk:
        """What it is given to send, acknowledgements left out."""
        while True:
            data = await asyncio.get_running_loop().sock_recv(self.sock, 4096)
            if data[3] == 3:
                asked = parse_pull_resp(data)
                self.sock.send(build_tx_ack(asked.token, GATEWAY, TxAck()))
                return asked.txpk


@pytest.mark.parametrize("version", ["1.0.2", "1.0.4", "1.1"])
def test_the_same_values_here_and_there(tmp_path: Path, version: str) -> None:
    one = identities(1, (version,), 5)[0]

    async def go() -> None:
        async with asyncio.timeout(30), GwmpServer() as radio:
            home = Home(
                tmp_path,
                '[[driver]]\nname = "radio"\ntype = "semtech_udp"\nlisten = "127.0.0.1:0"\n'
                f'[[forwarder]]\nname = "lns"\ntype = "gwmp"\nserver = "127.0.0.1:{radio.port}"\n'
                f'[forwarder.filter]\ngateways = ["{GATEWAY}"]\n{archive(tmp_path)}',
                devices=one.config(),
            )
            (tmp_path / "devices.keys.toml").write_text(one.key_table())
            app, server, it = home.app(), NetworkServer(one, radio), Member(one)
            async with running(app):
                gateway = Gateway(app.drivers["radio"].port)
                await until(lambda: GATEWAY in radio.pulls)
                for _ in range(2):  # it joins, and once more later
                    settings = Settings(region("EU868"))
                    gateway.hears(it.ask(), 868_300_000)
                    await server.answer(settings)
                    accept = await gateway.sends()
                    assert accept.tmst_us == gateway.tmst + 5_000_000
                    assert it.take(accept.data)
                    assert it.body is not None
                    settings.joined(it.body)
                    assert (settings.rx1_delay_s, settings.rx2_dr, len(settings.channels)) == (3, 3, 7)
                    for n in (0, 3, 4, 6, 7):
                        make, fport = KINDS[one.codec]
                        phy = it.uplink(make(n, 1), fport=fport, confirmed=True, tx_dr=5, tx_ch=n)
                        gateway.hears(phy, settings.channels[n].freq_hz)
                        await server.answer(settings)
                        down = await gateway.sends()
                        assert down.tmst_us == gateway.tmst + 3_000_000
                        heard = it.hear(down.data)
                        assert heard is not None
                        assert heard.ack  # the server's: torhaus itself says nothing
                await until(lambda: len(home.lines()) == len(server.read))
                gateway.sock.close()
            decode, fport = load(one.codec), KINDS[one.codec][1]
            there = [decode(payload, fport) for payload in server.read]
            here = [{name: v["value"] for name, v in line["fields"].items()} for line in home.lines()]
            assert here == [{name: v.value for name, v in fields.items()} for fields in there]
            assert len(here) == 10

    asyncio.run(go())
