"""The link that somebody wants to work on by hand, while a running daemon leaves it alone."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.reach import configured
from torhaus.drivers.link import Line, LinkSpec, parse_link

_LINE = Line()


class Chosen(msgspec.Struct, frozen=True):
    """Where it is, the drivers that may have it open, and the daemon's control socket."""

    spec: LinkSpec
    drivers: tuple[str, ...] = ()
    socket: Path = Path()


def chosen(text: str, config: Path, line: Line = _LINE) -> Chosen:
    """A driver's link by the driver's name, or a link URL; `line` holds where that says nothing.

    Raises ValueError when there is no such link, Unreadable when a name is given and the configuration has faults.
    """
    try:
        loaded = configured(config)
    except Unreadable:
        if ":" not in text:
            raise
        return Chosen(parse_link(text, line))
    specs = {config.name: getattr(module.open(config), "spec", None) for module, config in loaded.drivers}
    if ":" in text:
        spec = parse_link(text, line)
    else:
        found = specs.get(text)
        if found is None:
            raise ValueError(
                f"{text!r} is no driver with a link; write its name, or a link such as serial:///dev/ttyUSB0"
            )
        spec = found
    same = tuple(name for name, each in specs.items() if each is not None and _place(each) == _place(spec))
    return Chosen(spec, same, Path(loaded.control.socket))


@contextmanager
def left_alone(link: Chosen) -> Iterator[None]:
    """While in it, a running daemon has closed the link. Raises Refused when it does not."""
    from torhaus.daemon.control import NotRunning, follow

    held: list[Generator[bytes, None, None]] = []
    try:
        for name in link.drivers:
            lines = follow(link.socket, f"/links/{name}")
            try:
                next(lines)
            except NotRunning:
                break  # nobody to ask: the line is free
            held.append(lines)
            print(f"the daemon leaves the line of {name} alone meanwhile", file=sys.stderr)
        yield
    finally:
        for lines in held:
            lines.close()


def _place(spec: LinkSpec) -> tuple[object, ...]:
    return tuple(getattr(spec, key, None) for key in ("path", "host", "port"))
