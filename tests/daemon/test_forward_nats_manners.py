"""A NATS server with bad manners: nothing is lost, nothing is settled without a receipt."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.mqtt_fakes import item, settled
from tests.daemon.nats_fakes import build, ids, serving
from tests.daemon.nats_server import NatsServer, Received
from tests.peers import advance, run, until
from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.nats.session import MIN_PAYLOAD_BYTES


def test_a_time_out_is_no_receipt_and_drops_the_connection() -> None:
    async def main() -> None:
        def third_unanswered(_: Received, number: int) -> bytes | None:
            return None if number == 3 else b'{"stream":"T","seq":1}'

        async with serving(answer_for=third_unanswered) as (server, forwarder):
            task = asyncio.create_task(forwarder.send([item(n) for n in range(5)]))
            await until(lambda: len(server.messages) == 5)
            for _ in range(20):
                await asyncio.sleep(0)
            advance(31)
            outcome = await task
            assert outcome.accepted == [0, 1, 3, 4]
            assert outcome.kept == {2: "no acknowledgement within 30 s"}
            with pytest.raises(Unavailable, match="no acknowledgement"):
                await forwarder.send([item(2)])
            await forwarder.open()
            server.manners.never_ack = True
            task = asyncio.create_task(forwarder.send([item(9)]))
            await until(lambda: len(server.messages) == 6)
            advance(31)
            with pytest.raises(Unavailable, match="no acknowledgement"):
                await task

    run(main())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"+OK",
        b"{}",
        b'{"stream":"T","seq":0}',
        b'{"error":{"err_code":0},"stream":"T","seq":4}',
        b'{"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"}}',
        b'{"stream":"OTHER","seq":1}',
    ],
)
def test_only_a_receipt_is_one(answer: bytes) -> None:
    async def main() -> None:
        async with NatsServer(answer_for=lambda *_: answer) as server:
            forwarder = build(server.port, expected_stream="TORHAUS")
            await forwarder.open()
            outcome = await forwarder.send([item(0), item(1)])
            assert not outcome.accepted
            assert not outcome.rejected
            assert set(outcome.kept) == {0, 1}
            assert all(outcome.kept.values())
            await forwarder.close()

    run(main())


def test_twice_and_never_asked_for_settles_nothing_else() -> None:
    async def main() -> None:
        async with serving(acks=3, hold_acks=True) as (server, forwarder):
            task = asyncio.create_task(forwarder.send([item(n) for n in range(3)]))
            await until(lambda: len(server.messages) == 3)
            inbox = server.messages[0].reply.rpartition(".")[0]
            for stray in (f"{inbox}.99", f"{inbox}.x", f"{inbox}.{'9' * 40}", f"{inbox}.", "_INBOX.other.1"):
                body = b'{"stream":"T","seq":1}'
                server.say(b"MSG %b 1 %d\r\n%b\r\n" % (stray.encode(), len(body), body))
            for _ in range(20):
                await asyncio.sleep(0)
            assert not task.done()
            server.release()
            assert (await task).accepted == [0, 1, 2]
            assert (await forwarder.send([item(3)])).accepted == [0]

    run(main())


def test_a_lost_connection_keeps_what_has_no_receipt() -> None:
    async def main() -> None:
        async with serving(close_after=4) as (_, forwarder):
            outcome = None
            try:
                outcome = await forwarder.send([item(n) for n in range(10)])
            except Unavailable:
                return  # the receipts before went down with the connection
            assert set(outcome.accepted) <= {0, 1, 2}
            assert not outcome.rejected
            settled(outcome, 10)
            with pytest.raises(Unavailable):
                await forwarder.send([item(0)])

    run(main())


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "does not speak NATS"),
        (b"MSG x 1 99999999999\r\n", "does not speak NATS"),
        (b"MSG x 7 1\r\nx\r\n", "not subscribed to"),
        (b"-ERR 'Stale Connection'\r\n", "server says: Stale Connection"),
        (b"-ERR 'User Authentication Expired'\r\n", "get new ones"),
        (b'INFO {"max_payload":10}\r\n', "takes only 10 bytes"),
        (b'INFO {"max_payload":-1}\r\n', "takes only -1 bytes"),
    ],
)
def test_nonsense_ends_the_connection_with_a_reason(says: bytes, why: str) -> None:
    async def main() -> None:
        async with serving(say_after=1, says=says) as (server, forwarder):
            with pytest.raises(Unavailable, match=why):
                await forwarder.send([item(0), item(1)])
            with pytest.raises(Unavailable, match=why):
                await forwarder.gone()
            server.manners.say_after = None
            await forwarder.open()
            assert (await forwarder.send([item(0), item(1)])).accepted == [0, 1]

    run(main())


def test_a_server_that_lies_about_what_it_takes_costs_one_record() -> None:
    """It says a megabyte, and ends the connection over less: the one to blame is found."""

    async def main() -> None:
        async with NatsServer() as server:

            def bad(message: Received, number: int) -> bytes | None:
                if 5 in ids(message.payload):
                    server.say(b"-ERR 'Maximum Payload Violation'\r\n")
                    for peer in server.peers:
                        peer.transport.close()
                    return None
                return b'{"stream":"T","seq":%d}' % number

            server.manners.answer_for = bad
            forwarder = build(server.port)
            todo = {n: item(n) for n in range(10)}
            rejected: dict[int, str] = {}
            for _ in range(4):
                numbers = list(todo)
                if not numbers:
                    break
                await forwarder.open()
                outcome = await forwarder.send([todo[n] for n in numbers])
                settled(outcome, len(numbers))
                rejected |= {numbers[index]: why for index, why in outcome.rejected.items()}
                for index in [*outcome.accepted, *outcome.rejected]:
                    del todo[numbers[index]]
            assert not todo
            assert list(rejected) == [5]
            assert "Maximum Payload Violation" in rejected[5]
            await forwarder.close()

    run(main())


def test_what_the_server_says_it_does_not_take_is_not_sent_and_parcels_are_taken_apart() -> None:
    async def main() -> None:
        async with serving(info={"max_payload": MIN_PAYLOAD_BYTES}) as (server, forwarder):
            large = item(1)
            large.message.raw = bytes(5000)
            outcome = await forwarder.send([item(0), large, item(2, device="x" * 1100)])
            assert outcome.accepted == [0]
            assert "at most 4096 (max_payload)" in outcome.rejected[1]
            assert "subject longer" in outcome.rejected[2]
            await forwarder.close()
            packing = build(server.port, backlog_pack=100)
            await packing.open()
            late = [item(n, late=True) for n in range(50)]
            outcome = await packing.send(late)
            assert not outcome.accepted
            assert not outcome.rejected
            assert not outcome.kept, "none of them is held responsible"
            assert (await packing.send(late)).accepted == [*range(50)]
            await packing.close()

    run(main())


def test_a_server_that_is_about_to_stop_gets_no_more() -> None:
    async def main() -> None:
        async with NatsServer(hold_acks=True) as server:
            forwarder = build(server.port, window=2)
            await forwarder.open()
            task = asyncio.create_task(forwarder.send([item(n) for n in range(5)]))
            await until(lambda: len(server.messages) == 2)
            server.say(server.info(ldm=True))
            for _ in range(10):
                await asyncio.sleep(0)
            assert not task.done(), "what is in flight is waited for"
            server.release()
            outcome = await task
            assert outcome.accepted == [0, 1]
            assert not outcome.kept, "nothing is held against what was not sent"
            assert len(server.messages) == 2
            with pytest.raises(Unavailable, match="lame duck"):
                await forwarder.gone()
            await forwarder.open()
            assert (await forwarder.send([item(9)])).accepted == [0]
            await forwarder.close()

    run(main())


def test_what_is_urgent_overtakes_in_the_window() -> None:
    async def main() -> None:
        async with NatsServer(hold_acks=True) as server:
            forwarder = build(server.port, window=4)
            await forwarder.open()
            alarm = item(99)
            alarm.message.alarm = True
            late = asyncio.create_task(forwarder.send([item(n, late=True) for n in range(10)]))
            await until(lambda: len(server.messages) == 4)
            live = asyncio.create_task(forwarder.send([item(50)]))
            urgent = asyncio.create_task(forwarder.send([alarm]))
            for _ in range(10):
                await asyncio.sleep(0)
            server.release()
            await asyncio.gather(late, live, urgent)
            assert [ids(m.payload)[0] for m in server.messages] == [0, 1, 2, 3, 99, 50, 4, 5, 6, 7, 8, 9]
            await forwarder.close()

    run(main())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["ack", "none", "full", "close", "nonsense"]), min_size=1, max_size=12))
def test_whatever_it_does_only_receipts_are_accepted(script: list[str]) -> None:
    async def main() -> None:
        async with NatsServer() as server:

            def answer(_: Received, number: int) -> bytes | None:
                what = script[(number - 1) % len(script)]
                if what == "close":
                    server.peers[-1].transport.close()
                if what == "nonsense":
                    server.say(b"nonsense\r\n")
                return {"ack": b'{"stream":"T","seq":9}', "full": b'{"error":{"err_code":10077}}'}.get(what)

            server.manners.answer_for = answer
            forwarder = build(server.port)
            await forwarder.open()
            batch = [item(n) for n in range(len(script))]
            task = asyncio.create_task(forwarder.send(batch))
            await until(lambda: task.done() or len(server.messages) >= len(script))
            for _ in range(10):
                await asyncio.sleep(0)
            advance(31)
            try:
                outcome = await task
            except Unavailable:
                outcome = None
            if outcome is not None:
                settled(outcome, len(batch))
                assert not outcome.rejected
                good = {ids(m.payload)[0] for n, m in enumerate(server.messages) if script[n % len(script)] == "ack"}
                assert set(outcome.accepted) <= good
            await forwarder.close()

    run(main())
