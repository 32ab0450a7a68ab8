"""The way down: which window was used, silence, several at once, a thousand answers."""

import asyncio
from typing import Any

import pytest

from tests.drivers.fakes import advance, run
from tests.drivers.station_fakes import EUI, OTHER, Host, running, station, until
from torhaus.codecs.framing.basics_station.downward import Attempt
from torhaus.codecs.lorawan.downlink import After, AtGpsTime, Downlink, Immediately, TxAnswer, TxItem, TxStatus
from torhaus.codecs.lorawan.gps_time import gps_ns
from torhaus.drivers.stations.sender import CLASS_C_S, MARGIN_S, MAX_WAITING, wait_s
from torhaus.drivers.stations.server import StationServer

S = TxStatus
SECOND = 1_000_000
DOWN = bytes.fromhex("60010203040001000105aabbccdd")


def windows(context: bytes, delay_s: int = 1, **more: Any) -> tuple[TxItem, ...]:
    return (
        TxItem(DOWN, 868_100_000, "LORA", "SF7BW125", After(delay_s * SECOND, context), **more),
        TxItem(DOWN, 869_525_000, "LORA", "SF12BW125", After((delay_s + 1) * SECOND, context), **more),
    )


def at_once(data: bytes = DOWN) -> TxItem:
    return TxItem(data, 869_525_000, "LORA", "SF9BW125", Immediately())


async def context_of_frame(host: Host, gateway: Any) -> bytes:
    count = len(host.frames)
    await gateway.heard_frame()
    await host.until_frames(count + 1)
    radio = host.frames[-1].radio
    assert radio is not None
    context = radio.rx[0].context
    assert context is not None
    return context


def send(server: StationServer, *items: TxItem, eui: str = EUI) -> "asyncio.Task[tuple[TxAnswer, ...]]":
    return asyncio.create_task(server.transmit(Downlink(eui, items, dev_eui="a81758fffe0312ab")))


async def statuses(sending: "asyncio.Task[tuple[TxAnswer, ...]]") -> list[TxStatus]:
    return [answer.status for answer in await sending]


@pytest.mark.parametrize(("window", "want"), [("RX1", [S.OK, S.IGNORED]), ("RX2", [S.IGNORED, S.OK])])
def test_the_station_says_which_window_it_used(window: str, want: list[TxStatus]) -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            sending = send(server, *windows(await context_of_frame(host, gateway)))
            dn = await gateway.downlink()
            assert dn["DevEui"] == "A8-17-58-FF-FE-03-12-AB"
            assert dn["MuxTime"] == host.stamp().wall_ns / 1e9
            await gateway.sent(dn, window)
            assert await statuses(sending) == want

    run(main())


def test_silence_means_that_nobody_knows() -> None:
    async def main() -> None:
        host = Host()
        async with running(host, idle_s=3600) as server, station(server) as gateway:
            await gateway.start()
            sending = send(server, *windows(await context_of_frame(host, gateway)))
            dn = await gateway.downlink()
            await advance(2 + MARGIN_S - 0.1)
            await advance(0)
            assert not sending.done()
            await advance(0.2)
            assert await statuses(sending) == [S.NO_ANSWER, S.NO_ANSWER]
            await gateway.sent(dn)  # too late: nobody waits
            await context_of_frame(host, gateway)

    run(main())


def test_what_comes_after_two_windows_is_tried_when_they_are_over() -> None:
    async def main() -> None:
        host = Host()
        async with running(host, idle_s=3600) as server, station(server) as gateway:
            await gateway.start()
            sending = send(server, *windows(await context_of_frame(host, gateway)), at_once())
            await gateway.downlink()
            await advance(2 + MARGIN_S + 0.1)
            dn = await gateway.downlink()
            assert dn["dC"] == 2
            await gateway.sent(dn, "RX2")
            assert await statuses(sending) == [S.NO_ANSWER, S.NO_ANSWER, S.OK]

    run(main())


def test_what_a_station_cannot_send_is_not_said_and_the_next_is_tried() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            foreign = TxItem(DOWN, 868_100_000, "LORA", "SF7BW125", After(SECOND, b"\1\2\3\4"))
            sending = send(server, foreign, at_once())
            dn = await gateway.downlink()
            await gateway.sent(dn, "RX2")
            assert await statuses(sending) == [S.INTERNAL_ERROR, S.OK]
            off = TxItem(DOWN, 923_300_000, "LORA", "SF7BW125", Immediately())
            assert await statuses(send(server, off)) == [S.TX_FREQ]

    run(main())


