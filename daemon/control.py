"""The command line's side of the local socket: ask the running daemon, or find that there is none."""

import http.client
import socket
from pathlib import Path
from typing import Any, Final

import msgspec

TIMEOUT_S: Final = 10.0


class NotRunning(Exception):  # noqa: N818 - a fact
    """Nobody answers at the socket."""


class Refused(Exception):  # noqa: N818 - a fact
    """The daemon said no."""


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(str(self._path))


def ask(path: Path, what: str, method: str = "GET") -> bytes:
    """The answer's body. Raises NotRunning or Refused."""
    connection = _UnixConnection(path)
    try:
        connection.request(method, what)
        response = connection.getresponse()
        body = response.read()
    except (FileNotFoundError, ConnectionError, TimeoutError) as e:
        raise NotRunning(f"{path}: {e.strerror or e}") from e
    except PermissionError as e:
        raise Refused(f"{path}: permission denied (be root, or in the group torhaus)") from e
    finally:
        connection.close()
    if response.status >= 400:
        raise Refused(f"{method} {what}: {response.status} {body[:200].decode(errors='replace').strip()}")
    return body


def ask_as(path: Path, what: str, kind: Any, method: str = "GET") -> Any:  # noqa: ANN401 - what `kind` says
    """The answer as a structure."""
    return msgspec.json.decode(ask(path, what, method), type=kind)
