"""Rejoins of 1.1 (LoRaWAN 1.1 section 6.2.4); joins: test_lora_standalone.py."""

from tests.daemon.join_scene import GATEWAY
from tests.daemon.lora_device import JOIN_EUI, OtaaDevice
from tests.daemon.standalone_scene import OTHER, StandaloneScene
from torhaus.codecs.lorawan.aes import cmac
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.downlink import After
from torhaus.codecs.lorawan.join import Asked, build_rejoin_request, open_join_accept
from torhaus.codecs.lorawan.keys import derive_1_1, derive_join_server
from torhaus.codecs.model import RejectReason
from torhaus.daemon.lora.accepts import LATE_S
from torhaus.daemon.lora.network import Uplink

NET_ID = 0x13


class Rejoining(OtaaDevice):
    """What it does beyond joining; made anew from the keys' document, not from the daemon's code."""

    def __init__(self) -> None:
        super().__init__(is_1_1=True)
        self.js = derive_join_server(self.join_key, self.dev_eui)
        self.counts = {0: -1, 1: -1}

    def again(self, rejoin_type: int, count: int | None = None) -> bytes:
        kind = rejoin_type == 1
        self.counts[kind] = self.counts[kind] + 1 if count is None else count
        assert self.body is not None
        if kind:
            return build_rejoin_request(self.js.js_int_key, 1, JOIN_EUI, self.dev_eui, self.counts[1])
        s_nwk_s_int = derive_1_1(
            self.join_key, self.app_key, self.body.join_nonce, JOIN_EUI, self.nonce
        ).s_nwk_s_int_key
        return build_rejoin_request(s_nwk_s_int, rejoin_type, NET_ID, self.dev_eui, self.counts[0])

    nonce = 1

    def accepted(self, phy: bytes, rejoin_type: int) -> bool:
        count = self.counts[rejoin_type == 1]
        body = open_join_accept(
            self.js.js_enc_key, phy, js_int_key=self.js.js_int_key, asked=Asked(rejoin_type, JOIN_EUI, count)
        )
        if body.join_nonce <= self.join_nonce:
            return False
        self.join_nonce, self.body, self.dev_addr, self.nonce = body.join_nonce, body, body.dev_addr, count
        self.keys = SessionKeys(derive_1_1(self.join_key, self.app_key, body.join_nonce, JOIN_EUI, count))
        self.fcnt_up, self.n_fcnt_down, self.a_fcnt_down = 0, -1, -1
        self.counts[0] = -1
        return True


def test_all_three_types() -> None:
    it = Rejoining()
    scene = StandaloneScene(it, net_id="000013")

    async def body() -> None:
        await scene.join(it)
        await scene.ask(it.uplink())
        for rejoin_type in (0, 1, 2):
            before = it.dev_addr
            assert scene.heard(it.again(rejoin_type)).reason is None
            await scene.settle()
            assert scene.last().at == After(5_000_000, scene.context())
            assert it.accepted(scene.last().data, rejoin_type)
            assert len(it.body.cf_list if it.body else b"") == (0 if rejoin_type == 2 else 16)
            assert it.dev_addr != before
            await scene.killed()
            up = await scene.ask(it.uplink(fopts=b"\x0b\x01"))
            assert (up.payload, up.lora.session) == (b"\x01\x00\xd6", rejoin_type + 2)
            assert it.hear(scene.last().data) is not None, "RekeyConf"
            assert not scene.network.has_addr(before or 0), "the older session is over"
        assert scene.standalone.accepts.rejoins == {}, "counted until the last kill"

    scene.run(body)


def test_the_old_session_goes_on_until_the_new_one_is_used() -> None:
    it = Rejoining()
    scene = StandaloneScene(it, net_id="000013")

    async def body() -> None:
        await scene.join(it)
        await scene.ask(it.uplink())
        await scene.ask(it.again(0))
        assert scene.standalone.accepts.rejoins == {"requested": 1, "accepted": 1}
        up = await scene.ask(it.uplink())
        assert (up.payload, up.lora.session) == (b"\x01\x00\xd6", 1), "it did not hear the answer"
        assert scene.heard(it.again(0)).reason is None, "and asks once more"

    scene.run(body)


def test_recordings_and_copies() -> None:
    it = Rejoining()
    scene = StandaloneScene(it, net_id="000013")

    async def body() -> None:
        await scene.join(it)
        await scene.ask(it.uplink())
        for rejoin_type in (0, 1):
            phy = it.again(rejoin_type)
            scene.heard(phy)
            assert scene.heard(phy, OTHER).reason is None
            await scene.settle()
            await scene.clock.pass_s(LATE_S + 1, step_s=1)
            await scene.killed()
            refused = scene.heard(phy)
            assert refused.reason is RejectReason.REPLAY
            assert "recording" in (refused.detail or "")
        assert len(scene.radio.sent) == 3

    scene.run(body)


def test_who_may_not() -> None:
    it, old, stranger = Rejoining(), OtaaDevice("keller", dev_eui=5), OtaaDevice("x", dev_eui=6)
    scene = StandaloneScene(it, old, net_id="000013")

    async def body() -> None:
        await scene.join(it)
        await scene.ask(it.uplink())
        good = it.again(0)
        forged = good[:-4] + bytes(4)
        assert scene.heard(forged).reason is RejectReason.MIC
        message = good[:2] + b"\x99\x00\x00" + good[5:-4]
        other = message + cmac(bytes(16), message)[:4]
        assert scene.heard(other).reason is RejectReason.MIC
        for device, reason in ((old, RejectReason.UNSUPPORTED), (stranger, RejectReason.UNKNOWN_DEVICE)):
            phy = build_rejoin_request(bytes(16), 0, NET_ID, device.dev_eui, 0)
            assert scene.heard(phy).reason is reason
        scene.joins.change(scene.network._by_id[f"{it.eui}/1"], is_ours=False)
        assert scene.heard(it.again(2)).reason is RejectReason.UNSUPPORTED
        scene.disk = False
        await scene.ask(it.again(1))
        await scene.settle()
        assert len(scene.radio.sent) == 1
        assert scene.standalone.accepts.rejoins["not_stored"] == 1
        assert sum(scene.standalone.accepts.rejoins.values()) == 7

    scene.run(body)


def test_passive_sites_do_not_answer() -> None:
    it = Rejoining()
    scene = StandaloneScene(it, net_id="000013")

    async def body() -> None:
        await scene.join(it)
        scene.network.on_rejoin = None
        found: Uplink = scene.heard(it.again(0), GATEWAY)
        assert found.reason is RejectReason.UNSUPPORTED

    scene.run(body)


def test_a_network_that_has_no_addresses_left() -> None:
    """NetIDs of type 7 have 128: devices share them, and are told apart by their keys."""
    devices = [OtaaDevice(f"d{n}", dev_eui=n + 1, app_key=bytes([n]) * 16) for n in range(130)]
    scene = StandaloneScene(*devices, net_id="e00001")

    async def body() -> None:
        for it in devices:
            assert scene.heard(it.ask()).reason is None
        await scene.settle()
        accepts = [d.items[0].data for d in scene.radio.sent]
        for it in devices:
            assert any(it.take(phy) for phy in accepts)
        assert len({it.dev_addr for it in devices}) <= 128
        for it in devices:
            up = scene.heard(it.uplink())
            assert up.device is not None
            assert up.device.name == it.name

    scene.run(body)
