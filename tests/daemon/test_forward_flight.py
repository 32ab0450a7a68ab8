import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.peers import run
from torhaus.daemon.forward.flight import PENDING, UNSENDABLE, Batch, Flight, ProtocolError
from torhaus.daemon.mqtt import wire
from torhaus.daemon.mqtt.wire import PubAck


def render(index: int, packet_id: int) -> bytes:
    return wire.encode_publish(f"t/{index}", b"x", packet_id)


def batch(count: int, *, alone: bool = False) -> Batch:
    return Batch(count, render, asyncio.get_running_loop().create_future(), alone=alone)


def ids(data: bytes) -> list[int]:
    found = []
    for packet in wire.Decoder(1 << 26).feed(data):
        assert isinstance(packet, wire.PublishPacket)
        assert packet.packet_id is not None
        found.append(packet.packet_id)
    return found


def test_window_and_order() -> None:
    async def main() -> None:
        flight = Flight(65_533)
        one, two = batch(3), batch(2)
        flight.waiting.extend([one, two])
        assert flight.take(0.0) == b""  # no CONNACK yet
        flight.window = 4
        assert ids(flight.take(1.0)) == [65_534, 65_535, 1, 2]
        assert not flight.due()
        flight.settle(PubAck(1, 0x10, "nobody"))
        flight.settle(PubAck(1))  # a second one settles nothing
        flight.settle(PubAck(777))
        assert one.receipts.codes == [PENDING, PENDING, 0x10]
        assert one.receipts.texts == {2: "nobody"}
        assert flight.due()
        assert ids(flight.take(2.0)) == [3]
        assert flight.oldest() == 1.0
        for packet_id in (65_534, 65_535, 2, 3):
            flight.settle(PubAck(packet_id))
        assert one.done.done()
        assert two.receipts.codes == [0, 0]
        assert flight.oldest() is None

    run(main())


def test_many_that_were_taken_are_settled_at_once() -> None:
    async def main() -> None:
        flight = Flight(0)
        flight.window = 10
        one, two = batch(2), batch(2)
        flight.waiting.extend([one, two])
        assert ids(flight.take(0.0)) == [1, 2, 3, 4]
        flight.settle_taken((2, 3, 3, 999))  # one that nobody waits for settles nothing
        assert (one.receipts.codes, two.receipts.codes) == ([PENDING, 0], [0, PENDING])
        assert not one.done.done()
        flight.settle_taken((1,))
        assert one.done.done()
        assert not two.done.done()
        flight.settle(PubAck(4, 0x10))
        assert two.receipts.codes == [0, 0x10]
        assert flight.oldest() is None

    run(main())


def test_ids_in_flight_are_passed_over() -> None:
    async def main() -> None:
        flight = Flight(0)
        flight.window = 3
        flight.waiting.append(batch(3))
        assert ids(flight.take(0.0)) == [1, 2, 3]
        flight.settle(PubAck(2))
        flight.last_id = 65_535
        flight.waiting.append(batch(1))
        assert ids(flight.take(0.0)) == [2]

    run(main())


def test_alone_has_the_connection_for_itself() -> None:
    async def main() -> None:
        flight = Flight(0)
        flight.window = 10
        flight.waiting.extend([batch(1), batch(2, alone=True), batch(2)])
        for expected in ([1], [2], [3], [4, 5]):
            assert ids(flight.take(0.0)) == expected
            assert flight.take(0.0) == b""
            for packet_id in expected:
                flight.settle(PubAck(packet_id))

    run(main())


def test_one_that_cannot_be_sent_does_not_stop_the_others() -> None:
    def picky(index: int, packet_id: int) -> bytes:
        if index == 0:
            raise ProtocolError("no")
        return wire.encode_publish("t", b"x" * (1000 if index == 1 else 1), packet_id)

    async def main() -> None:
        flight = Flight(0)
        flight.window = 10
        flight.max_packet_bytes = 100
        mine = Batch(3, picky, asyncio.get_running_loop().create_future())
        flight.waiting.append(mine)
        (sent,) = ids(flight.take(0.0))
        flight.settle(PubAck(sent))
        assert mine.receipts.codes == [UNSENDABLE, UNSENDABLE, 0]
        assert mine.receipts.texts[0] == "no"
        assert "at most 100" in mine.receipts.texts[1]
        assert mine.done.done()

    run(main())


def test_large_batches_leave_in_pieces() -> None:
    def large(index: int, packet_id: int) -> bytes:
        return wire.encode_publish("t", bytes(200_000), packet_id)

    async def main() -> None:
        flight = Flight(0)
        flight.window = 100
        flight.waiting.append(Batch(5, large, asyncio.get_running_loop().create_future()))
        sizes = [len(ids(flight.take(0.0))) for _ in range(4)]
        assert sizes == [2, 2, 1, 0]

    run(main())


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=5),
    st.integers(1, 12),
    st.integers(0, 65_535),
    st.data(),
)
def test_nothing_is_lost_or_settled_twice(
    batches: list[tuple[int, bool]], window: int, last_id: int, data: st.DataObject
) -> None:
    async def main() -> None:
        flight = Flight(last_id)
        flight.window = window
        mine = [batch(count, alone=alone) for count, alone in batches]
        flight.waiting.extend(mine)
        in_flight: list[int] = []
        acked = 0
        for _ in range(data.draw(st.integers(0, 60))):
            new = ids(flight.take(0.0))
            assert not set(new) & set(in_flight)
            in_flight += new
            assert len(in_flight) <= window
            answered = data.draw(st.integers(0, 1))
            if in_flight and answered:
                flight.settle(PubAck(in_flight.pop(data.draw(st.integers(0, len(in_flight) - 1)))))
                acked += 1
            stray = data.draw(st.integers(1, 65_535))
            if stray not in in_flight:
                flight.settle(PubAck(stray))
        flight.give_up("gone", 0x8B)
        codes = [code for each in mine for code in each.receipts.codes]
        assert codes.count(0) == acked
        assert codes.count(PENDING) == len(codes) - acked
        assert sum(len(each.receipts.in_flight) for each in mine) == len(in_flight)
        for each in mine:
            assert each.done.done()
            assert (each.receipts.lost == "gone") == (PENDING in each.receipts.codes)

    run(main())
