import socket

import pytest

from torhaus.drivers import batch_send
from torhaus.drivers.batch_send import MAX_ADDRESSES, MAX_BATCH, MAX_BYTES, BatchSender


def udp(family: socket.AddressFamily, host: str) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    sock.settimeout(5)
    return sock


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_each_datagram_arrives_where_it_was_meant_for(family: socket.AddressFamily, host: str) -> None:
    try:
        sender, one, two = (udp(family, host) for _ in range(3))
    except OSError:
        pytest.skip("no IPv6 here")
    with sender, one, two:
        items = [(bytes((n,)) * (n % 9 + 1), (one, two)[n % 2].getsockname()) for n in range(MAX_BATCH)]
        batch = BatchSender(sender)
        assert batch.send(items) == MAX_BATCH
        assert batch.send(items[:3]) == 3
        assert batch.send([]) == 0
        for receiver, parity in ((one, 0), (two, 1)):
            expected = [data for n, (data, _) in enumerate([*items, *items[:3]]) if n % MAX_BATCH % 2 == parity]
            assert [receiver.recv(100) for _ in expected] == expected


def test_more_than_a_batch_is_left_to_the_caller() -> None:
    with udp(socket.AF_INET, "127.0.0.1") as sender, udp(socket.AF_INET, "127.0.0.1") as receiver:
        batch, there = BatchSender(sender), receiver.getsockname()
        assert batch.send([(b"x", there)] * (MAX_BATCH + 5)) == MAX_BATCH
        assert batch.send([(b"x", there), (bytes(MAX_BYTES + 1), there), (b"x", there)]) == 1
        assert batch.send([(b"x", ("no address", 5)), (b"x", there)]) == 0
        assert batch.send([(b"x", ("127.0.0.1", 1 << 16))]) == 0


def test_where_there_is_no_such_call_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_send, "_sendmmsg", None)
    with udp(socket.AF_INET, "127.0.0.1") as sender:
        assert BatchSender(sender).send([(b"x", sender.getsockname())]) == 0


def test_a_closed_socket_sends_nothing() -> None:
    sender = udp(socket.AF_INET, "127.0.0.1")
    batch, there = BatchSender(sender), sender.getsockname()
    sender.close()
    assert batch.send([(b"x", there)]) == 0


def test_addresses_are_bounded() -> None:
    with udp(socket.AF_INET, "127.0.0.1") as sender:
        batch = BatchSender(sender)
        for port in range(1, 2 * MAX_ADDRESSES):
            batch._name(("127.0.0.1", port))
        assert len(batch._names) <= MAX_ADDRESSES
