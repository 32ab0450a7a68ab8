"""Where a gateway is reached, who may say so, and whose answers count."""

import asyncio

from tests.drivers.fakes import advance, run
from tests.drivers.gwmp_down_fakes import BOTH, RX1, Concentrator, begin, statuses, with_gateway
from tests.drivers.gwmp_fakes import EUI, OTHER, Host, running
from torhaus.codecs.framing.semtech_udp_down import TxAck, build_tx_ack
from torhaus.codecs.lorawan.downlink import Downlink, TxStatus
from torhaus.codecs.model import RejectReason
from torhaus.drivers.base import GatewayReachable
from torhaus.drivers.semtech_udp import SemtechUdp
from torhaus.drivers.semtech_udp_down import ANSWER_S, MAX_PENDING, PATH_S

# -- where a gateway is ------------------------------------------------------------------------------------------------


def test_without_a_pull_data_it_cannot_be_reached() -> None:
    async def body(driver: SemtechUdp, _: Host, gateway: Concentrator) -> None:
        assert statuses(await driver.transmit(Downlink(OTHER, BOTH))) == [TxStatus.NO_GATEWAY] * 2
        await advance(PATH_S + 1)
        assert statuses(await driver.transmit(Downlink(EUI, BOTH))) == [TxStatus.NO_GATEWAY] * 2
        await gateway.pull()
        sending = await begin(driver, (RX1,))
        gateway.say((await gateway.given())[0])
        assert statuses(await sending) == [TxStatus.OK]

    with_gateway(body)


def test_the_last_pull_data_says_where_and_a_move_is_told() -> None:
    async def body(driver: SemtechUdp, host: Host, gateway: Concentrator) -> None:
        moved = Concentrator(driver)
        try:
            await moved.pull()
            sending = await begin(driver, (RX1,))
            moved.say((await moved.given())[0])
            assert statuses(await sending) == [TxStatus.OK]
            assert gateway.nothing_came()
            told = [e.address for e in host.events if isinstance(e, GatewayReachable)]
            assert told == [f"127.0.0.1:{g.sock.getsockname()[1]}" for g in (gateway, moved)]
        finally:
            moved.sock.close()

    with_gateway(body)


def test_between_two_windows_a_gateway_may_move() -> None:
    async def body(driver: SemtechUdp, _: Host, gateway: Concentrator) -> None:
        moved = Concentrator(driver)
        try:
            sending = await begin(driver)
            token, _txpk = await gateway.given()
            await moved.pull()
            gateway.say(token, "TOO_LATE")
            moved.say((await moved.given())[0])
            assert statuses(await sending) == [TxStatus.TOO_LATE, TxStatus.OK]
        finally:
            moved.sock.close()

    with_gateway(body)


def test_a_stranger_opens_no_way_down() -> None:
    async def body(driver: SemtechUdp, host: Host, gateway: Concentrator) -> None:
        for stranger in (Concentrator(driver, OTHER), Concentrator(driver, EUI, host="127.0.0.2")):
            await stranger.pull()  # it is answered, and no more
            stranger.sock.close()
        assert statuses(await driver.transmit(Downlink(OTHER, (RX1,)))) == [TxStatus.NO_GATEWAY]
        sending = await begin(driver, (RX1,))
        gateway.say((await gateway.given())[0])
        assert statuses(await sending) == [TxStatus.OK]
        assert {e.gateway for e in host.events if isinstance(e, GatewayReachable)} == {EUI}

    with_gateway(body, gateway=[{"eui": EUI, "networks": ["127.0.0.1/32"]}])


def test_when_the_socket_is_lost_nobody_waits_on() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as (driver, _):
            gateway = Concentrator(driver)
            await gateway.pull()
            sending = await begin(driver)
            await gateway.given()
        assert statuses(await sending) == [TxStatus.NO_ANSWER, TxStatus.IGNORED]
        assert statuses(await driver.transmit(Downlink(EUI, (RX1,)))) == [TxStatus.NO_GATEWAY]
        gateway.sock.close()

    run(main())


