import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from torhaus.daemon import control
from torhaus.daemon.control import NotRunning, Refused, ask, ask_as, follow


@contextmanager
def answering(path: Path, talk: Callable[[socket.socket], object]) -> Iterator[Path]:
    """A server for one connection that says what a test wants."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield path
        thread.join()


def says(data: bytes) -> Callable[[socket.socket], object]:
    return lambda connection: connection.sendall(data)


def response(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


def test_an_answer(tmp_path: Path) -> None:
    with answering(tmp_path / "s", says(response(b'{"a":1}'))) as path:
        assert ask_as(path, "/x", dict[str, int]) == {"a": 1}


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="No such file"):
        ask(tmp_path / "none", "/")
    stale = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stale))
    with pytest.raises(NotRunning, match="refused"):
        ask(stale, "/")
    with answering(tmp_path / "dies", lambda _: None) as path, pytest.raises(NotRunning):
        ask(path, "/")


@pytest.mark.parametrize(
    ("status", "body", "said", "about_the_question"),
    [
        ("404 Not Found", b'{"error":"no such scan"}', "GET /x: 404 no such scan", True),
        ("503 Service Unavailable", b"plain\n", "GET /x: 503 plain", False),
        ("500 Oops", b"\xff" * 1000, "GET /x: 500 " + "\ufffd" * 200, False),
    ],
)
def test_a_no(tmp_path: Path, status: str, body: bytes, said: str, about_the_question: bool) -> None:
    with answering(tmp_path / "s", says(response(body, status))) as path, pytest.raises(Refused) as caught:
        ask(path, "/x")
    assert str(caught.value) == said
    assert caught.value.is_about_the_question is about_the_question


@pytest.mark.parametrize("data", [b"SSH-2.0-x\r\n", response(b"<html>"), response(b'{"a":[]}')])
def test_what_is_no_torhaus_of_this_version(tmp_path: Path, data: bytes) -> None:
    with answering(tmp_path / "s", says(data)) as path, pytest.raises(Refused):
        ask_as(path, "/x", dict[str, int])


def test_a_daemon_that_hangs_is_not_taken_for_one_that_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "TIMEOUT_S", 0.05)
    asked = threading.Event()
    with answering(tmp_path / "s", lambda _: asked.wait(30)) as path:
        with pytest.raises(Refused, match="does not answer"):
            ask(path, "/x")
        asked.set()


def test_an_answer_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "MAX_ANSWER_BYTES", 1000)
    with answering(tmp_path / "s", says(response(b"x" * 1001))) as path, pytest.raises(Refused, match="more than 1000"):
        ask(path, "/x")


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(24, "Too many open files")])
def test_what_the_system_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def refuse(_: control._UnixConnection) -> None:
        raise error

    monkeypatch.setattr(control._UnixConnection, "connect", refuse)
    with pytest.raises(Refused, match=r"permission denied \(be root|Too many open files"):
        ask(tmp_path / "s", "/x")
    monkeypatch.undo()
    with pytest.raises(Refused, match="too long"):
        ask(tmp_path / ("x" * 200), "/x")


def chunks(*lines: bytes, end: bool = True) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in lines)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n" * end


def test_an_answer_that_goes_on(tmp_path: Path) -> None:
    with answering(tmp_path / "s", says(chunks(b"one\n", b"two\nth", b"ree\n"))) as path:
        assert list(follow(path, "/x")) == [b"one\n", b"two\n", b"three\n"]
    with pytest.raises(NotRunning, match="No such file"):
        list(follow(tmp_path / "none", "/"))
    with answering(tmp_path / "e", says(response(b'{"error":"no"}', "503 Busy"))) as path, pytest.raises(Refused) as e:
        list(follow(path, "/x"))
    assert (e.value.status, str(e.value)) == (503, "GET /x: 503 no")


def test_an_answer_that_breaks_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(tmp_path / "s", says(chunks(b"one\n", end=False))) as path:
        assert list(follow(path, "/x")) == [b"one\n"]  # as when it ends in order
    monkeypatch.setattr(control, "MAX_LINE_BYTES", 3)
    with (
        answering(tmp_path / "l", says(chunks(b"one two\n"))) as path,
        pytest.raises(Refused, match="more than 3 bytes"),
    ):
        list(follow(path, "/x"))
    with answering(tmp_path / "r", says(b"rubbish\r\n\r\n")) as path, pytest.raises(Refused, match="no torhaus"):
        list(follow(path, "/x"))
    with answering(tmp_path / "d", lambda _: None) as path, pytest.raises(NotRunning):
        list(follow(path, "/x"))
    monkeypatch.setattr(control, "TIMEOUT_S", 0.01)
    waiting = threading.Event()
    with answering(tmp_path / "t", lambda _: waiting.wait(10)) as path:
        with pytest.raises(Refused, match="does not answer"):
            list(follow(path, "/x"))
        waiting.set()
