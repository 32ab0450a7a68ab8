"""What holds for any protocol; the rest is in the tests of the sessions of MQTT and NATS."""

import asyncio

import pytest

from tests.peers import run
from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.forward.connection import Connection, SessionLost, establish, until_lost
from torhaus.daemon.forward.flight import PENDING, Flight


class Deaf(Connection[str]):
    """Nothing that comes is understood."""

    def _ping(self) -> bytes:
        return b"?"


async def made() -> Deaf:
    return Deaf(Flight(0), 5.0, asyncio.get_running_loop())


def test_an_error_on_the_way_gives_it_up_and_says_where() -> None:
    async def main() -> None:
        async def fails(error: BaseException) -> None:
            raise error

        for error, says in (
            (OSError("no route"), "cannot connect to here: no route"),
            (TimeoutError(), "no connection within 5 s"),
            (SessionLost("refused"), "refused"),
        ):
            connection = await made()
            with pytest.raises(SessionLost, match=says):
                await establish(connection, fails(error), 5.0, "here")
            assert connection.lost is not None
            receipts = await connection.publish(2, lambda *_: b"")
            assert (receipts.codes, receipts.lost) == ([PENDING] * 2, "abandoned")
            await connection.close()

    run(main())


def test_until_lost() -> None:
    async def main() -> None:
        with pytest.raises(Unavailable, match="connection lost"):
            await until_lost(None)
        connection = await made()
        task = asyncio.create_task(until_lost(connection))
        await asyncio.sleep(0)
        connection.eof_received()
        connection.connection_lost(OSError("reset"))
        with pytest.raises(Unavailable, match="server closed the connection"):
            await task

    run(main())


def test_the_beginning_is_told_that_there_is_none() -> None:
    async def main() -> None:
        connection = await made()
        connection.connection_lost(None)
        with pytest.raises(SessionLost, match="connection lost"):
            await connection._greeting
        assert connection.last_id == 0

    run(main())
