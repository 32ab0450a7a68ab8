"""Joins that torhaus answers itself, and what devices of class A need to go on."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.daemon.join_scene import GATEWAY
from tests.daemon.lora_device import OtaaDevice
from tests.daemon.standalone_scene import OTHER, StandaloneScene
from torhaus.codecs.lorawan.downlink import After, TxStatus
from torhaus.codecs.lorawan.mac_commands import decode
from torhaus.codecs.model import RejectReason
from torhaus.daemon.lora.accepts import LATE_S as JOIN_LATE_S
from torhaus.daemon.lora.down_counters import RESERVE
from torhaus.daemon.lora.network import Advance
from torhaus.daemon.lora.standalone import DATA_LATE_S

BOTH = pytest.mark.parametrize("is_1_1", [False, True])


@BOTH
def test_join_read_and_acknowledge(is_1_1: bool) -> None:
    it = OtaaDevice(is_1_1=is_1_1)
    scene = StandaloneScene(it, net_id="000013", rx1_delay_s=3)

    async def body() -> None:
        await scene.join(it)
        assert it.body is not None
        assert it.dev_addr is not None
        assert (it.dev_addr >> 25, it.body.net_id, it.body.rx_delay, len(it.body.cf_list)) == (0x13, 0x13, 3, 16)
        assert (it.body.opt_neg, it.body.rx2_data_rate) == (is_1_1, 0)
        sent = scene.radio.sent[-1]
        assert [i.at for i in sent.items] == [After(s * 1_000_000, scene.context()) for s in (5, 6)]
        assert scene.results() == {"requested": 1, "accepted": 1}
        up = await scene.ask(it.uplink())
        assert (up.payload, up.lora.session) == (b"\x01\x00\xd6", 1)
        assert len(scene.radio.sent) == 1, "nothing was to be said"
        await scene.ask(it.uplink(confirmed=True))
        assert [i.at for i in scene.radio.sent[-1].items] == [After(s * 1_000_000, scene.context()) for s in (3, 4)]
        ack = it.hear(scene.last().data, conf_fcnt=1)
        assert ack is not None
        assert (ack.ack, ack.confirmed, ack.fport, ack.fcnt16) == (True, False, None, 0)
        assert scene.standalone.results == {"OK": 1}
        assert scene.results()["established"] == 1

    scene.run(body)


@BOTH
def test_questions_of_a_device(is_1_1: bool) -> None:
    it = OtaaDevice(is_1_1=is_1_1)
    scene = StandaloneScene(it)

    async def body() -> None:
        await scene.join(it)
        await scene.ask(it.uplink(fopts=b"\x02\x0d" + b"\x0b\x01" * is_1_1))
        frame = it.hear(scene.last().data)
        assert frame is not None
        assert it.keys is not None
        names = {c.name for c in decode(it.keys.decrypt_fopts(frame, 0), uplink=False)[0]}
        assert names == {"LinkCheckAns", "DeviceTimeAns"} | ({"RekeyConf"} if is_1_1 else set())
        assert not frame.ack
        await scene.ask(it.uplink(b"\x02", fport=0))
        assert it.hear(scene.last().data) is not None
        scene.clock.is_synced = False
        before = len(scene.radio.sent)
        await scene.ask(it.uplink(fopts=b"\x0d"))
        assert len(scene.radio.sent) == before
        assert scene.standalone.results == {"OK": 2, "no_time": 1}

    scene.run(body)


def test_one_answer_for_each_round() -> None:
    """Several gateways hear it; a device that missed the answer repeats its uplink, and gets one more."""
    it = OtaaDevice()
    scene = StandaloneScene(it)

    async def body() -> None:
        await scene.join(it)
        phy = it.uplink(confirmed=True)
        scene.heard(phy)
        assert scene.heard(phy, OTHER).reason is RejectReason.DUPLICATE
        await scene.settle()
        scene.heard(phy, OTHER)  # late
        await scene.settle()
        assert scene.standalone.results == {"OK": 1}
        first = it.hear(scene.last().data)
        await scene.clock.pass_s(DATA_LATE_S)
        scene.heard(phy)
        await scene.settle()
        second = it.hear(scene.last().data)
        assert first is not None
        assert second is not None
        assert (first.fcnt16, second.fcnt16) == (0, 1)

    scene.run(body)


@BOTH
def test_a_nonce_that_was_used(is_1_1: bool) -> None:
    it = OtaaDevice(is_1_1=is_1_1)
    scene = StandaloneScene(it)

    async def body() -> None:
        request = it.ask()
        scene.heard(request)
        scene.heard(request, OTHER)
        await scene.settle()
        assert it.take(scene.last().data)
        scene.heard(request, OTHER)  # late, through a slow line: no fault of the device's
        assert scene.results() == {"requested": 1, "accepted": 1}
        await scene.clock.pass_s(JOIN_LATE_S + 1, step_s=1)
        await scene.killed()
        assert scene.heard(request).reason is RejectReason.REPLAY
        await scene.settle()
        assert len(scene.radio.sent) == 1
        assert scene.results()["nonce_used"] == 1
        assert "allow-join" in scene.book.attempts()[-1].text
        assert scene.joins.forget_nonces("keller") is None
        assert scene.joins.forget_nonces("flur") == it.eui
        assert scene.heard(request).reason is None
        await scene.settle()
        assert it.take(scene.last().data), "with a higher JoinNonce"

    scene.run(body)


def test_nonces_that_rise_and_those_that_do_not() -> None:
    rising, random = OtaaDevice(is_1_1=True, dev_nonce=9), OtaaDevice("keller", dev_eui=5, dev_nonce=9)
    scene = StandaloneScene(rising, random)

    async def body() -> None:
        for it in (rising, random):
            await scene.join(it)
            it.dev_nonce = 3
        assert scene.heard(rising.ask()).reason is RejectReason.REPLAY
        assert scene.heard(random.ask()).reason is None
        await scene.settle()
        assert scene.stored[rising.eui].dev_nonces == (10,)
        assert scene.stored[random.eui].dev_nonces == (10, 4)

    scene.run(body)


@BOTH
def test_counters_and_nonces_are_never_used_twice(is_1_1: bool) -> None:
    it = OtaaDevice(is_1_1=is_1_1)
    scene = StandaloneScene(it)

    async def body() -> None:
        await scene.join(it)
        join_nonce = it.join_nonce
        for kill in range(3):
            for _ in range(3):
                phy = it.uplink(confirmed=True)
                await scene.ask(phy)
                frame = it.hear(scene.last().data, conf_fcnt=it.fcnt_up - 1)
                assert frame is not None, "its counter is above all before"
                assert frame.fcnt16 // RESERVE == kill
            await scene.save()
            await scene.killed()
        await scene.join(it)
        assert it.join_nonce > join_nonce

    scene.run(body)


def test_what_cannot_be_saved_is_not_sent() -> None:
    it = OtaaDevice()
    scene = StandaloneScene(it)

    async def body() -> None:
        scene.disk = False
        await scene.ask(it.ask())
        assert scene.radio.sent == []
        assert scene.results()["not_stored"] == 1
        scene.disk = True
        await scene.join(it)
        scene.disk = False
        await scene.ask(it.uplink(confirmed=True))
        assert len(scene.radio.sent) == 1
        scene.disk = True
        await scene.ask(it.uplink(confirmed=True))
        assert it.hear(scene.last().data) is not None
        assert scene.standalone.results == {"not_stored": 1, "OK": 1}

    scene.run(body)


def test_nothing_is_acknowledged_before_it_is_on_disk() -> None:
    it = OtaaDevice()
    scene = StandaloneScene(it)

    async def body() -> None:
        await scene.join(it)
        settle, waiting = scene.network.settle, list[Advance]()

        def later(advances: list[Advance], *, stored: bool) -> None:
            waiting.extend(advances)

        scene.network.settle = later  # type: ignore[method-assign]
        await scene.ask(it.uplink(confirmed=True))
        await scene.ask(it.uplink(confirmed=True))
        assert len(scene.radio.sent) == 1
        settle(waiting[:1], stored=True)
        settle(waiting[1:], stored=False)
        await scene.settle()
        assert len(scene.radio.sent) == 2
        assert scene.standalone.results == {"OK": 1, "not_stored": 1}

    scene.run(body)


def test_gateways_that_cannot() -> None:
    it = OtaaDevice()
    scene = StandaloneScene(it)

    async def body() -> None:
        scene.radio.refuses = [TxStatus.TOO_LATE]  # the second window
        await scene.join(it)
        scene.radio.refuses = [TxStatus.TX_FREQ] * 2  # both windows of one gateway: the next one
        phy = it.uplink(confirmed=True)
        scene.heard(phy)
        await scene.ask(phy)
        scene.heard(phy, OTHER)
        scene.radio.refuses = [TxStatus.TOO_LATE] * 2
        request = it.ask()
        await scene.ask(request)
        assert scene.results()["not_sent"] == 1
        assert scene.book.attempts()[-1].gateway == GATEWAY

    scene.run(body)


def test_sessions_of_a_network_server_are_not_answered() -> None:
    """Its downlink counter is not ours."""
    it = OtaaDevice()
    scene = StandaloneScene(it)

    async def body() -> None:
        await scene.join(it)
        device = scene.network._by_id[f"{it.eui}/1"]
        scene.joins.change(device, is_ours=False)
        await scene.ask(it.uplink(confirmed=True))
        assert len(scene.radio.sent) == 1
        await asyncio.sleep(0)

    scene.run(body)


def test_join_nonces_rise_also_after_the_state_was_lost() -> None:
    it = OtaaDevice(is_1_1=True)
    scene = StandaloneScene(it)

    async def body() -> None:
        await scene.join(it)
        scene.stored.clear()
        await scene.clock.pass_s(60, step_s=10)
        await scene.killed()
        await scene.join(it)

    scene.run(body)


def test_a_device_that_asks_whether_anybody_hears_it() -> None:
    it = OtaaDevice()
    scene = StandaloneScene(it)

    async def body() -> None:
        await scene.join(it)
        await scene.ask(it.uplink(adr_ack_req=True))
        frame = it.hear(scene.last().data)
        assert frame is not None
        assert (frame.ack, frame.fopts, frame.fport) == (False, b"", None)

    scene.run(body)


def test_no_join_nonce_is_left() -> None:
    it = OtaaDevice()
    scene = StandaloneScene(it)

    async def body() -> None:
        joiner = scene.joins._joiners[it.eui]
        joiner.kept = replace(joiner.kept, join_nonce=(1 << 24) - 1)
        await scene.ask(it.ask())
        assert scene.radio.sent == []
        assert scene.results()["nonces_used_up"] == 1

    scene.run(body)
