"""The script process itself: how it is confined, and when it ends."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from torhaus.codecs.model import RejectReason, Value
from torhaus.daemon.scripts.child import COMMAND, ENVIRONMENT, own_sources
from torhaus.daemon.scripts.protocol import (
    Answers,
    Batch,
    Decoded,
    Failed,
    FrameReader,
    Job,
    Limits,
    Ready,
    Refused,
    Reply,
    Setup,
    Source,
    decode_reply,
    encode,
)
from torhaus.daemon.scripts.worker import NICE, NICE_MORE

WAIT_S = 60.0
"""How long a test waits for what must happen at once."""


class Peer:
    """The daemon's end of the socket, blocking."""

    def __init__(self, ours: socket.socket) -> None:
        self.socket = ours
        self.socket.settimeout(WAIT_S)
        self._reader = FrameReader()
        self._bodies: list[bytes] = []

    def send(self, *messages: Setup | Source | Batch) -> None:
        self.socket.sendall(b"".join(map(encode, messages)))

    def receive(self) -> Reply | None:
        """The next reply; None at the end of the stream."""
        while not self._bodies:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:  # it ended with something of ours unread
                return None
            if not data:
                return None
            self._bodies += self._reader.feed(data)
        return decode_reply(self._bodies.pop(0))


@contextmanager
def worker() -> Iterator[tuple[Peer, "subprocess.Popen[bytes]"]]:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(COMMAND, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env=ENVIRONMENT, cwd="/")
    theirs.close()
    try:
        yield Peer(ours), process
    finally:
        ours.close()
        process.kill()
        process.wait()


SETUP = Setup(Limits(call_s=0.2), own_sources())
SUM = Source("sum", "function Decoder(bytes) { return { sum: bytes.reduce((a, b) => a + b, 0) }; }")


def test_works_and_ends_with_the_connection() -> None:
    with worker() as (peer, process):
        peer.send(SETUP)
        assert peer.receive() == Ready()
        peer.send(SUM, Batch([Job("s.js", "sum", b"\x01\x02"), Job("t.js", "none", b"")]))
        assert peer.receive() == Answers(
            [Decoded({"sum": Value(3)}), Refused(RejectReason.SCRIPT_ERROR, "t.js: the script was withdrawn")]
        )
        peer.socket.close()
        assert process.wait(WAIT_S) == 0


def test_is_confined() -> None:
    with worker() as (peer, process):
        peer.send(SETUP)
        assert peer.receive() == Ready()
        proc = Path(f"/proc/{process.pid}")
        limits = {line[:26].strip(): line[26:].split()[:2] for line in (proc / "limits").read_text().splitlines()}
        assert limits["Max core file size"] == ["0", "0"]
        assert limits["Max file size"] == ["0", "0"]
        assert limits["Max processes"] == ["0", "0"]
        assert limits["Max open files"] == ["3", "3"]
        assert limits["Max address space"] == [str(512 << 20)] * 2
        assert "NoNewPrivs:\t1" in (proc / "status").read_text()
        assert sorted(path.name for path in (proc / "fd").iterdir()) == ["0", "1", "2"]
        environment = (proc / "environ").read_bytes().rstrip(b"\0").split(b"\0")
        assert environment == [f"{name}={value}".encode() for name, value in ENVIRONMENT.items()]
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == os.getpriority(os.PRIO_PROCESS, 0) + NICE + NICE_MORE
        peer.send(SUM, Batch([Job("s.js", "sum", b"")]))
        assert peer.receive() == Answers([Decoded({"sum": Value(0)})])
        cpu = next(line for line in (proc / "limits").read_text().splitlines() if line.startswith("Max cpu time"))
        assert 0 < int(cpu.split()[3]) < 60


