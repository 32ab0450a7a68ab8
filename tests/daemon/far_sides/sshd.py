"""OpenSSH's own server on loopback, for one user with one key."""

import asyncio
import contextlib
import getpass
import os
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.peers import program
from torhaus.daemon.scans.targets.sftp import Config

SEPARATION = Path("/run/sshd")


def make_key(path: Path) -> None:
    command = [program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(command, check=True, capture_output=True)


def prepare(root: Path) -> None:
    if os.geteuid() == 0:
        SEPARATION.mkdir(exist_ok=True)  # its privilege separation wants it
    for name in ("host", "user"):
        make_key(root / name)
    (root / "authorized").write_bytes((root / "user.pub").read_bytes())
    (root / "authorized").chmod(0o600)


@contextlib.asynccontextmanager
async def serving(root: Path) -> AsyncIterator[int]:
    """The port of a running server whose files are below `root`."""
    sshd = program("sshd")
    prepare(root)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (root / "sshd.conf").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {root}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {root}/authorized\nPasswordAuthentication no\nPermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\nMaxStartups 50\n"
    )
    server = await asyncio.create_subprocess_exec(
        sshd, "-D", "-e", "-f", str(root / "sshd.conf"), stderr=asyncio.subprocess.PIPE
    )
    try:
        assert server.stderr is not None
        while b"Server listening" not in (line := await server.stderr.readline()):
            assert line, "sshd does not start"
        yield port
    finally:
        server.terminate()
        await server.communicate()


def config(root: Path, port: int, **more: Any) -> Config:
    (root / "in").mkdir(exist_ok=True)
    more.setdefault("host_key_file", str(root / "host.pub"))
    more.setdefault("private_key_file", str(root / "user"))
    return Config("sftp", "127.0.0.1", port=port, user=getpass.getuser(), folder=str(root / "in"), **more)
