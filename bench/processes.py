"""Processes of the bench: started with a line to wait for, ended for certain, and a folder for what they write."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from bench.scenario import CHECK_S, BenchError, NotMeasured

ROOT: Final = Path(__file__).resolve().parent.parent
BUILD: Final = ROOT / "build"


class Worker:
    """`python -m bench.<module>`, which says `ready` when it is, and then answers lines with JSON."""

    def __init__(self, module: str, *args: object) -> None:
        command = [sys.executable, "-m", f"bench.{module}", *map(str, args)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.read("ready")

    def read(self, expected: str | None = None) -> str:
        """The next line it says. Raises BenchError when it ends instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        if not line or (expected is not None and line != expected):
            raise BenchError(f"{self.process.args!r} said {line!r}")
        return line

    def say(self, line: str) -> None:
        """Give it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def ask(self, line: str) -> dict[str, Any]:
        """Give it a line and wait for the answer."""
        self.say(line)
        answer: dict[str, Any] = json.loads(self.read())
        return answer

    def close(self) -> None:
        """End it."""
        end(self.process)


def end(process: "subprocess.Popen[Any]", timeout_s: float = 10.0) -> None:
    """Terminate; kill when it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def program(name: str, package: str) -> str:
    """The path of a program. Raises NotMeasured where it is not installed."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NotMeasured(f"{name} is not installed (apt install {package})")
    return found


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A place on the disk, not in memory: commits have to be real. Removed afterwards."""
    BUILD.mkdir(exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="bench-", dir=BUILD))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 60.0) -> None:
    """Look again and again. Raises BenchError when it does not come true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"not within {timeout_s:g} s: {what}")
        time.sleep(CHECK_S)


def listens(port: int) -> bool:
    """Whether somebody listens on a port of 127.0.0.1."""
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0