def test_hasty_process_puts_off_what_stands_behind_a_broken_limit() -> None:
    """Those of the same script only, and only in the same batch."""
    turns = Source("turns", "function Decoder(bytes) { while (bytes[0] === 9); return { a: 1 }; }")
    jobs = [Job("t.js", "turns", bytes([n]), dev_eui=eui) for n, eui in ((1, "a"), (9, "a"), (1, "a"), (1, "b"))]
    with worker() as (peer, process):
        peer.send(Setup(Limits(call_s=0.05, hasty=True), own_sources()), turns, SUM)
        assert peer.receive() == Ready()
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == os.getpriority(os.PRIO_PROCESS, 0) + NICE
        peer.send(Batch([*jobs, Job("s.js", "sum", b"\x02")]))
        items: list[object] = []
        while len(items) < 5:
            reply = peer.receive()
            assert isinstance(reply, Answers)
            items += reply.items
        kinds = [item.reason if isinstance(item, Refused) else "result" for item in items]
        assert kinds == ["result", RejectReason.SCRIPT_TIME, *[RejectReason.SCRIPT_ASIDE] * 2, "result"]
        peer.send(Batch(jobs[3:]))
        assert peer.receive() == Answers([Decoded({"a": Value(1)})])


def test_names_beyond_ascii_need_no_file() -> None:
    """What Python would load when first used must be there before the process is confined."""
    with worker() as (peer, _):
        source = Source(
            "g", "function Decoder() { return { 'Außen-Température µ 日': new Date(0), 'Größe': '\\u20ac' }; }"
        )
        peer.send(SETUP, source, Batch([Job("g.js", "g", b"")]))
        assert peer.receive() == Ready()
        assert peer.receive() == Answers(
            [Decoded({"aussen_temperature_u": Value("1970-01-01T00:00:00.000Z"), "groesse": Value("\u20ac")})]
        )


def test_signals_of_the_group_are_the_daemons() -> None:
    with worker() as (peer, process):
        peer.send(SETUP)
        assert peer.receive() == Ready()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process.send_signal(number)
        peer.send(SUM, Batch([Job("s.js", "sum", b"\x01")]))
        assert peer.receive() == Answers([Decoded({"sum": Value(1)})])


def test_whole_process_is_bounded_in_memory() -> None:
    """A bound of the process that is narrower than the scripts': one refusal, or an end with last words; never more."""
    with worker() as (peer, _):
        hoard = Source(
            "hoard", "function Decoder() { const a = []; while (true) a.push(new Uint8Array(1 << 20).fill(1)); }"
        )
        peer.send(Setup(Limits(memory_bytes=1 << 40, address_bytes=200 << 20), own_sources()), hoard)
        assert peer.receive() == Ready()
        peer.send(Batch([Job("h.js", "hoard", b"")]))
        reply = peer.receive()
        if isinstance(reply, Answers):
            (answer,) = reply.items
            assert isinstance(answer, Refused)
            assert answer.reason is RejectReason.SCRIPT_MEMORY
        else:
            assert reply is None or isinstance(reply, Failed)


@pytest.mark.parametrize(
    "words",
    [encode(SUM), b"\xff\xff\xff\xff", b"\0\0\0\1\xc1", encode(SETUP)[:4] + b"\0" * (len(encode(SETUP)) - 4)],
    ids=["no set-up", "length", "junk", "zeros"],
)
def test_last_words(words: bytes) -> None:
    with worker() as (peer, process):
        peer.socket.sendall(words)
        assert isinstance(peer.receive(), Failed)
        assert peer.receive() is None
        assert process.wait(WAIT_S) == 1


def test_ends_in_the_middle_of_a_word() -> None:
    with worker() as (peer, process):
        peer.socket.sendall(encode(SETUP)[:100])
        peer.socket.close()
        assert process.wait(WAIT_S) == 0


def test_ends_with_its_parent() -> None:
    """Even while the connection is held open by somebody else."""
    ours, theirs = socket.socketpair()
    between = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen({COMMAND!r}, stdin={theirs.fileno()}, stdout=-3, env={ENVIRONMENT!r})\n"
        "time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", between], pass_fds=[theirs.fileno()])
    peer = Peer(ours)
    try:
        peer.send(SETUP)
        assert peer.receive() == Ready()
        theirs.close()
        parent.kill()
        parent.wait()
        assert peer.receive() is None
    finally:
        parent.kill()
        parent.wait()
        theirs.close()
        ours.close()


def test_needs_no_loop() -> None:
    """The process does not load asyncio: it would cost memory and time at start."""
    program = "import sys; import torhaus.daemon.scripts.worker; sys.exit('asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert asyncio