def test_numbers_that_nobody_gave_are_nobodys() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway, station(server, OTHER) as other:
            await gateway.start()
            await other.start()
            sending = send(server, at_once())
            dn = await gateway.downlink()
            await other.sent(dn, "RX2")  # another gateway claims it
            await gateway.say({"msgtype": "dntxed"})
            await gateway.sent(dn, "RX2", diid=dn["diid"] + 1, seqno=None)
            await context_of_frame(host, other)
            await context_of_frame(host, gateway)
            assert not sending.done()
            await gateway.sent(dn, "RX2")
            await gateway.sent(dn, "RX2")  # and once more
            assert await statuses(sending) == [S.OK]

    run(main())


def test_a_gateway_that_is_not_there() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            assert await statuses(send(server, at_once(), at_once())) == [S.NO_GATEWAY, S.NO_GATEWAY]
            socket = await gateway._open(f"{gateway._base}/router/{EUI}")
            await until(lambda: EUI in server.sessions)
            assert await statuses(send(server, at_once())) == [S.NO_GATEWAY]  # it has no router_config yet
            await socket.close()

    run(main())


def test_a_gateway_that_leaves_meanwhile() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            sending = send(server, at_once())
            await gateway.downlink()
            gateway.drop()
            assert await statuses(sending) == [S.NO_ANSWER]
            assert await statuses(send(server, at_once())) == [S.NO_GATEWAY]

    run(main())


def test_a_queue_that_is_full() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            sending = [send(server, at_once()) for _ in range(MAX_WAITING)]
            dns = [await gateway.downlink() for _ in range(MAX_WAITING)]
            assert await statuses(send(server, at_once())) == [S.QUEUE_FULL]
            for dn in dns:
                await gateway.sent(dn, "RX2")
            assert {answer.status for answers in await asyncio.gather(*sending) for answer in answers} == {S.OK}

    run(main())


def test_a_thousand_answers_in_their_first_window() -> None:
    """Each carries the RxDelay, and is answered by its own number, in whatever order."""

    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            numbers: set[int] = set()
            for batch in range(20):
                contexts = [await context_of_frame(host, gateway) for _ in range(50)]
                sending = [send(server, *windows(c, 1 + batch % 15)) for c in contexts]
                dns = [await gateway.downlink() for _ in contexts]
                for dn, context in zip(dns, contexts, strict=True):
                    assert dn["RxDelay"] == 1 + batch % 15
                    assert (dn["rctx"], dn["xtime"]) == (0, int.from_bytes(context[8:], "big"))
                    assert (dn["RX1Freq"], dn["RX1DR"]) == (868_100_000, 5)
                numbers |= {dn["diid"] for dn in dns}
                for dn in reversed(dns):
                    await gateway.sent(dn)
                for one in sending:
                    assert await statuses(one) == [S.OK, S.IGNORED]
            assert len(numbers) == 1000

    run(main())


def test_numbers_are_not_used_again_after_a_restart() -> None:
    async def main() -> None:
        last = 0
        host = Host()
        for _ in range(3):
            async with running(host) as server, station(server) as gateway:
                await gateway.start()
                sending = send(server, at_once())
                dn = await gateway.downlink()
                assert dn["diid"] > last
                last = dn["diid"]
                sending.cancel()
            host.now_ns += 1_000_000

    run(main())


def test_how_long_is_waited() -> None:
    wall_ns = 1_795_655_582_000_000_000
    now_us = gps_ns(wall_ns) // 1000
    assert wait_s(Attempt((0,)), wall_ns) == CLASS_C_S
    assert wait_s(Attempt((0, 1), ahead_us=2 * SECOND), wall_ns) == 2 + MARGIN_S
    assert wait_s(Attempt((0,), gps_us=now_us + 5 * SECOND), wall_ns) == 5 + MARGIN_S
    assert wait_s(Attempt((0,), gps_us=now_us - 5 * SECOND), wall_ns) == MARGIN_S
    assert wait_s(Attempt((0,), gps_us=now_us + 10**15), wall_ns) == 602


def test_class_b() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            gps_us = gps_ns(host.stamp().wall_ns) // 1000 + 3 * SECOND
            sending = send(server, TxItem(DOWN, 869_525_000, "LORA", "SF9BW125", AtGpsTime(gps_us)))
            dn = await gateway.downlink()
            assert (dn["gpstime"], dn["dC"]) == (gps_us, 1)
            await gateway.sent(dn, "")
            assert await statuses(sending) == [S.OK]

    run(main())
