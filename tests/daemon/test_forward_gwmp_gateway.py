"""Forwarder `gwmp` as packet forwarders: keep-alives, reports, a server that goes, and the way down."""

import asyncio
import socket
from typing import Any

import pytest

from tests.daemon.gwmp_scene import Gateways, Scene, deaf_to, on_scene
from tests.daemon.gwmp_server import GATEWAY, Address, GwmpServer, polite
from torhaus.codecs.framing.semtech_udp_down import TxAck, Txpk
from torhaus.codecs.lorawan.downlink import After, Downlink, TxAnswer, TxStatus
from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.forward.gwmp import MAX_DOWNLINKS
from torhaus.drivers.base import GatewaySeen


def test_keep_alives_and_reports_with_real_numbers() -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        assert s.server.pull_count == 1

        async def work() -> None:
            await s.forwarder.send([s.item(), s.item(tmst_us=8)])
            await s.until(lambda: s.server.pull_count >= 4 and s.server.stats, 1)
            gateway, stat = s.server.stats[0]
            assert gateway == GATEWAY
            assert (stat["rxnb"], stat["rxok"], stat["rxfw"], stat["ackr"]) == (2, 2, 2, 100.0)
            assert (stat["dwnb"], stat["txnb"], stat["time"][-4:]) == (0, 0, " GMT")
            before = len(s.server.stats)
            await s.until(lambda: len(s.server.stats) > before, 1)
            assert s.server.stats[-1][1]["rxnb"] == 0, "since the last one"

        await s.watching(work)

    on_scene(body, gateway=[{"local": GATEWAY}], keepalive_s=5, stat_interval_s=10)


def test_who_reports_himself_is_not_reported_for() -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()

        async def work() -> None:
            await s.forwarder.send([s.report()])
            await s.until(lambda: s.server.pull_count >= 3, 1)
            assert len(s.server.stats) == 1

        await s.watching(work)

    on_scene(body, keepalive_s=10, stat_interval_s=10)


def test_a_server_that_falls_silent_is_gone() -> None:
    silent = False

    def manners(server: GwmpServer, data: bytes, addr: Address) -> list[bytes]:
        return [] if silent else polite(server, data, addr)

    async def body(s: Scene) -> None:
        nonlocal silent
        await s.forwarder.open()
        silent = True
        async with asyncio.TaskGroup() as group:
            gone = group.create_task(until_gone(s))
            await s.until(gone.done, 1)
            assert gone.result() == "no PULL_ACK to 3 keep-alives"
        silent = False
        await s.forwarder.open()
        assert (await s.forwarder.send([s.item()])).accepted == [0]

    on_scene(body, manners, gateway=[{"local": GATEWAY}])


async def until_gone(s: Scene) -> str:
    with pytest.raises(Unavailable) as caught:
        await s.forwarder.gone()
    return str(caught.value)


def test_a_port_where_nobody_listens_is_told_at_once() -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        await s.server.__aexit__(None, None, None)
        assert list((await s.forwarder.send([s.item()])).kept) == [0]
        assert "refused" in await until_gone(s)
        with pytest.raises(Unavailable, match="refused"):
            await s.forwarder.open()

    on_scene(body, gateway=[{"local": GATEWAY}], ack_timeout_s=5)


def test_with_no_gateway_named_those_that_are_there_ask_for_the_server() -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()  # nobody is there who could ask
        s.book.event("roof", GatewaySeen(GATEWAY, "127.0.0.1", "gwmp2", known=True))
        s.book.event("roof", GatewaySeen("../topic", "127.0.0.1", "gwmp2", known=True))
        s.book.event("roof", GatewaySeen("aa555a00000001ff", "127.0.0.1", "gwmp2", known=False))
        with pytest.raises(Unavailable, match="no PULL_ACK within"):
            await s.forwarder.open()
        s.server.manners = polite
        await s.forwarder.open()
        assert set(s.server.pulls) == {GATEWAY}

    on_scene(body, deaf_to(GATEWAY))


def test_nobody_answers_at_the_start() -> None:
    async def body(s: Scene) -> None:
        with pytest.raises(Unavailable, match=r"no PULL_ACK within 0\.05 s"):
            await s.forwarder.open()
        with pytest.raises(Unavailable, match="not connected"):
            await s.forwarder.gone()

    on_scene(body, lambda *_: [], filter={"gateways": ["AA-55-5A-00-00-00-01-01"]})


def test_another_address_is_tried_when_one_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(s: Scene) -> None:
        port = s.server.port
        found = [(socket.AF_INET, 2, 17, "", (host, port)) for host in ("127.0.0.2", "127.0.0.1")]
        loop = asyncio.get_running_loop()

        async def look_up(*_: object, **__: object) -> Any:
            return found

        monkeypatch.setattr(loop, "getaddrinfo", look_up, raising=False)
        with pytest.raises(Unavailable):
            await s.forwarder.open()
        await s.forwarder.open()
        assert (await s.forwarder.send([s.item()])).accepted == [0]

    on_scene(body, gateway=[{"local": GATEWAY}])


def test_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(s: Scene) -> None:
        async def look_up(*_: object, **__: object) -> Any:
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up, raising=False)
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1 has no address: Name or service not known"):
            await s.forwarder.open()

    on_scene(body)


def txpk(tmst: int | None, **more: Any) -> Txpk:
    return Txpk(
        data=b"\x60down",
        freq_hz=868_100_000,
        modulation="LORA",
        datarate="SF9BW125",
        coderate="4/5",
        tmst_us=tmst,
        invert_polarization=True,
        **more,
    )


