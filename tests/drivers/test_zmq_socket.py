"""ZeroMQ on the event loop: addresses, waiting, questions without answers."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvloop
import zmq
import zmq.asyncio

from tests.drivers.fakes import StillLoop, advance, run
from torhaus.drivers.zmq_socket import MAX_MESSAGE_BYTES, Questions, Unanswered, ZmqSocket, check_url


@pytest.mark.parametrize(
    "url",
    [
        "ipc:///tmp/concentratord_event",
        "ipc://@concentratord",
        "ipc:///" + "x" * 106,
        "tcp://192.0.2.10:3100",
        "tcp://gateway-1.example.org:65535",
        "tcp://[2001:db8::1]:1",
    ],
)
def test_addresses(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "", "ipc://", "ipc://relative", "ipc:///" + "x" * 107, "ipc:///a\nb", "ipc:///", "tcp://*:3100", "tcp://host",
        "tcp://host:0", "tcp://host:65536", "tcp://host:\u0663", "tcp://ho st:1", "tcp://:1", "tcp://[192.0.2.1]:1",
        "tcp://[x]:1", "tcp://2001:db8::1:1", "tcp://-x:1", "udp://239.0.0.1:1", "inproc://x", "/tmp/x",
    ],
)  # fmt: skip
def test_no_addresses(url: str) -> None:
    with pytest.raises(ValueError, match="must be ipc:///path"):
        check_url(url)


@contextmanager
def pair(folder: Path, kind: int) -> Iterator[tuple["zmq.Context[zmq.Socket[bytes]]", "zmq.Socket[bytes]", str]]:
    """A context, a bound socket of the other side, and its address."""
    context = zmq.Context[zmq.Socket[bytes]]()
    peer = context.socket(kind)
    peer.bind(url := f"ipc://{folder}/peer")
    try:
        yield context, peer, url
    finally:
        peer.close(linger=0)
        context.destroy(linger=0)  # what the test closes is closed already


def test_who_waits_and_is_cancelled_takes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        with pair(tmp_path, zmq.PUSH) as (context, peer, url):
            ours = ZmqSocket(context, zmq.PULL, url, 100)
            for n in range(50):
                waiting = asyncio.create_task(ours.ready(zmq.POLLIN))
                await asyncio.sleep(0)
                peer.send(b"%d" % n)
                waiting.cancel()
                await asyncio.wait([waiting])
                await ours.ready(zmq.POLLIN)
                assert ours.receive() == [b"%d" % n]
            assert not ours.is_ready(zmq.POLLIN)
            assert ours.receive() is None
            peer.send_multipart([b"%d" % n for n in range(9)])
            await ours.ready(zmq.POLLIN)
            assert ours.receive() == [b"0", b"1", b"2", b"3"]
            ours.close()
            ours.close()
            await ours.ready(zmq.POLLIN)  # nobody waits for a closed one

    run(main())


def test_the_end_of_a_connection_is_told_and_its_return(tmp_path: Path) -> None:
    async def main() -> None:
        with pair(tmp_path, zmq.PUSH) as (context, peer, url):
            told, news = list[bool](), asyncio.Event()

            def tell() -> None:
                told.append(ours.lost_s is not None)
                news.set()

            ours = ZmqSocket(context, zmq.PULL, url, 100, tell)
            peer.send(b"here")
            await ours.ready(zmq.POLLIN)
            assert ours.receive() == [b"here"]
            assert told == []
            peer.unbind(url)
            peer.close(linger=0)
            await news.wait()
            news.clear()
            again = context.socket(zmq.PUSH)
            again.bind(url)
            await news.wait()
            assert told == [True, False]
            news.clear()
            again.send(b"x" * (MAX_MESSAGE_BYTES + 1))
            await news.wait()
            assert told == [True, False, True]
            assert ours.lost_s == 1000.0
            ours.close()
            again.close(linger=0)

    run(main())


def test_a_message_that_waits_does_not_keep_the_loop_busy(tmp_path: Path) -> None:
    async def main() -> None:
        with pair(tmp_path, zmq.PUSH) as (context, peer, url):
            ours = ZmqSocket(context, zmq.PULL, url, 100)
            woken, change = 0, ours._change

            def counted() -> None:
                nonlocal woken
                woken += 1
                change()

            asyncio.get_running_loop().add_reader(ours._fd, counted)
            peer.send(b"waits")
            await ours.ready(zmq.POLLIN)
            woken = 0
            for _ in range(500):
                await asyncio.sleep(0)
            assert woken < 20
            ours.close()

    run(main())


def test_questions_take_turns(tmp_path: Path) -> None:
    async def main() -> None:
        with pair(tmp_path, zmq.REP) as (context, peer, url):
            questions = Questions(context, url, 1.0)
            asked = [asyncio.create_task(questions.ask(b"%d" % n)) for n in range(20)]
            await asyncio.sleep(0)
            assert questions.waiting == 20
            loop = asyncio.get_running_loop()
            for n in range(20):
                assert await loop.run_in_executor(None, peer.recv) == b"%d" % n
                peer.send(b"answer %d" % n)
            assert [await each for each in asked] == [b"answer %d" % n for n in range(20)]
            assert questions.waiting == 0
            questions.close()

    run(main())


def test_a_late_answer_is_nobodys(tmp_path: Path) -> None:
    async def main() -> None:
        with pair(tmp_path, zmq.REP) as (context, peer, url):
            questions = Questions(context, url, 0.1)
            loop = asyncio.get_running_loop()
            assert isinstance(loop, StillLoop)
            first = asyncio.create_task(questions.ask(b"first"))
            await loop.run_in_executor(None, peer.recv)
            loop.advance(0.1)
            with pytest.raises(Unanswered) as e:
                await first
            assert e.value.sent
            peer.send(b"late")
            second = asyncio.create_task(questions.ask(b"second"))
            assert await loop.run_in_executor(None, peer.recv) == b"second"
            peer.send(b"in time")
            assert await second == b"in time"
            questions.close()

    run(main())


def test_nobody_there_is_known_not_to_have_got_it(tmp_path: Path) -> None:
    async def main() -> None:
        context = zmq.Context[zmq.Socket[bytes]]()
        questions = Questions(context, f"ipc://{tmp_path}/nobody", 0.1)
        asked = asyncio.create_task(questions.ask(b"?"))
        await advance(0.1)
        with pytest.raises(Unanswered) as e:
            await asked
        assert not e.value.sent
        questions.close()
        context.term()

    run(main())


def test_to_hang_up_ends_all_questions(tmp_path: Path) -> None:
    async def main() -> None:
        with pair(tmp_path, zmq.REP) as (context, peer, url):
            questions = Questions(context, url, 0.1)
            asked = [asyncio.create_task(questions.ask(b"?")) for _ in range(3)]
            await asyncio.get_running_loop().run_in_executor(None, peer.recv)
            questions.close()
            said = await asyncio.gather(*asked, return_exceptions=True)
            assert [e.sent for e in said if isinstance(e, Unanswered)] == [True, False, False]
            with pytest.raises(Unanswered):
                await questions.ask(b"?")

    run(main())


def test_who_asks_and_is_cancelled_leaves_a_clean_table(tmp_path: Path) -> None:
    async def main() -> None:
        with pair(tmp_path, zmq.REP) as (context, peer, url):
            questions = Questions(context, url, 0.1)
            loop = asyncio.get_running_loop()
            asked = asyncio.create_task(questions.ask(b"first"))
            await loop.run_in_executor(None, peer.recv)
            asked.cancel()
            await asyncio.wait([asked])
            peer.send(b"for nobody")
            second = asyncio.create_task(questions.ask(b"second"))
            await loop.run_in_executor(None, peer.recv)
            peer.send(b"mine")
            assert await second == b"mine"
            questions.close()

    run(main())


def test_it_works_on_uvloop(tmp_path: Path) -> None:
    async def main() -> list[bytes]:
        with pair(tmp_path, zmq.REP) as (context, peer, url):
            questions = Questions(context, url, 10.0)
            answers, loop = [], asyncio.get_running_loop()
            for n in range(100):
                asked = asyncio.create_task(questions.ask(b"%d" % n))
                await asyncio.sleep(0)
                peer.send(await loop.run_in_executor(None, peer.recv))
                answers.append(await asked)
            questions.close()
            return answers

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == [b"%d" % n for n in range(100)]
