"""A link by a driver's name or as a URL; the daemon gives it up, or is not there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from torhaus.daemon import control
from torhaus.daemon.cli.chosen_link import Chosen, chosen, left_alone
from torhaus.daemon.cli.live import Unreadable
from torhaus.drivers.link import Line, parse_link

PORT = "serial:///dev/torhaus-none"


def config(folder: Path) -> Path:
    path = folder / "torhaus.toml"
    path.write_text(
        '[site]\nid = "x"\n[control]\nsocket = "s"\n[[driver]]\nname = "bus"\ntype = "mbus"\n'
        f'link = "{PORT}"\n[[driver.meter]]\ndevice = "d"\naddress = 1\n'
    )
    (folder / "devices.toml").write_text('[[device]]\nname = "d"\ncodec = "mbus"\n')
    return path


def test_by_name_and_by_url(tmp_path: Path) -> None:
    path = config(tmp_path)
    bus = Line(baud=2400, parity="E")
    assert chosen("bus", path) == chosen(PORT, path, bus) == Chosen(parse_link(PORT, bus), ("bus",), tmp_path / "s")
    assert chosen(f"{PORT}?baud=300", path, bus).drivers == ("bus",), "the same port at another rate"
    assert chosen("serial:///dev/other", path).drivers == ()
    with pytest.raises(ValueError, match="is no driver with a link"):
        chosen("other", path)


def test_without_a_configuration_only_urls(tmp_path: Path) -> None:
    none = tmp_path / "none.toml"
    assert chosen(PORT, none) == Chosen(parse_link(PORT))
    with pytest.raises(Unreadable):
        chosen("bus", none)


def test_the_daemon_has_it_back_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []

    def follow(socket: Path, what: str) -> Iterator[bytes]:
        said.append(what)
        try:
            yield b"\n"
        finally:
            said.append("back")

    monkeypatch.setattr(control, "follow", follow)

    def work() -> None:
        with left_alone(Chosen(parse_link(PORT), ("bus",), Path("s"))):
            assert said == ["/links/bus"]
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert said == ["/links/bus", "back"]


def test_no_daemon_is_no_fault(tmp_path: Path) -> None:
    with left_alone(Chosen(parse_link(PORT), ("bus",), tmp_path / "none.sock")):
        pass
