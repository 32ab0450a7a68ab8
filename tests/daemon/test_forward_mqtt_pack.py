"""Late records in few messages, and what is urgent before what is not: MQTT 5 and 3.1.1 over one broker's window."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.daemon.mqtt_fakes import VERSIONS, item, listening, opened, quiet, take
from tests.peers import mosquitto, run, until
from torhaus.daemon.demo.broker import Broker, Manners
from torhaus.daemon.mqtt.wire import PublishPacket


def ids(body: object) -> list[int]:
    assert isinstance(body, bytes)
    found = msgspec.json.decode(body)
    return [int(one["id"].rpartition("/")[2]) for one in (found if isinstance(found, list) else [found])]


@pytest.mark.parametrize("protocol", VERSIONS)
def test_late_records_are_packed_and_settled_together(protocol: str, tmp_path: Path) -> None:
    async def main(port: int) -> None:
        plain = {"protocol": protocol, "status_topic": "", "backlog_pack": 10}
        async with listening(port) as client, opened(port, **plain) as forwarder:
            outcome = await forwarder.send([item(n, late=True) for n in range(25)])
            assert sorted(outcome.accepted) == list(range(25))
            came = await take(client, 3)
            assert [ids(m.payload) for m in came] == [[*range(10)], [*range(10, 20)], [*range(20, 25)]]
            assert {str(m.topic) for m in came} == {"torhaus/rathaus/backlog"}
            assert sorted((await forwarder.send([item(n) for n in range(3)])).accepted) == [0, 1, 2]
            assert [ids(m.payload) for m in await take(client, 3)] == [[0], [1], [2]]

    with mosquitto(tmp_path) as port:
        run(main(port))


def test_a_parcel_that_is_refused_is_sent_again_one_by_one() -> None:
    def refuse(packet: PublishPacket, _: int) -> int:
        return 0x99 if 3 in ids(packet.payload) else 0

    async def main() -> None:
        async with Broker(manners=Manners(code_for=refuse)) as broker:
            forwarder = quiet(broker, backlog_pack=5)
            await forwarder.open()
            batch = [item(n, late=True) for n in range(10)]
            outcome = await forwarder.send(batch)
            assert outcome.accepted == [5, 6, 7, 8, 9]
            assert not outcome.rejected
            assert not outcome.kept, "none of them is held responsible"
            outcome = await forwarder.send(batch[:5])
            assert (outcome.accepted, list(outcome.rejected)) == ([0, 1, 2, 4], [3])
            outcome = await forwarder.send(batch[:3])
            assert outcome.accepted == [0, 1, 2]
            assert ids(broker.messages[-1].payload) == [0, 1, 2], "packed again, once it is known who it was"
            await forwarder.close()

    run(main())


def test_what_is_urgent_overtakes_in_the_window() -> None:
    async def main() -> None:
        async with Broker(receive_max=4, manners=Manners(hold_acks=True)) as broker:
            forwarder = quiet(broker)
            await forwarder.open()
            alarm = item(99)
            alarm.message.alarm = True
            late = asyncio.create_task(forwarder.send([item(n, late=True) for n in range(10)]))
            await until(lambda: len(broker.messages) == 4)
            live = asyncio.create_task(forwarder.send([item(50)]))
            urgent = asyncio.create_task(forwarder.send([alarm]))
            for _ in range(10):
                await asyncio.sleep(0)
            broker.manners.hold_acks = False
            broker.release()
            await asyncio.gather(late, live, urgent)
            assert [ids(m.payload)[0] for m in broker.messages] == [0, 1, 2, 3, 99, 50, 4, 5, 6, 7, 8, 9]
            await forwarder.close()

    run(main())