# -- who answers -------------------------------------------------------------------------------------------------------


def test_hostile_answers_change_nothing() -> None:
    async def body(driver: SemtechUdp, host: Host, gateway: Concentrator) -> None:
        other, elsewhere = Concentrator(driver, OTHER), Concentrator(driver, host="127.0.0.2")
        await other.pull()
        sending = await begin(driver, (RX1,))
        token, _txpk = await gateway.given()
        wrong = bytes((token[0] ^ 1, token[1]))
        other.say(token)  # another gateway, with the right token
        elsewhere.say(token)  # in its name, from another address
        gateway.say(wrong)
        gateway.sock.send(build_tx_ack(token, EUI, TxAck()) + b'{"txpk_ack":')
        gateway.sock.send(build_tx_ack(token, EUI, TxAck()) + b'{"txpk_ack":{"error":' + b"[" * 900)
        gateway.sock.send(build_tx_ack(token, EUI, TxAck()) + bytes(2000))
        gateway.sock.send(build_tx_ack(token, EUI, TxAck())[:11])
        await gateway.pull()
        await other.pull()
        await host.until(4)
        assert not sending.done()
        assert [r.reason for r in host.rejects] == [
            RejectReason.SYNTAX, RejectReason.SYNTAX, RejectReason.LONG, RejectReason.SHORT,
        ]  # fmt: skip
        gateway.say(token, "TOO_LATE")
        gateway.say(token)  # the first one counts
        assert statuses(await sending) == [TxStatus.TOO_LATE]
        gateway.say(token)
        gateway.say(wrong)
        await gateway.pull()
        other.sock.close()
        elsewhere.sock.close()

    with_gateway(body)


def test_tokens_never_meet_across_twenty_gateways() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as (driver, _):
            gateways = [Concentrator(driver, f"{n:016x}") for n in range(20)]
            for gateway in gateways:
                await gateway.pull()
            tasks = [await begin(driver, (RX1,), g.eui) for _ in range(25) for g in gateways]
            seen: set[tuple[str, bytes]] = set()
            for gateway in gateways:
                tokens = [(await gateway.given())[0] for _ in range(25)]
                seen |= {(gateway.eui, token) for token in tokens}
                assert b"\0\0" not in tokens
                for token in reversed(tokens):  # each answers with an error of its own, the last first
                    gateway.say(token, f"E{token.hex()}")
            for task in tasks:
                assert statuses(await task) == [TxStatus.INTERNAL_ERROR]
            assert len(seen) == 500
            assert len({(await task)[0].detail for task in tasks}) == len({token for _, token in seen})
            for gateway in gateways:
                gateway.sock.close()

    run(main())


def test_what_waits_for_a_silent_gateway_is_bounded() -> None:
    async def body(driver: SemtechUdp, _: Host, gateway: Concentrator) -> None:
        tasks = [await begin(driver, (RX1,)) for _ in range(MAX_PENDING)]
        assert statuses(await driver.transmit(Downlink(EUI, (RX1,)))) == [TxStatus.QUEUE_FULL]
        await advance(ANSWER_S + 1)
        assert {statuses(await task)[0] for task in tasks} == {TxStatus.NO_ANSWER}
        for _n in range(MAX_PENDING):
            await gateway.given()
        sending = await begin(driver, (RX1,))
        gateway.say((await gateway.given())[0])
        assert statuses(await sending) == [TxStatus.OK]

    with_gateway(body)


def test_a_downlink_that_nobody_waits_for_any_more_leaves_nothing_behind() -> None:
    async def body(driver: SemtechUdp, _: Host, gateway: Concentrator) -> None:
        sending = await begin(driver)
        token, _txpk = await gateway.given()
        sending.cancel()
        await asyncio.wait([sending])
        gateway.say(token)
        await gateway.pull()
        assert driver._down._waiting == {}
        assert driver._down._pending == {}

    with_gateway(body)
