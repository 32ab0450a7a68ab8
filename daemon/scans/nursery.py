"""The process that has the parsers loaded, and forks a checker for each document: `python -m …scans.nursery LIMITS`.

To load them takes a hundred times as long as to check a page of post. Every document still gets a process of its own,
which dies with it: nothing of one document is there when the next is looked at.

On descriptor 0 is a socket (AF_UNIX, SOCK_SEQPACKET). A request is a number of eight bytes, whether cover sheets are to
be found (0 or 1), whether the document is sealed (0 or 1) and its key, a first page and how many, with its open
descriptor beside them; an answer is the number, how the checker ended (`os.waitstatus_to_exitcode`, or TIMED_OUT), and
what it wrote. Where it says how many pages, these are wanted as a document of their own, or the first of them as a
picture where codes are wanted, too: that is written to a second descriptor, a pipe.
"""

import contextlib
import importlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from struct import Struct
from typing import Final, NoReturn

import msgspec

from torhaus.daemon.scans.checker import (
    CODES_TIME,
    EX_UNAVAILABLE,
    MAX_VERDICT_BYTES,
    Limits,
    bound,
    die_with_parent,
    examine,
)
from torhaus.daemon.scans.sealed import opened

EX_OSERR: Final = 71
TIMED_OUT: Final = 256
REQUEST: Final = Struct("<Q??32sII")
ANSWER: Final = Struct("<Qi")
MAX_ANSWER_BYTES: Final = ANSWER.size + MAX_VERDICT_BYTES
_PARSERS: Final = (
    "pikepdf", "PIL.Image", "PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.JpegImagePlugin", "PIL.MpoImagePlugin",
    "PIL.PngImagePlugin", "PIL.PpmImagePlugin", "PIL.TiffImagePlugin",
    "torhaus.daemon.scans.pictures.pdf", "torhaus.daemon.scans.pictures.strips",
)  # fmt: skip
"""All that a check loads, also what Pillow loads before it opens any picture: each checker would load it anew."""
_READERS: Final = ("torhaus.daemon.scans.sheets.codes",)
"""What finds codes on pages: loaded when the first document is to be searched for some."""

PICTURE_S: Final = 20
"""CPU seconds to draw a page. A scanned one takes a tenth of one."""

Work = Callable[[Limits, bool], int]


class _Checker(msgspec.Struct):
    """One document's process. `out`: the end of the pipe that it writes to."""

    number: int
    pid: int
    out: int
    deadline_s: float
    timed_out: bool = False


