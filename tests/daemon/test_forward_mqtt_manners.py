"""MQTT 5 against a broker with bad manners: nothing is lost, nothing is settled without a receipt."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.mqtt_fakes import CONTEXT, config, item, quiet, settled
from tests.peers import advance, run, until
from torhaus.daemon.demo.broker import Broker, Manners
from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.forward.mqtt import open_forwarder
from torhaus.daemon.mqtt.wire import ConnAckReasonCode, DisconnectReasonCode, PublishPacket


def test_a_time_out_is_no_receipt_and_drops_the_connection() -> None:
    def third_unanswered(packet: PublishPacket, number: int) -> int | None:
        return None if number == 3 else 0

    async def main() -> None:
        async with Broker(manners=Manners(code_for=third_unanswered)) as broker:
            forwarder = quiet(broker, timeout_s=30)
            await forwarder.open()
            task = asyncio.create_task(forwarder.send([item(n) for n in range(5)]))
            await until(lambda: sum(m.reason_code == 0 for m in broker.messages) == 4)
            for _ in range(20):
                await asyncio.sleep(0)
            advance(31)
            outcome = await task
            assert outcome.accepted == [0, 1, 3, 4]
            assert outcome.kept == {2: "no PUBACK within 30 s"}
            await until(lambda: not broker.peers)
            with pytest.raises(Unavailable, match="no PUBACK"):
                await forwarder.send([item(2)])
            await forwarder.open()
            assert (await forwarder.send([item(2)])).accepted == [0]
            broker.manners.never_ack = True
            task = asyncio.create_task(forwarder.send([item(9)]))
            await until(lambda: broker.published == 7)
            advance(31)
            with pytest.raises(Unavailable, match="no PUBACK"):
                await task
            await forwarder.close()

    run(main())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0x10, "kept"),
        (0x80, "kept"),
        (0x87, "kept"),
        (0x97, "kept"),
        (0x7F, "kept"),
        (0x90, "rejected"),
        (0x95, "rejected"),
        (0x99, "rejected"),
    ],
)
def test_reason_codes_settle_their_item_alone(code: int, kind: str) -> None:
    async def main() -> None:
        async with Broker(manners=Manners(code_for=lambda _, number: 0 if number % 3 else code)) as broker:
            forwarder = quiet(broker)
            await forwarder.open()
            outcome = await forwarder.send([item(n) for n in range(9)])
            assert outcome.accepted == [0, 1, 3, 4, 6, 7]
            assert list(getattr(outcome, kind)) == [2, 5, 8]
            assert f"0x{code:02x}" in getattr(outcome, kind)[2]
            await forwarder.close()

    run(main())


def test_a_message_that_makes_the_broker_disconnect_is_found() -> None:
    async def main() -> None:
        async with Broker() as broker:

            def bad(packet: PublishPacket, number: int) -> int | None:
                if b'/5"' not in packet.payload:
                    return 0
                next(iter(broker.peers.values())).disconnect(DisconnectReasonCode.PAYLOAD_FORMAT_INVALID)
                return None

            broker.manners.code_for = bad
            forwarder = quiet(broker)
            todo = {n: item(n) for n in range(10)}
            rejected: dict[int, str] = {}
            for _ in range(4):
                await forwarder.open()
                numbers = list(todo)
                if not numbers:
                    break
                outcome = await forwarder.send([todo[n] for n in numbers])
                rejected |= {numbers[index]: why for index, why in outcome.rejected.items()}
                for index in [*outcome.accepted, *outcome.rejected]:
                    del todo[numbers[index]]
            assert not todo
            assert list(rejected) == [5]
            assert "payload format invalid (0x99)" in rejected[5]
            await forwarder.close()

    run(main())


def test_one_record_that_cannot_be_written() -> None:
    async def main() -> None:
        async with Broker() as broker:
            forwarder = quiet(broker)
            await forwarder.open()
            batch = [item(n) for n in range(3)]
            batch[1].message.detail = "\ud800"
            batch[2].message.device = "x" * 70_000
            outcome = await forwarder.send(batch)
            assert outcome.accepted == [0]
            assert set(outcome.rejected) == {1, 2}
            await forwarder.close()

    run(main())


def test_refused_connection_says_what_to_do() -> None:
    async def main() -> None:
        async with Broker(manners=Manners(refuse=ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION)) as broker:
            with pytest.raises(Unavailable, match=r'set protocol = "3\.1\.1"'):
                await quiet(broker).open()

    run(main())


def test_a_close_with_a_broker_that_does_not_answer() -> None:
    async def main() -> None:
        async with Broker() as broker:
            forwarder = open_forwarder(config(broker.port), CONTEXT)
            await forwarder.open()
            broker.manners.never_ack = True
            task = asyncio.create_task(forwarder.close())
            await until(lambda: broker.published == 2)
            advance(3)
            await task
            await until(lambda: broker.retained and b"offline" in broker.retained["torhaus/rathaus/status"].payload)

    run(main())


ACTS = st.lists(
    st.sampled_from(["good", "close", "disconnect", "half", "garbage", "code", "nobody", "hold-and-drop"]),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(ACTS, st.integers(1, 12), st.integers(1, 9), st.integers(1, 25), st.sampled_from([0x80, 0x87, 0x90, 0x99]))
def test_lossless_whatever_the_broker_does(acts: list[str], count: int, receive_max: int, at: int, code: int) -> None:
    """Accepted only what the broker acknowledged with 0; rejected only what it refused for good; all else is kept, and
    arrives once the broker behaves.
    """

    async def main() -> None:
        async with Broker(receive_max=receive_max) as broker:
            forwarder = quiet(broker)
            todo = {f"rathaus/3f2a91c0/{n}": item(n) for n in range(count)}
            rejected: set[str] = set()
            for act in [*acts, "good", "good"]:
                broker.manners = {
                    "good": Manners(),
                    "close": Manners(close_after=at),
                    "disconnect": Manners(close_after=at, disconnect_with=DisconnectReasonCode.SERVER_BUSY),
                    "half": Manners(half_close_after=at),
                    "garbage": Manners(garbage_after=at),
                    "code": Manners(code_for=lambda _, number: 0 if number % at else code),
                    "nobody": Manners(no_subscriber_code=True),
                    "hold-and-drop": Manners(hold_acks=True),
                }[act]
                await forwarder.open()
                ids = list(todo)
                broker.messages.clear()
                task = asyncio.create_task(forwarder.send([todo[each] for each in ids]))
                if act == "hold-and-drop":
                    await until(lambda: broker.messages or task.done())  # noqa: B023
                    broker.drop()
                try:
                    outcome = await task
                except Unavailable:
                    continue
                settled(outcome, len(ids))
                by_id = {dict(m.user_properties)["id"]: m.reason_code for m in broker.messages}
                for index in outcome.accepted:
                    assert by_id[ids[index]] == 0
                    del todo[ids[index]]
                for index in outcome.rejected:
                    assert by_id[ids[index]] in {0x90, 0x99}
                    rejected.add(ids[index])
                    del todo[ids[index]]
                for index in range(len(ids)):
                    if ids[index] in todo and act in {"good", "code", "nobody"}:
                        assert by_id[ids[index]] != 0
            assert not todo
            await forwarder.close()

    run(main())
