"""`torhaus link open`: what is typed goes out, what comes is shown; a running daemon leaves the line alone."""

import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.fakes import Pty
from torhaus.daemon import control
from torhaus.daemon.cli.link import escaped
from torhaus.daemon.main import main


@pytest.fixture
def meter() -> Iterator[Pty]:
    """A device that answers every line with OK."""
    with Pty() as port:
        thread = threading.Thread(target=answer, args=(port.fd,), daemon=True)
        thread.start()
        yield port


def answer(fd: int) -> None:
    heard = b""
    while b"bye" not in heard:
        try:
            data = os.read(fd, 100)
        except OSError:
            return
        heard += data
        if data.endswith(b"\n"):
            os.write(fd, b"OK\x03")


def config(folder: Path, link: str) -> Path:
    path = folder / "torhaus.toml"
    path.write_text(
        '[site]\nid = "x"\n[control]\nsocket = "s"\n[[driver]]\nname = "m"\ntype = "sml"\ndevice = "d"\n'
        f'link = "{link}"\n'
    )
    (folder / "devices.toml").write_text('[[device]]\nname = "d"\ncodec = "sml"\n')
    return path


def talk(monkeypatch: pytest.MonkeyPatch, typed: str, *words: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return main(["link", "open", *words, "--wait", "0.2"])


def test_text_and_answer(
    meter: Pty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, f"serial://{meter.path}")
    assert talk(monkeypatch, "/?!\nbye\n", "m", "--config", str(path)) == os.EX_OK
    shown = capsys.readouterr().out
    assert "> 2f 3f 21 0d 0a  |/?!..|" in shown
    assert "< 4f 4b 03" in shown


def test_hex_and_what_is_none(
    meter: Pty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    link = f"serial://{meter.path}"
    none = str(tmp_path / "none.toml")
    assert talk(monkeypatch, "62 79 65\nxyz\n", link, "--hex", "--config", none) == os.EX_OK
    shown = capsys.readouterr()
    assert "> 62 79 65  |bye|" in shown.out
    assert "not sent" in shown.err


def test_the_daemon_is_asked_for_its_line(
    meter: Pty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def follow(socket: Path, what: str) -> Iterator[bytes]:
        asked.append((socket.name, what))
        yield b"\n"

    monkeypatch.setattr(control, "follow", follow)
    link = f"serial://{meter.path}"
    path = config(tmp_path, link)
    assert talk(monkeypatch, "bye\n", f"{link}?baud=300", "--config", str(path)) == os.EX_OK
    assert asked == [("s", "/links/m")]
    assert "leaves the line of m alone" in capsys.readouterr().err


def test_what_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path = config(tmp_path, "serial:///dev/torhaus-none")
    assert talk(monkeypatch, "", "other", "--config", str(path)) == os.EX_USAGE
    assert "is no driver with a link" in capsys.readouterr().err
    assert talk(monkeypatch, "", "m", "--config", str(path)) == os.EX_UNAVAILABLE
    assert "no such port" in capsys.readouterr().err
    assert talk(monkeypatch, "", "com1:", "--config", str(path)) == os.EX_USAGE


def test_a_line_that_is_lost_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    none = tmp_path / "none"
    assert talk(monkeypatch, "", f"replay:{none}", "--config", str(none)) == os.EX_UNAVAILABLE
    assert capsys.readouterr().err == f"{none}: No such file or directory\n"


def test_escapes() -> None:
    assert escaped(r"/?!\r\n\x02") == b"/?!\r\n\x02"
    with pytest.raises(ValueError, match="cannot be sent"):
        escaped("\\x")
