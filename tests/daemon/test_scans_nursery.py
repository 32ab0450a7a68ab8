"""The process that forks the checkers, spoken to over its socket as nobody would."""

import errno
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pikepdf
import pytest

from tests.daemon.pictures import page, pdf_of, saved
from tests.daemon.scans_fakes import make_pdf
from torhaus.daemon.scans.checker import Limits, Verdict
from torhaus.daemon.scans.nursery import (
    ANSWER,
    EX_OSERR,
    MAX_ANSWER_BYTES,
    PICTURE_S,
    REQUEST,
    Nursery,
    limits_of,
)


@contextmanager
def nursery() -> Iterator[tuple[socket.socket, "subprocess.Popen[bytes]"]]:
    """One that runs, and our end of its socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-I", "-m", "torhaus.daemon.scans.nursery", msgspec.json.encode(Limits()).decode()]
    with ours, subprocess.Popen(command, stdin=theirs.fileno()) as process:
        theirs.close()
        ours.settimeout(60)
        yield ours, process
        ours.close()
        assert process.wait(60) == 0


def ask(sock: socket.socket, number: int, path: Path) -> None:
    """Have a document checked."""
    with path.open("rb") as document:
        socket.send_fds(sock, [REQUEST.pack(number, False, False, b"", 0, 0)], [document.fileno()])


def test_answers_bear_the_numbers_of_their_requests(tmp_path: Path) -> None:
    with nursery() as (sock, _):
        for n in range(1, 6):
            (tmp_path / str(n)).write_bytes(make_pdf(n))
            ask(sock, n << 40, tmp_path / str(n))
        seen = {}
        for _ in range(5):
            answer = sock.recv(MAX_ANSWER_BYTES)
            number, code = ANSWER.unpack_from(answer)
            assert code == 0
            seen[number >> 40] = msgspec.json.decode(answer[ANSWER.size :], type=Verdict).pages
    assert seen == {n: n for n in range(1, 6)}


@pytest.mark.parametrize(
    "request_", [b"", b"short", REQUEST.pack(1, False, False, b"", 0, 0), REQUEST.pack(1, False, False, b"", 0, 2)]
)
def test_nonsense_ends_it(request_: bytes) -> None:
    with nursery() as (sock, process):
        sock.send(request_)
        assert process.wait(60) == 0


def test_it_keeps_no_descriptors(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(make_pdf(1))
    with nursery() as (sock, process):
        counts = []
        for n in range(8):
            ask(sock, n, tmp_path / "one")
            sock.recv(MAX_ANSWER_BYTES)
            counts.append(len(list(Path(f"/proc/{process.pid}/fd").iterdir())))
    assert max(counts[1:]) == min(counts[1:])


def test_a_checker_that_cannot_be_watched_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> int:
        raise OSError(errno.ENFILE, "file table overflow")

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    (tmp_path / "one").write_bytes(b"x")
    with ours, theirs, subprocess.Popen(["sleep", "600"]) as checker:
        monkeypatch.setattr("torhaus.daemon.scans.nursery.os.fork", lambda: checker.pid)
        monkeypatch.setattr("torhaus.daemon.scans.nursery.os.pidfd_open", refuse)
        made = Nursery(theirs, Limits(), lambda _limits, _codes: 0)
        before = sorted(Path("/proc/self/fd").iterdir())
        ask(ours, 7, tmp_path / "one")
        assert made._take()
        assert ANSWER.unpack(ours.recv(MAX_ANSWER_BYTES)) == (7, EX_OSERR)
        assert sorted(Path("/proc/self/fd").iterdir()) == before
        assert not Path(f"/proc/{checker.pid}").exists()
        checker.returncode = -9  # it was waited for


def test_what_may_be_used_for_a_request() -> None:
    limits = Limits(cpu_s=60, wall_s=120.0)
    assert limits_of(limits, range(0), codes=False) == limits_of(limits, range(2, 5), codes=False) == limits
    searched, drawn = limits_of(limits, range(0), codes=True), limits_of(limits, range(1), codes=True)
    assert (searched.cpu_s, searched.wall_s) == (600, 1200.0)
    assert (drawn.cpu_s, drawn.wall_s, drawn.memory_bytes) == (PICTURE_S, 2.0 * PICTURE_S, limits.memory_bytes)
    assert limits_of(Limits(cpu_s=5, wall_s=9.0), range(1), codes=True).wall_s == 9.0


def test_a_checker_loads_nothing_anew(tmp_path: Path) -> None:
    documents = [pdf_of(saved(page(), "JPEG"), Filter=pikepdf.Name.DCTDecode)]
    documents += [saved(page().convert(mode), kind) for mode, kind in (("L", "JPEG"), ("L", "PNG"), ("1", "TIFF"))]
    for number, data in enumerate(documents):
        (tmp_path / str(number)).write_bytes(data)
    script = (
        "import sys\nfrom torhaus.daemon.scans import nursery, checker\n"
        "nursery._load(nursery._PARSERS)\nbefore = set(sys.modules)\n"
        "for path in sys.argv[1:]:\n    assert checker.examine(open(path, 'rb'), checker.Limits()).reason is None\n"
        "print(sorted(set(sys.modules) - before))"
    )
    paths = [str(tmp_path / str(number)) for number in range(len(documents))]
    done = subprocess.run([sys.executable, "-I", "-c", script, *paths], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
