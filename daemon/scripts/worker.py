"""The script process: takes jobs from the socket at its standard input, runs them one after the other, and answers.

Started by child.py as `python -I -m torhaus.daemon.scripts.worker`. It opens no files and no sockets: what it needs is
sent to it, and once it is confined (see confine) it could not. It ends when the socket does, or with its parent.
"""

import ctypes
import math
import os
import resource
import signal
import socket
import sys
import time
from typing import Final

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.scripts.engine import Engine
from torhaus.daemon.scripts.protocol import (
    Answers,
    Batch,
    Decoded,
    Encoded,
    Failed,
    Forget,
    FrameReader,
    Job,
    Limits,
    ProtocolError,
    Ready,
    Refused,
    Setup,
    Source,
    decode_request,
    encode,
)

NICE: Final = 5
NICE_MORE: Final = 5
"""Of the process of suspects, so that the other goes first where there is one core for both."""
FLUSH_S: Final = 0.05
"""Answers are sent at the latest when the next one is done after this time: the daemon sees that work goes on."""

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_PR_SET_NO_NEW_PRIVS: Final = 38
_RECEIVED: Final = 1 << 16


def tie_to_parent() -> None:
    """Die with the parent, leave signals meant for the whole group to it, and give way to other processes."""
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((_PR_SET_PDEATHSIG, signal.SIGKILL), (_PR_SET_NO_NEW_PRIVS, 1)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), f"prctl({option})")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICE)


def confine(limits: Limits) -> None:
    """No new files or sockets, no written bytes, no children, no core, and a bounded address space."""
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_AS, limits.address_bytes),
    ):
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))


def give_back_memory() -> None:
    """Let the C library return what a script took and left: it keeps it otherwise. Not every one has that call."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def grant_cpu(limits: Limits, jobs: int) -> None:
    """Let the kernel end the process when a batch takes far more CPU time than its limits add up to.

    The engine's own limit ends a script much earlier; this one holds where the engine does not look at its clock.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    each_s = 2 * (limits.call_s + limits.load_s)
    soft = math.ceil(usage.ru_utime + usage.ru_stime + 2 + jobs * each_s)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


class Worker:
    """Serves one daemon over one connected socket."""

    def __init__(self, peer: socket.socket) -> None:
        self._peer = peer
        self._engine: Engine | None = None
        self._limits = Limits()

    def serve(self) -> None:
        """Work until the daemon closes the connection. Raises ProtocolError when it does not speak our language."""
        reader = FrameReader()
        while data := self._peer.recv(_RECEIVED):
            for body in reader.feed(data):
                self._take(body)

    def _take(self, body: bytes) -> None:
        request = decode_request(body)
        if isinstance(request, Setup):
            self._limits = request.limits
            self._engine = Engine(request.sources, request.limits)
            if not request.limits.hasty:
                os.nice(NICE_MORE)
            confine(request.limits)
            self._peer.sendall(encode(Ready()))
            return
        if self._engine is None:
            raise ProtocolError("the first message is not the set-up")
        if isinstance(request, Source):
            self._engine.add(request.source_hash, request.text, request.main, request.files)
        elif isinstance(request, Forget):
            self._engine.forget(request.source_hash)
        elif isinstance(request, Batch):
            self._run(self._engine, request.jobs)

    def _run(self, engine: Engine, jobs: list[Job]) -> None:
        grant_cpu(self._limits, len(jobs))
        engine.left.clear()
        done: list[Decoded | Refused | Encoded] = []
        flushed = time.monotonic()
        broken: set[str] | None = set() if self._limits.hasty else None
        for job in jobs:
            done.append(_one(engine, job, broken))
            if time.monotonic() - flushed > FLUSH_S:
                self._answer(done)
                done = []
                flushed = time.monotonic()
        self._answer(done)
        if engine.broke_a_limit:
            engine.broke_a_limit = False
            give_back_memory()

    def _answer(self, done: list[Decoded | Refused | Encoded]) -> None:
        if not done:
            return
        try:
            frame = encode(Answers(done))
        except ProtocolError:  # too long for one frame: a single answer is always short enough
            half = len(done) // 2
            if not half:
                raise
            self._answer(done[:half])
            self._answer(done[half:])
            return
        self._peer.sendall(frame)


def _one(engine: Engine, job: Job, broken: set[str] | None) -> Decoded | Refused | Encoded:
    """One job. `broken` (when hasty): the scripts that broke a limit in this batch; others wait behind their jobs."""
    if broken and job.source_hash in broken:
        return Refused(RejectReason.SCRIPT_ASIDE, f"{job.script_id}: put off")
    try:
        return engine.decode(job)
    except DecodeError as error:
        if broken is not None and error.reason in {RejectReason.SCRIPT_TIME, RejectReason.SCRIPT_MEMORY}:
            broken.add(job.source_hash)
        return Refused(error.reason, error.detail)


def main() -> int:
    """Entry point of the process: exit status 0 when the daemon is gone, 1 after a defect (which was reported)."""
    tie_to_parent()
    peer = socket.socket(fileno=0)
    try:
        Worker(peer).serve()
    except ConnectionError:
        return 0  # the daemon went away in the middle of a word
    except Exception as error:  # noqa: BLE001 - last words: there is no log here, the daemon writes them down
        peer.sendall(encode(Failed(f"{type(error).__name__}: {error}"[:500])))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