class Nursery:
    """Serves one socket until it is closed; then all checkers are ended."""

    def __init__(self, sock: socket.socket, limits: Limits, work: Work, readers: tuple[str, ...] = ()) -> None:
        self._readers = readers
        self._sock = sock
        self._limits = limits
        self._work = work
        self._checkers: dict[int, _Checker] = {}  # by the descriptor that tells of their end
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def serve(self) -> None:
        """Until the daemon's end of the socket is closed."""
        try:
            while True:
                for fd, _ in self._poll.poll(self._patience_ms()):
                    if fd != self._sock.fileno():
                        self._finish(fd)
                    elif not self._take():
                        return
                self._end_late_ones()
        finally:
            for checker in self._checkers.values():
                os.kill(checker.pid, signal.SIGKILL)

    def _patience_ms(self) -> int | None:
        """Until the next one is late; those that were ended need no more than their last moment."""
        first = min((c.deadline_s for c in self._checkers.values() if not c.timed_out), default=None)
        return None if first is None else max(0, int((first - time.monotonic()) * 1000) + 1)

    def _take(self) -> bool:
        """One request; False at the end."""
        request, fds, _, _ = socket.recv_fds(self._sock, REQUEST.size, 2)
        if len(request) != REQUEST.size:
            return False
        number, codes, is_sealed, key, first, count = REQUEST.unpack(request)
        if len(fds) != (2 if count else 1):
            return False
        if codes and self._readers:
            _load(self._readers)
            self._readers = ()
        try:
            self._start(number, fds, key if is_sealed else None, range(first, first + count), codes=codes)
        except OSError:
            self._answer(number, EX_OSERR)
        finally:
            for fd in fds:
                os.close(fd)
        return True

    def _start(self, number: int, fds: list[int], key: bytes | None, pages: range, *, codes: bool) -> None:
        limits = limits_of(self._limits, pages, codes=codes)
        out, into = os.pipe()
        ours = os.getpid()
        try:
            pid = os.fork()
            if not pid:
                self._become_checker(fds, key, into, ours, limits, pages, codes)
        except OSError:
            os.close(out)
            raise
        finally:
            os.close(into)
        try:
            os.set_blocking(out, False)
            ended = os.pidfd_open(pid)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(out)
            raise
        self._checkers[ended] = _Checker(number, pid, out, time.monotonic() + limits.wall_s)
        self._poll.register(ended, select.POLLIN)

    def _become_checker(
        self, fds: list[int], key: bytes | None, into: int, parent: int, limits: Limits, pages: range, codes: bool
    ) -> NoReturn:
        """In the new process: only the document and the pipes are left, then the work is done. Does not come back."""
        code = EX_OSERR
        try:
            die_with_parent()
            if os.getppid() != parent:  # it was quicker
                os._exit(code)
            highest = max(*fds, into, *self._checkers, self._sock.fileno(), 64) + 64
            os.dup2(fds[0], 0)
            os.dup2(into, 1)
            if pages:
                os.dup2(fds[1], 3)
                os.closerange(2, 3)
                os.closerange(4, highest)
                code = hand_out(limits, pages, key, drawn=codes)
            else:
                os.closerange(2, highest)
                code = self._work(limits, codes) if key is None else check(limits, codes, key)
        except BaseException:  # noqa: BLE001 - whatever it is: the code says that the check crashed
            code = 1
        finally:
            os._exit(code)

    def _finish(self, ended: int) -> None:
        checker = self._checkers.pop(ended)
        self._poll.unregister(ended)
        os.close(ended)
        _, status = os.waitpid(checker.pid, 0)
        try:
            verdict = os.read(checker.out, MAX_VERDICT_BYTES)
        except BlockingIOError:
            verdict = b""
        finally:
            os.close(checker.out)
        self._answer(checker.number, TIMED_OUT if checker.timed_out else os.waitstatus_to_exitcode(status), verdict)

    def _answer(self, number: int, code: int, verdict: bytes = b"") -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # nobody is left to be told: serve() ends
            self._sock.send(ANSWER.pack(number, code) + verdict)

    def _end_late_ones(self) -> None:
        now = time.monotonic()
        for checker in self._checkers.values():
            if now >= checker.deadline_s and not checker.timed_out:
                checker.timed_out = True
                os.kill(checker.pid, signal.SIGKILL)


def limits_of(limits: Limits, pages: range, *, codes: bool) -> Limits:
    """What may be used for a request: much to search all pages of a document, little to draw one for who waits."""
    if codes and pages:
        return msgspec.structs.replace(
            limits, cpu_s=min(limits.cpu_s, PICTURE_S), wall_s=min(limits.wall_s, 2.0 * PICTURE_S)
        )
    if codes:
        return msgspec.structs.replace(limits, cpu_s=limits.cpu_s * CODES_TIME, wall_s=limits.wall_s * CODES_TIME)
    return limits


def _load(names: tuple[str, ...]) -> None:
    for name in names:
        with contextlib.suppress(ImportError):  # who needs a missing one says so
            importlib.import_module(name)


def check(limits: Limits, codes: bool, key: bytes | None = None) -> int:
    """What a checker does: descriptor 0 is the document, the verdict goes to descriptor 1. Its exit code."""
    bound(limits)
    with open(0, "rb", closefd=False) if key is None else opened(0, key) as document:
        try:
            verdict = examine(document, limits, codes=codes)
        except ImportError:
            return EX_UNAVAILABLE
    os.write(1, msgspec.json.encode(verdict))
    return 0


def hand_out(limits: Limits, pages: range, key: bytes | None = None, *, drawn: bool = False) -> int:
    """As `check`, for pages that become a document of their own, or a picture. It goes to descriptor 3."""
    bound(limits)
    with open(0, "rb", closefd=False) if key is None else opened(0, key) as document:
        try:
            if drawn:
                from torhaus.daemon.scans.sheets.picture import draw as make
            else:
                from torhaus.daemon.scans.sheets.cut import take as make
            verdict, made = make(document, pages, limits)
        except ImportError:
            return EX_UNAVAILABLE
    with open(3, "wb", buffering=0) as out:
        rest = memoryview(made)
        while rest:
            rest = rest[out.write(rest) :]
    os.write(1, msgspec.json.encode(verdict))
    return 0


def main(arguments: list[str], work: Work = check) -> int:
    """Load what there is of parsers, serve descriptor 0."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the daemon, which closes the socket
    limits = msgspec.json.decode(arguments[0], type=Limits)
    is_real = work is check
    _load(_PARSERS if is_real else ())
    Nursery(socket.socket(fileno=0), limits, work, _READERS if is_real else ()).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
