"""Documents uploaded by HTTP, compared with what cannot be left out: sha256, write, fsync of the same bytes."""

import http.client
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

from bench.processes import ROOT, folder, free_port, listens, wait_until
from bench.scenario import Figures, NotMeasured, Plan
from bench.scenarios.scans import alone, pdf
from bench.site import MIB, Daemon

AT_ONCE = 4
"""Senders side by side."""


def uploads(count: int, size_bytes: int) -> Figures:
    """One run: `count` documents by PUT, each answered when it is flushed to disk, checked and committed."""
    if importlib.util.find_spec("pikepdf") is None:
        raise NotMeasured("the extra 'scans' (pikepdf, Pillow) is not installed")
    with folder() as place:
        documents = [place / f"scan-{n:05d}.pdf" for n in range(count)]
        for n, path in enumerate(documents):
            path.write_bytes(pdf(n, size_bytes))
        alone_s = alone(documents, place / "alone")
        port = free_port()
        with Daemon(place, 1, None, more=_site(port)) as daemon:
            daemon.start()
            token = _token(place, port)
            before, began = daemon.usage(), time.perf_counter()
            with ThreadPoolExecutor(AT_ONCE) as senders:
                list(senders.map(lambda own: _send(port, token, own), (documents[n::AT_ONCE] for n in range(AT_ONCE))))
            took = time.perf_counter() - began
            used = daemon.usage().since(before)
            return {
                "documents_per_s": count / took,
                "mib_per_s": count * size_bytes / MIB / took,
                "alone_mib_per_s": count * size_bytes / MIB / alone_s,
                "share_of_alone_ratio": alone_s / took,
                "daemon_cpu_ms": (used.loop_s + used.threads_s) / count * 1e3,
                "rss_mib": daemon.rss_mib(),
                "peak_mib": daemon.rss_mib("VmHWM"),
            }


SIZES: Final[tuple[tuple[str, str, Callable[[Plan], Figures]], ...]] = (
    ("large", "50 MB", lambda plan: uploads(max(4, plan.records // 10_000), 50_000_000)),
    ("small", "200 KB", lambda plan: uploads(max(12, plan.records // 200), 200_000)),
    ("tiny", "1 KB", lambda plan: uploads(max(12, plan.records // 200), 1_000)),
)
"""Name, size, and what is run."""


def huge(size_bytes: int) -> Figures:
    """One document of no known type, made while it is sent: memory must not grow with it."""
    with folder() as place:
        port = free_port()
        with Daemon(place, 1, None, more=_site(port)) as daemon:
            daemon.start()
            token, rest = _token(place, port), daemon.rss_mib()
            began = time.perf_counter()
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=600)) as connection:
                _put(connection, token, "huge", _noise(size_bytes), size_bytes)
            took = time.perf_counter() - began
            return {
                "mib_per_s": size_bytes / MIB / took, "rss_mib": rest, "peak_mib": daemon.rss_mib("VmHWM"),
            }  # fmt: skip


def _site(port: int) -> str:
    return (
        f'[scan]\nmin_free_bytes = 0\n[scan.http]\nlisten = "127.0.0.1:{port}"\n'
        '[[scan.station]]\nname = "phone"\ntype = "http"\ntarget = "archive"\nmax_bytes = 100000000000\n'
        '[[scan.target]]\nname = "archive"\ntype = "folder"\npath = "/nowhere"\n'
    )


def _token(place: Path, port: int) -> str:
    wait_until(lambda: listens(port), "uploads are served")
    command = [sys.executable, "-m", "torhaus", "scans", "token", "add", "phone"]
    done = subprocess.run(
        [*command, "--config", str(place / "torhaus.toml")], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout.strip()


def _send(port: int, token: str, documents: list[Path]) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=600)) as connection:
        for path in documents:
            _put(connection, token, path.name, path.read_bytes(), path.stat().st_size)


def _put(
    connection: http.client.HTTPConnection, token: str, name: str, body: bytes | Iterator[bytes], size_bytes: int
) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Length": str(size_bytes)}
    connection.request("PUT", f"/scans/phone/{name}", body, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 201:
        raise RuntimeError(f"answered {answer.status}")


def _noise(size_bytes: int) -> Iterator[bytes]:
    piece = os.urandom(MIB)
    for _ in range(size_bytes // MIB):
        yield piece
    yield piece[: size_bytes % MIB]
