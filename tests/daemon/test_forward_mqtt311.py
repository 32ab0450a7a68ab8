"""What is peculiar to MQTT 3.1.1: no reason codes, a library to be watched. The contract is in test_forward_mqtt."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from tests.peers import advance, run, until
from torhaus.daemon.forward.base import Context, Forwarder, Item, Unavailable
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.mqtt import Config, open_forwarder
from torhaus.daemon.forward.mqtt311 import Mqtt311Forwarder

CONNACK = b"\x20\x02\x00\x00"


class Fake:
    """A 3.1.1 broker that answers as told: `answer(n)` is what is written back for the n-th PUBLISH (None: close)."""

    def __init__(self, answer: Callable[[int, bytes], bytes | None], connack: bytes = CONNACK) -> None:
        self.port = 0
        self.came = 0
        self.gone = 0
        self._answer = answer
        self._connack = connack

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                first = (await reader.readexactly(1))[0]
                length = shift = 0
                while True:
                    byte = (await reader.readexactly(1))[0]
                    length |= (byte & 0x7F) << shift
                    shift += 7
                    if byte < 0x80:
                        break
                body = await reader.readexactly(length)
                if first == 0x10:
                    writer.write(self._connack)
                elif first & 0xF0 == 0x30:
                    topic = 2 + int.from_bytes(body[:2], "big")
                    self.came += 1
                    answer = self._answer(self.came, body[topic : topic + 2])
                    if answer is None:
                        break
                    writer.write(answer)
                elif first == 0xE0:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.gone += 1
            writer.close()


def good(_: int, packet_id: bytes) -> bytes:
    return b"\x40\x02" + packet_id


@asynccontextmanager
async def served(fake: Fake, **values: object) -> AsyncIterator[Forwarder]:
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    url = f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    wanted = {"name": "city", "url": url, "protocol": "3.1.1", "status_topic": "", **values}
    async with server:
        yield open_forwarder(msgspec.convert(wanted, Config), Context("rathaus", "0.1.0"))


def item(n: int) -> Item:
    at = "2026-11-23T09:53:25.400Z"
    return Item(Message(f"rathaus/3f2a91c0/{n}", "reading", "rathaus", at, "synced", late=False, device="flur"))


def test_every_item_by_its_own_puback() -> None:
    async def main() -> None:
        async with served(Fake(good)) as forwarder:
            assert isinstance(forwarder, Mqtt311Forwarder)
            await forwarder.open()
            outcome = await forwarder.send([item(n) for n in range(300)])
            assert sorted(outcome.accepted) == list(range(300))
            await forwarder.close()

    run(main())


def test_a_wrong_packet_id_settles_nothing() -> None:
    async def main() -> None:
        fake = Fake(lambda n, pid: good(n, pid) if n != 2 else good(n, b"\x7f\x7f"))
        async with served(fake) as forwarder:
            await forwarder.open()
            task = asyncio.create_task(forwarder.send([item(n) for n in range(3)]))
            await until(lambda: fake.came == 3)
            for _ in range(100):
                await asyncio.sleep(0)
            assert not task.done()
            advance(31)
            outcome = await task
            assert outcome.accepted == [0, 2]
            assert list(outcome.kept) == [1]
            await until(lambda: fake.gone == 1)

    run(main())


def test_never_acknowledged_is_unavailable_and_the_connection_dropped() -> None:
    async def main() -> None:
        fake = Fake(lambda _n, _pid: b"")
        async with served(fake) as forwarder:
            await forwarder.open()
            task = asyncio.create_task(forwarder.send([item(1)]))
            await until(lambda: fake.came == 1)
            advance(31)
            with pytest.raises(Unavailable, match="timed out"):
                await task
            await until(lambda: fake.gone == 1)
            with pytest.raises(Unavailable, match="not connected"):
                await forwarder.send([item(1)])

    run(main())


@pytest.mark.parametrize("at", [1, 2, 10])
def test_a_loss_is_noticed_at_once(at: int) -> None:
    async def main() -> None:
        fake = Fake(lambda n, pid: None if n == at else good(n, pid))
        async with served(fake) as forwarder:
            await forwarder.open()
            if at == 1:
                with pytest.raises(Unavailable):
                    await forwarder.send([item(n) for n in range(30)])
            else:
                outcome = await forwarder.send([item(n) for n in range(30)])
                assert outcome.accepted == list(range(at - 1))
                assert list(outcome.kept) == list(range(at - 1, at - 1 + 20)), (
                    "those in flight; the others were not sent"
                )
            await forwarder.open()
            assert len((await forwarder.send([item(n) for n in range(30)])).accepted) == 30
            await forwarder.close()

    run(main())


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (2, "set client_id"),
        (3, "server unavailable"),
        (4, "password_file"),
        (5, "not authorized.*password_file"),
    ],
)
def test_refused(code: int, says: str) -> None:
    async def main() -> None:
        fake = Fake(good, b"\x20\x02\x00" + bytes((code,)))
        async with served(fake) as forwarder:
            with pytest.raises(Unavailable, match=says):
                await forwarder.open()
            await until(lambda: fake.gone == 1)  # the socket does not stay open

    run(main())


@pytest.mark.parametrize("answer", [b"", b"\x20\x02\x00\x01", b"\xff\xff\xff\xff\xff"])
def test_a_broker_that_does_not_answer_the_connect(answer: bytes) -> None:
    async def main() -> None:
        fake = Fake(good, answer)  # 0x01: paho ends the connection over it without a word
        async with served(fake) as forwarder:
            task = asyncio.create_task(forwarder.open())
            while not task.done():
                advance(0.01)
                await asyncio.sleep(0)
            with pytest.raises(Unavailable):
                await task
            await until(lambda: fake.gone == 1)

    run(main())


def test_one_record_that_cannot_be_written() -> None:
    async def main() -> None:
        async with served(Fake(good)) as forwarder:
            await forwarder.open()
            batch = [item(n) for n in range(3)]
            batch[1].message.detail = "\ud800"
            batch[2].message.device = "x" * 70_000
            outcome = await forwarder.send(batch)
            assert outcome.accepted == [0]
            assert set(outcome.rejected) == {1, 2}
            await forwarder.close()

    run(main())


def test_a_cancelled_send_leaves_nothing_behind() -> None:
    async def main() -> None:
        fake = Fake(lambda _n, _pid: b"")
        async with served(fake) as forwarder:
            await forwarder.open()
            task = asyncio.create_task(forwarder.send([item(1)]))
            await until(lambda: fake.came == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await forwarder.close()

    run(main())
