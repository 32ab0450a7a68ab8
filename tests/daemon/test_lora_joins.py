"""Joins that a network server elsewhere answers, read on the way."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.daemon.join_scene import OTHER, JoinScene
from tests.daemon.lora_device import APP_KEY, JoinServer, OtaaDevice
from torhaus.codecs.model import RejectReason

ADDR, NEXT = 0x26011234, 0x26015678
PAYLOAD = b"\x01\x00\xd6"


def go(body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await body()

    asyncio.run(main())


async def join(scene: JoinScene, it: OtaaDevice, server: JoinServer, addr: int = ADDR, *, taken: bool = True) -> bytes:
    """Request, accept; the accept."""
    request = it.ask()
    scene.heard(request)
    accept = server.answer(request, addr)
    await scene.down(accept)
    if taken:
        assert it.take(accept)
    return accept


VERSIONS = pytest.mark.parametrize(("is_1_1", "opt_neg"), [(False, False), (True, True), (True, False)])


@VERSIONS
def test_a_device_that_joins_is_read_from_then_on(is_1_1: bool, opt_neg: bool) -> None:
    """1.0, 1.1, and 1.1 behind a server that speaks 1.0."""
    it = OtaaDevice(is_1_1=is_1_1)
    scene = JoinScene(it)

    async def body() -> None:
        request = it.ask()
        up = scene.heard(request)
        assert (up.device and up.device.name, up.reason, up.stranger, up.payload) == ("flur", None, True, None)
        accept = JoinServer(it, opt_neg=opt_neg).answer(request, ADDR)
        await scene.down(accept)
        assert scene.saves == 1
        assert it.take(accept)
        for fcnt in range(3):
            up = scene.heard(it.uplink())
            assert (up.payload, up.reason, up.lora.fcnt, up.lora.session) == (PAYLOAD, None, fcnt, 1)
            assert (up.device and up.device.name, up.dev_eui) == ("flur", it.eui)
        assert scene.results() == {"requested": 1, "accepted": 1, "established": 1}

    go(body)


@VERSIONS
def test_nothing_is_lost_by_a_kill_after_the_accept(is_1_1: bool, opt_neg: bool) -> None:
    it = OtaaDevice(is_1_1=is_1_1)
    scene = JoinScene(it)

    async def body() -> None:
        await join(scene, it, JoinServer(it, opt_neg=opt_neg))
        scene.again()
        first = it.uplink()
        assert scene.heard(first).payload == PAYLOAD
        scene.again()  # before anything of it was saved: the frame was not acknowledged, and is heard again
        assert scene.heard(first).payload == PAYLOAD
        await scene.save()
        scene.again()
        assert scene.heard(first).reason is RejectReason.DUPLICATE
        assert scene.heard(it.uplink()).payload == PAYLOAD
        await scene.save()
        assert scene.stored[it.eui].sessions[0].is_proved
        scene.again()
        assert scene.heard(first).reason is RejectReason.REPLAY

    go(body)


def test_no_key_is_kept() -> None:
    it = OtaaDevice()
    scene = JoinScene(it)

    async def body() -> None:
        await join(scene, it, JoinServer(it))
        assert it.keys is not None
        text = repr(scene.stored)
        for secret in (APP_KEY, it.keys._keys.app_s_key, it.keys._keys.f_nwk_s_int_key):
            assert secret.hex() not in text
            assert repr(secret) not in text
            assert secret.hex() not in repr(scene.joins._joiners)

    go(body)


def test_the_old_session_stays_until_the_first_uplink_under_the_new_one() -> None:
    """The accept may not have reached the device."""
    it = OtaaDevice()
    server, scene = JoinServer(it), JoinScene(it)

    async def body() -> None:
        await join(scene, it, server)
        old = [it.uplink() for _ in range(3)]
        assert scene.heard(old[0]).payload == PAYLOAD
        await join(scene, it, server, NEXT, taken=False)
        assert scene.heard(old[1]).payload == PAYLOAD
        await scene.save()
        scene.again()
        assert scene.heard(old[1]).reason is RejectReason.DUPLICATE
        accept = await join(scene, it, server, NEXT + 1)
        await scene.down(accept)
        assert [s.number for s in scene.stored[it.eui].sessions] == [1, 2, 3]
        up = scene.heard(it.uplink())
        assert (up.payload, up.lora.session, up.lora.fcnt) == (PAYLOAD, 3, 0)
        assert scene.heard(old[2]).reason is RejectReason.UNKNOWN_DEVICE, "it is over"
        await scene.save()
        assert [s.number for s in scene.stored[it.eui].sessions] == [3]
        scene.again()
        assert scene.heard(old[2]).reason is RejectReason.UNKNOWN_DEVICE
        assert scene.heard(it.uplink()).lora.fcnt == 1

    go(body)


def test_a_new_session_may_have_the_old_ones_address() -> None:
    """Counters go by session: a replay of the old one passes in neither."""
    it = OtaaDevice()
    server, scene = JoinServer(it), JoinScene(it)

    async def body() -> None:
        await join(scene, it, server)
        old = [it.uplink() for _ in range(5)]
        assert scene.heard(old[4]).lora.fcnt == 4
        await join(scene, it, server)
        assert scene.heard(old[3]).reason is RejectReason.REPLAY
        up = scene.heard(it.uplink())
        assert (up.lora.fcnt, up.lora.session) == (0, 2)
        await scene.save()
        scene.again()
        assert scene.heard(old[4]).reason is RejectReason.MIC
        assert scene.heard(it.uplink()).lora.fcnt == 1

    go(body)


def test_a_late_frame_of_the_session_before_does_not_end_the_newer_one() -> None:
    it = OtaaDevice()
    server, scene = JoinServer(it), JoinScene(it)

    async def body() -> None:
        await join(scene, it, server)
        late = it.uplink()
        await join(scene, it, server, NEXT)
        assert scene.heard(late).lora.session == 1
        assert scene.heard(it.uplink()).lora.session == 2

    go(body)


def test_the_accept_through_two_gateways_and_twice_is_one_session() -> None:
    it = OtaaDevice()
    scene = JoinScene(it)

    async def body() -> None:
        request = it.ask()
        scene.heard(request)
        here = scene.context()
        scene.heard(request, OTHER)
        there = scene.context()
        accept = JoinServer(it).answer(request, ADDR)
        await scene.down(accept, context=here)
        await scene.down(accept, OTHER, there)
        await scene.down(accept, context=here)
        assert scene.saves == 1
        assert len(scene.stored[it.eui].sessions) == 1
        assert scene.results() == {"requested": 1, "accepted": 1}

    go(body)


def test_the_request_is_told_by_what_the_accept_is_timed_by() -> None:
    """DevNonce is not in a 1.0 accept: a recording that somebody plays meanwhile must not be taken for the request."""
    it = OtaaDevice()
    scene = JoinScene(it)

    async def body() -> None:
        recordings = [it.ask() for _ in range(3)]
        request = it.ask()
        scene.heard(request)
        context = scene.context()
        for old in recordings:
            scene.heard(old)
        accept = JoinServer(it).answer(request, ADDR)
        await scene.down(accept, context=context)
        assert [s.dev_nonce for s in scene.stored[it.eui].sessions] == [it.dev_nonce]
        assert it.take(accept)
        assert scene.heard(it.uplink()).payload == PAYLOAD

    go(body)


def test_where_that_is_not_known_the_first_uplink_decides() -> None:
    it, other = OtaaDevice(), OtaaDevice("keller", dev_eui=0x0102030405060708, app_key=bytes(16))
    scene = JoinScene(it, other)

    async def body() -> None:
        scene.heard(other.ask())
        scene.heard(it.ask())
        request = it.ask()
        scene.heard(request)
        accept = JoinServer(it).answer(request, ADDR)
        await scene.down(accept, now=True)
        assert [s.dev_nonce for s in scene.stored[it.eui].sessions] == [it.dev_nonce - 1, it.dev_nonce]
        assert other.eui not in scene.stored
        assert it.take(accept)
        assert scene.heard(it.uplink()).payload == PAYLOAD
        await scene.save()
        assert [s.dev_nonce for s in scene.stored[it.eui].sessions] == [it.dev_nonce]

    go(body)
