"""Gateways' ends before the real drivers: frames arrive as they were heard, downlinks come at their exact moment."""

import asyncio
from collections.abc import Callable

import pytest

from tests.codecs.test_basics_station_station import windows
from tests.daemon.home import until
from tests.drivers.gwmp_fakes import Host as GwmpHost
from tests.drivers.gwmp_fakes import running as gwmp
from tests.drivers.station_fakes import Host, running
from torhaus.codecs.lorawan.downlink import After, Downlink, Immediately, TxItem, TxStatus, context_of
from torhaus.codecs.lorawan.join import build_join_request
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.model import Radio, Reception
from torhaus.daemon.simulate import ends
from torhaus.daemon.simulate.ends import End, GwmpEnd, Order, StationEnd

EUI = "02746f7267770000"
PHY = build_join_request(bytes(16), 1, 2, 3)
SECOND_US = 1_000_000
START_US = (1 << 32) - 2 * SECOND_US  # the counter wraps meanwhile


def now_us() -> int:
    return START_US


def radio(at_us: int) -> Radio:
    rx = Reception(EUI, rssi_dbm=-97.0, snr_db=7.5, tmst_us=at_us & 0xFFFFFFFF, crc=1)
    return Radio(868_100_000, "LORA", "SF7BW125", "4/5", [rx])


def answer(heard: Radio, delay_us: int = 5 * SECOND_US) -> Downlink:
    at = After(delay_us, context_of(heard.rx[0]))
    items = [TxItem(b"\x20" + bytes(16), 868_100_000, "LORA", "SF7BW125", at)]
    items.append(TxItem(b"\x20" + bytes(16), 869_525_000, "LORA", "SF12BW125", After(delay_us + SECOND_US, at.context)))
    return Downlink(EUI, tuple(items))


async def beside(end: End, body: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        task = asyncio.create_task(end.run())
        try:
            await body()  # type: ignore[misc]
        finally:
            task.cancel()
            await asyncio.wait([task])


def test_a_packet_forwarder() -> None:
    async def go() -> None:
        host, orders = GwmpHost(), list[Order]()
        async with gwmp(host) as (server, _):
            end = GwmpEnd(EUI, "127.0.0.1", server.port, now_us, orders.append)
            end.hear(PHY, radio(START_US), 5, START_US)  # there is no socket yet: lost

            async def body() -> None:
                await until(lambda: end._gateway.pulled)
                end.hear(PHY, radio(START_US), 5, START_US)
                await until(lambda: host.frames)
                frame = host.frames[-1]
                assert frame.radio is not None
                assert (frame.data, frame.radio.rx[0].rssi_dbm) == (PHY, -97.0)
                answers = await server.transmit(answer(frame.radio))
                assert answers[0].status is TxStatus.OK
                assert [(o.at_us, o.freq_hz, o.datarate) for o in orders] == [
                    (START_US + 5 * SECOND_US, 868_100_000, "SF7BW125")
                ]
                late = await server.transmit(answer(frame.radio, 10_000))
                assert [a.status for a in late] == [TxStatus.TOO_LATE, TxStatus.OK]
                assert (end.refused, orders[-1].at_us) == ({"TOO_LATE": 1}, START_US + 1_010_000)

            await beside(end, body)

    asyncio.run(go())


def test_a_basics_station() -> None:
    async def go() -> None:
        host, orders = Host(), list[Order]()
        async with running(host) as server:
            end = StationEnd(EUI, f"ws://127.0.0.1:{server.port}", region("EU868"), now_us, orders.append)

            async def body() -> None:
                await until(lambda: EUI in server.sessions and server.sessions[EUI].can_send)
                end.hear(PHY, radio(START_US), 5, START_US)
                await until(lambda: host.frames)
                frame = host.frames[-1]
                assert frame.radio is not None
                assert (frame.data, frame.radio.rx[0].rssi_dbm, frame.radio.datarate) == (PHY, -97.0, "SF7BW125")
                answers = await server.transmit(answer(frame.radio))
                assert answers[0].status is TxStatus.OK
                assert [(o.at_us, o.freq_hz) for o in orders] == [(START_US + 5 * SECOND_US, 868_100_000)]
                item = TxItem(b"\x60" + bytes(11), 869_525_000, "LORA", "SF12BW125", Immediately())
                assert (await server.transmit(Downlink(EUI, (item,))))[0].status is TxStatus.OK
                assert orders[-1].datarate == "SF12BW125"

            await beside(end, body)

    asyncio.run(go())


def test_what_comes_too_late_for_both_windows_is_not_sent() -> None:
    orders = list[Order]()
    later = [0x51 << 48]
    end = StationEnd(EUI, "ws://x:1", region("EU868"), lambda: later[0], orders.append)
    end._listen(windows())
    end._listen(b"nonsense")
    end._listen(windows().replace(b'"pdu":"20', b'"pdu":"xx'))
    assert (end.refused, orders) == ({"TOO_LATE": 1}, [])
    later[0] = 12_345_678 + 5 * SECOND_US
    end._listen(windows())
    assert [(o.at_us, o.freq_hz) for o in orders] == [(12_345_678 + 6 * SECOND_US, 869_525_000)]  # RX2


def test_a_station_connects_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "RETRY_S", 0.01)

    async def go() -> None:
        host, orders = Host(), list[Order]()
        async with running(host) as server:
            end = StationEnd(EUI, f"ws://127.0.0.1:{server.port}", region("EU868"), now_us, orders.append)

            async def body() -> None:
                for n in (1, 2):
                    await until(lambda: EUI in server.sessions and server.sessions[EUI].can_send)
                    end.hear(PHY, radio(START_US), 5, START_US)
                    await until(lambda n=n: len(host.frames) == n)  # type: ignore[misc]
                    session = server.sessions[EUI]
                    session.abort("test")
                    end.hear(PHY, radio(START_US), 5, START_US)  # lost
                    await until(lambda session=session: server.sessions.get(EUI) is not session)  # type: ignore[misc]

            await beside(end, body)

    asyncio.run(go())


def test_a_name_that_cannot_be_looked_up_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "RETRY_S", 0.01)

    async def go() -> None:
        host = GwmpHost()
        async with gwmp(host) as (server, _):
            end = GwmpEnd(EUI, "127.0.0.1", server.port, now_us, list[Order]().append)
            opened = end._gateway.open

            async def fails(_host: str, _port: int) -> None:
                monkeypatch.setattr(end._gateway, "open", opened)
                raise OSError("Name or service not known")

            monkeypatch.setattr(end._gateway, "open", fails)

            async def body() -> None:
                await until(lambda: end.why == "Name or service not known")
                await until(lambda: end._gateway.pulled)
                assert end.why == ""

            await beside(end, body)

    asyncio.run(go())


def test_a_server_that_is_not_there_is_told() -> None:
    async def go() -> None:
        end = StationEnd(EUI, "ws://127.0.0.1:1", region("EU868"), now_us, list[Order]().append)

        async def body() -> None:
            await until(lambda: end.why)

        await beside(end, body)

    asyncio.run(go())
