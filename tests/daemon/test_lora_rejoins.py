"""Rejoins that pass on their way to a network server elsewhere: its accept is read, and the new session's uplinks."""

import asyncio

from tests.daemon.join_scene import OTHER, JoinScene, roots_of
from tests.daemon.lora_device import JOIN_EUI, JoinServer, OtaaDevice
from tests.daemon.test_lora_accepts import NET_ID, Rejoining
from torhaus.codecs.lorawan.join import JoinAcceptBody
from torhaus.codecs.model import RejectReason
from torhaus.daemon.lora.rejoins import Rejoins

ADDR = 0x26011234


class Scene(JoinScene):
    def _begin(self) -> None:
        super()._begin()
        self.rejoins = Rejoins(self.network, self.joins)

    async def join(self, it: OtaaDevice) -> None:
        phy = it.ask()
        assert self.heard(phy).reason is None
        accept = JoinServer(it).answer(phy, ADDR)
        await self.down(accept)
        assert it.take(accept)
        assert self.heard(it.uplink()).payload is not None

    async def answered(self, it: Rejoining, kind: int, addr: int) -> None:
        """The device asks, and the server answers."""
        phy = it.again(kind)
        up = self.heard(phy)
        assert (up.reason, up.detail) == (None, "rejoin-request: waiting for the answer")
        self.heard(phy, OTHER)
        body = JoinAcceptBody(it.join_nonce + 1, NET_ID, addr, 0x80, 1)
        accept = roots_of(it).answer_rejoin(body, kind, JOIN_EUI, it.counts[kind == 1])
        await self.down(accept, OTHER)
        assert it.accepted(accept, kind)


def test_all_three_types() -> None:
    it = Rejoining()
    scene = Scene(it)

    async def body() -> None:
        await scene.join(it)
        for n, kind in enumerate((0, 1, 2, 0), 1):
            await scene.answered(it, kind, ADDR + n)
            if kind:
                scene.again()
            up = scene.heard(it.uplink())
            assert up.payload == b"\x01\x00\xd6"
            assert up.lora.dev_addr == f"{ADDR + n:08x}"
            assert up.lora.session == n + 1
            assert not scene.network.has_addr(ADDR + n - 1), "the older session is over"

    asyncio.run(body())


def test_what_is_nobodys() -> None:
    it, old, stranger = Rejoining(), OtaaDevice("alt", dev_eui=2), Rejoining()
    scene = Scene(it, old)

    async def body() -> None:
        await scene.join(it)
        phy = it.again(0)
        forged = phy[:-1] + bytes([phy[-1] ^ 1])
        assert scene.heard(forged).reason is RejectReason.MIC
        stranger.body, stranger.dev_eui = it.body, 7
        assert scene.heard(stranger.again(1)).reason is RejectReason.UNKNOWN_DEVICE
        stranger.dev_eui = old.dev_eui
        assert scene.heard(stranger.again(1)).reason is RejectReason.UNSUPPORTED
        assert scene.heard(phy).reason is None
        assert scene.heard(phy, OTHER).reason is None
        assert scene.rejoins.results == {
            "wrong_key": 1, "unknown_device": 1, "not_1_1": 1, "requested": 1, "copy": 1
        }  # fmt: skip

    asyncio.run(body())