def test_downlinks_reach_the_gateway_and_the_server_hears_what_became_of_them() -> None:
    gateways = Gateways(TxAnswer(TxStatus.OK, "TX_POWER", 14))

    async def body(s: Scene) -> None:
        await s.forwarder.open()

        async def work() -> None:
            await s.forwarder.send([s.item(tmst_us=7)])
            s.server.ask("b827ebfffe000001", txpk(1_000_007), b"ab")
            await s.until(lambda: s.server.acks)
            (downlink,) = s.gateways.sent
            assert (downlink.gateway, downlink.items[0].at) == (GATEWAY, After(1_000_000, b"\0\0\0\7"))
            assert (downlink.items[0].data, downlink.items[0].datarate) == (b"\x60down", "SF9BW125")
            assert s.server.acks == [("b827ebfffe000001", b"ab", TxAck(None, "TX_POWER", 14))]

        await s.watching(work)

    on_scene(body, gateways=gateways, gateway=[{"local": GATEWAY, "remote": "b827ebfffe000001"}])


@pytest.mark.parametrize("how", ["late", "switched off", "refused", "garbage"])
def test_downlinks_that_are_not_sent(how: str) -> None:
    gateways = Gateways(TxAnswer(TxStatus.TOO_EARLY))

    async def body(s: Scene) -> None:
        await s.forwarder.open()

        async def work() -> None:
            await s.forwarder.send([s.item(tmst_us=7, age_s=60 if how == "late" else 0)])
            tmst = s.server.rxpk[0]["tmst"]
            if how == "garbage":
                s.server.say(GATEWAY, b"\2ab\3{]")
            else:
                s.server.ask(GATEWAY, txpk((tmst + 1_000_000) % (1 << 32)), b"ab")
            await s.until(lambda: s.server.acks)
            expected = "TOO_EARLY" if how == "refused" else "TOO_LATE"
            assert s.server.acks == [(GATEWAY, b"ab", TxAck(expected))]
            assert len(s.gateways.sent) == (how == "refused")
            if how == "garbage":
                await s.until(lambda: s.forwarder.note, 1)
                assert s.forwarder.note is not None
                assert s.forwarder.note.startswith("a downlink could not be read")
                s.server.ask(GATEWAY, txpk(None, immediate=True), b"cd")  # one that can: that is over
                await s.until(lambda: s.forwarder.note is None, 1)

        await s.watching(work)

    on_scene(body, gateways=gateways, downlinks=how != "switched off")


def test_a_thousand_answers_each_to_its_own_frame_and_gateway() -> None:
    """Twenty gateways with counters of their own, near where they wrap; all downlinks are for RX1."""
    euis = [f"aa555a00000002{n:02x}" for n in range(20)]

    async def body(s: Scene) -> None:
        await s.forwarder.open()
        start = (1 << 32) - 5_000_000

        async def work() -> None:
            wanted: dict[tuple[str, bytes], tuple[str, After]] = {}
            for n in range(50):
                counters = {eui: (start + 200_000 * n + 7 * i) % (1 << 32) for i, eui in enumerate(euis)}
                sent = await s.forwarder.send([s.item(gateway=eui, tmst_us=at) for eui, at in counters.items()])
                assert len(sent.accepted) == 20
                for i, (eui, at) in enumerate(counters.items()):
                    token = (20 * n + i).to_bytes(2, "big")
                    s.server.ask(eui, txpk((at + 1_000_000) % (1 << 32)), token)
                    wanted[eui, token] = eui, After(1_000_000, at.to_bytes(4, "big"))
                await s.until(lambda n=n: len(s.server.acks) == 20 * (n + 1))  # type: ignore[misc]
            assert {(eui, token) for eui, token, _ in s.server.acks} == set(wanted)
            assert {ack for _, _, ack in s.server.acks} == {TxAck()}
            found = [(d.gateway, d.items[0].at) for d in s.gateways.sent]
            assert sorted(found, key=str) == sorted(wanted.values(), key=str)

        await s.watching(work)

    on_scene(body, gateway=[{"local": eui} for eui in euis])


def test_a_flood_of_downlinks_is_bounded() -> None:
    gateways = Gateways()

    async def body(s: Scene) -> None:
        gateways.hold = asyncio.Event()
        await s.forwarder.open()

        async def work() -> None:
            await s.forwarder.send([s.item(tmst_us=7)])
            for n in range(300):
                s.server.ask(GATEWAY, txpk(None, immediate=True), n.to_bytes(2, "big"))
                await asyncio.sleep(0)
            await s.until(lambda: len(s.server.acks) >= 300 - 2 * MAX_DOWNLINKS - 1)
            assert len(gateways.sent) == MAX_DOWNLINKS
            assert {a.error for _, _, a in s.server.acks} == {"COLLISION_PACKET"}
            assert gateways.hold is not None
            gateways.hold.set()
            await s.until(lambda: len(s.server.acks) == 300)

        await s.watching(work)

    on_scene(body, gateways=gateways)


def test_a_defect_on_one_downlink_costs_neither_the_connection_nor_the_next_one() -> None:
    class Broken(Gateways):
        async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
            if not self.sent:
                self.sent.append(downlink)
                raise ZeroDivisionError
            return await super().transmit(downlink)

    async def body(s: Scene) -> None:
        await s.forwarder.open()

        async def work() -> None:
            for n in (b"ab", b"cd"):
                s.server.ask(GATEWAY, txpk(None, immediate=True), n)
                await s.until(lambda n=n: n in [token for _, token, _ in s.server.acks])  # type: ignore[misc]
            assert [ack.error for _, _, ack in s.server.acks] == ["TOO_LATE", None]

        await s.watching(work)

    on_scene(body, gateways=Broken(), gateway=[{"local": GATEWAY}])
