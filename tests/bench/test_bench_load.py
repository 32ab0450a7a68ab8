"""Prepared datagrams and batched sending: what arrives is what was prepared, and answers come back."""

import mmap
import socket
from itertools import pairwise
from pathlib import Path

import pytest

from bench import frames
from bench.batches import MOST, Receiver, Sender
from bench.frames import Traffic, offsets
from bench.load import quantile
from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.lorawan.phy import DataFrame, parse


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "FOLDER", tmp_path / "frames")


def test_uplink_n_is_device_n_modulo_devices() -> None:
    traffic = Traffic(count=7, devices=3, gateways=2, per_datagram=2, first=6)
    data = traffic.file().read_bytes()
    starts = offsets(memoryview(data))
    seen = []
    for number, (start, end) in enumerate(pairwise(starts)):
        datagram = data[start : end - 2]
        header = gwmp.parse_header(datagram)
        assert int.from_bytes(datagram[1:3], "big") == number
        assert header.gateway.endswith(str(number % 2))
        for phy, _ in gwmp.parse_push(datagram, header.gateway).frames:
            frame = parse(phy)
            assert isinstance(frame, DataFrame)
            seen.append((frame.dev_addr & 0xFF, frame.fcnt16))
    assert seen == [(n % 3, n // 3) for n in range(6, 13)]


def test_a_file_is_made_once() -> None:
    path = Traffic(count=2, devices=1).file()
    path.write_bytes(b"kept")
    assert Traffic(count=2, devices=1).file().read_bytes() == b"kept"


def test_batches_arrive_whole_and_answers_come_back() -> None:
    data = Traffic(count=MOST + 3, devices=5).file().read_bytes()
    starts = offsets(memoryview(data))
    mapped = mmap.mmap(-1, len(data))
    mapped[:] = data
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
    ):
        far.bind(("127.0.0.1", 0))
        far.settimeout(10)
        near.connect(far.getsockname())
        sender, receiver = Sender(near, mapped, starts), Receiver(near)
        assert list(receiver.receive()) == []
        sent = sender.send(0, MOST + 3)
        assert sent == MOST
        sent += sender.send(sent, 3)
        for number in range(sent):
            datagram, where = far.recvfrom(65_535)
            assert datagram == data[starts[number] : starts[number + 1] - 2]
            far.sendto(datagram[:3] + b"\x01", where)
        near.settimeout(10)
        answers: list[bytes] = []
        while len(answers) < sent:
            answers += receiver.receive()
        assert [int.from_bytes(a[1:3], "big") for a in answers] == list(range(sent))
        assert {(len(a), a[3]) for a in answers} == {(4, 1)}


def test_quantiles() -> None:
    values = [float(n) for n in range(100)]
    assert quantile(values, 0.5) == 50
    assert quantile(values, 0.99) == 99
    assert quantile([7.0], 0.99) == 7
    assert quantile([], 0.5) == 0
