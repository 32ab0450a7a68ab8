"""Joins that are not answered as they should be, and what is bounded."""

import asyncio
import random

import pytest

from tests.daemon.join_scene import JoinScene
from tests.daemon.lora_device import JoinServer, OtaaDevice
from tests.daemon.test_lora_joins import ADDR, NEXT, PAYLOAD, go, join
from torhaus.codecs.model import RejectReason
from torhaus.daemon.lora.joins import MAX_UNPROVED
from torhaus.daemon.lora.network import Device
from torhaus.daemon.lora.requests import ANSWER_S, MAX_REQUESTS


def test_an_accept_without_a_request_or_to_an_old_one() -> None:
    it = OtaaDevice()
    scene = JoinScene(it)

    async def body() -> None:
        request = it.ask()
        accept = JoinServer(it).answer(request, ADDR)
        await scene.down(accept)
        scene.heard(request)
        scene.clock.advance(ANSWER_S + 1)
        await scene.down(accept)
        assert (scene.saves, scene.stored, scene.results()) == (0, {}, {"requested": 1})

    go(body)


def test_a_server_with_another_key_is_told() -> None:
    it = OtaaDevice()
    scene = JoinScene(it)

    async def body() -> None:
        request = it.ask()
        scene.heard(request)
        await scene.down(JoinServer(it, join_key=bytes(16)).answer(request, ADDR))
        await scene.down(b"\x20" + bytes(16))
        await scene.down(b"\x20short")
        await scene.down(b"")
        await scene.down(b"\x60" + bytes(16))
        assert scene.results() == {"requested": 1, "unreadable_accept": 1}
        assert "AppKey" in scene.book.attempts()[-1].text

    go(body)


def test_requests_that_are_not_understood() -> None:
    it = OtaaDevice()
    wrong = OtaaDevice(app_key=bytes(16))
    stranger = OtaaDevice(dev_eui=1)
    bare = OtaaDevice("alt", dev_eui=2)
    scene = JoinScene(it, without_keys=(Device("alt", bare.eui),))
    for phy, reason, result, name in (
        (wrong.ask(), RejectReason.MIC, "wrong_key", "flur"),
        (stranger.ask(), RejectReason.UNKNOWN_DEVICE, "unknown_device", None),
        (bare.ask(), RejectReason.UNSUPPORTED, "no_root_key", "alt"),
    ):
        up = scene.heard(phy)
        assert (up.reason, up.stranger, up.device and up.device.name) == (reason, True, name)
        assert scene.results()[result] == 1


def test_sessions_that_never_had_an_uplink_are_bounded() -> None:
    it = OtaaDevice()
    server, scene = JoinServer(it), JoinScene(it)

    async def body() -> None:
        await join(scene, it, server)
        assert scene.heard(it.uplink()).payload == PAYLOAD
        for n in range(MAX_UNPROVED + 3):
            await join(scene, it, server, NEXT + n)
        sessions = scene.stored[it.eui].sessions
        assert [s.is_proved for s in sessions] == [True, *[False] * MAX_UNPROVED]
        assert sessions[-1].number == MAX_UNPROVED + 4
        assert scene.heard(it.uplink()).lora.session == MAX_UNPROVED + 4

    go(body)


def test_requests_are_bounded() -> None:
    it = OtaaDevice()
    scene = JoinScene(it)
    for _ in range(MAX_REQUESTS + 10):
        scene.heard(it.ask())
    assert len(scene.joins.requests._requests) == MAX_REQUESTS


def test_a_disk_that_does_not_answer_does_not_cost_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    it = OtaaDevice()
    scene = JoinScene(it)

    async def never() -> None:
        await asyncio.Event().wait()

    async def body() -> None:
        scene.joins._save = never
        await join(scene, it, JoinServer(it))
        assert scene.heard(it.uplink()).payload == PAYLOAD

    monkeypatch.setattr("torhaus.daemon.lora.joins.SAVE_S", 0.01)
    go(body)


def test_a_key_that_was_taken_away_or_changed_ends_the_session() -> None:
    it = OtaaDevice(is_1_1=True)
    scene = JoinScene(it)

    async def body() -> None:
        await join(scene, it, JoinServer(it))
        scene.known = (OtaaDevice(),)  # configured as 1.0: the session is one of 1.1
        scene.again()
        assert scene.heard(it.uplink()).reason is RejectReason.UNKNOWN_DEVICE
        scene.known = ()
        scene.again()
        assert scene.heard(it.uplink()).reason is RejectReason.UNKNOWN_DEVICE
        scene.known = (it,)
        scene.again()
        assert scene.heard(it.uplink()).payload == PAYLOAD

    go(body)


def test_a_device_that_asks_for_another_join_eui() -> None:
    it = OtaaDevice()
    scene = JoinScene(it)
    joiner = scene.joins._joiners[it.eui]
    joiner.join_eui = "0000000000000001"
    assert scene.heard(it.ask()).reason is RejectReason.KEY
    joiner.join_eui = "70b3d57ed0000001"
    assert scene.heard(it.ask()).reason is None
    assert scene.results() == {"wrong_join_eui": 1, "requested": 1}


def test_anything_may_come_up_and_down() -> None:
    it = OtaaDevice(is_1_1=True)
    scene, chance = JoinScene(it), random.Random(7)

    async def body() -> None:
        request = it.ask()
        accept = JoinServer(it).answer(request, ADDR)
        for _ in range(300):
            for phy in (request, accept):
                bad = bytearray(phy[: chance.randrange(len(phy) + 1)])
                if bad:
                    bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
                scene.heard(bytes(bad))
                await scene.down(bytes(bad), now=chance.random() < 0.5)
        assert scene.stored == {}

    go(body)
