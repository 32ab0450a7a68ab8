"""The command line's side of the local socket: ask the running daemon, or find that there is none."""

import http.client
import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

TIMEOUT_S: Final = 10.0
MAX_ANSWER_BYTES: Final = 32 << 20
"""The longest list, a thousand scans, has less than one."""

MAX_LINE_BYTES: Final = 1 << 20
"""Of an answer that goes on: a frame with all its values has a few thousand."""


class NotRunning(Exception):  # noqa: N818 - a fact
    """Nobody answers at the socket."""


class Refused(Exception):  # noqa: N818 - a fact
    """The daemon said no (`status` 4xx), or there is no usable answer (`status` 5xx or 0). `words`: its own."""

    def __init__(self, text: str, status: int = 0, words: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.words = words or text

    @property
    def is_about_the_question(self) -> bool:
        """Whether asking for something else would help."""
        return 400 <= self.status < 500


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


def ask(path: Path, what: str, method: str = "GET", sent: bytes | None = None) -> bytes:
    """The answer's body. `sent`: the question's own. Raises NotRunning or Refused."""
    with _asked(path, what, method, sent) as response:
        body = response.read(MAX_ANSWER_BYTES + 1)
    if len(body) > MAX_ANSWER_BYTES:
        raise Refused(f"{path}: an answer of more than {MAX_ANSWER_BYTES} bytes")
    if response.status >= 400:
        raise Refused(f"{method} {what}: {response.status} {_error(body)}", response.status, _error(body))
    return body


def follow(path: Path, what: str) -> Generator[bytes, None, None]:
    """An answer that goes on, line by line, until the daemon ends it. Raises NotRunning or Refused.

    The daemon says something, if only an empty line, well within TIMEOUT_S.
    """
    with _asked(path, what, "GET") as response:
        if response.status >= 400:
            body = response.read(MAX_LINE_BYTES)
            raise Refused(f"GET {what}: {response.status} {_error(body)}", response.status, _error(body))
        while line := response.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise Refused(f"{path}: a line of more than {MAX_LINE_BYTES} bytes")
            yield line


@contextmanager
def _asked(path: Path, what: str, method: str, sent: bytes | None = None) -> Iterator[http.client.HTTPResponse]:
    """The answer, to be read in here. Raises NotRunning or Refused for all that can go wrong with the connection."""
    connection = _UnixConnection(path)
    try:
        connection.request(method, what, body=sent)
        yield connection.getresponse()
    except (FileNotFoundError, ConnectionError) as e:
        raise NotRunning(f"{path}: {e.strerror or e}") from e
    except PermissionError as e:
        raise Refused(f"{path}: permission denied (be root, or in the group torhaus)") from e
    except TimeoutError as e:
        raise Refused(f"{path}: the daemon does not answer within {TIMEOUT_S:.0f} s") from e
    except http.client.HTTPException as e:
        raise Refused(f"{path}: what answers there is no torhaus ({type(e).__name__})") from e
    except OSError as e:
        raise Refused(f"{path}: {e.strerror or e}") from e
    finally:
        connection.close()


def _error(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=dict[str, str])["error"][:200]
    except (msgspec.DecodeError, KeyError):
        return body[:200].decode(errors="replace").strip()


def ask_as(path: Path, what: str, kind: Any, method: str = "GET", sent: bytes | None = None) -> Any:  # noqa: ANN401 - what `kind` says
    """The answer as a structure. Raises NotRunning or Refused."""
    try:
        return msgspec.json.decode(ask(path, what, method, sent), type=kind)
    except msgspec.DecodeError as e:
        raise Refused(f"{path}: a daemon of another version answers ({e})") from e
