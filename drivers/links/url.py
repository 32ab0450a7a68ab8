"""Link URLs: what may be written, what is meant, and what to say when it is wrong. Nothing here touches a device.

    serial:///dev/ttyUSB0?baud=9600&parity=N&bytesize=8&stopbits=1&rtscts=0&exclusive=1
    tcp://host:port                                    a converter that passes bytes through
    rfc2217://host:port?baud=9600&parity=N&…           a converter that also takes the line settings (RFC 2217)
    replay:/path/to/file?speed=0&loop=0                a capture; speed 0 is as fast as possible, 1 as it was

Keys that are left out have the values shown, except where a protocol has line settings of its own (see `parse_link`).
IPv6 addresses stand in brackets; `%3F` and the like are understood in paths.
"""

import ipaddress
import re
from typing import Final, Literal, NoReturn
from urllib.parse import unquote

import msgspec

MAX_URL: Final = 1024
"""Characters of a link URL."""
MAX_BAUD: Final = 4_000_000
"""The fastest rate Linux has a name for."""
MAX_SPEED: Final = 1_000_000.0
"""Times faster than it was captured."""

_HOST: Final = re.compile(r"(?:\[(?P<v6>[^\]]{2,64})\]|(?P<name>[A-Za-z0-9._-]{1,253})):(?P<port>[0-9]{1,5})")
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")
_EXAMPLE: Final = {
    "serial": "serial:///dev/ttyUSB0?baud=9600",
    "tcp": "tcp://192.0.2.10:8899",
    "rfc2217": "rfc2217://192.0.2.10:2217?baud=9600",
    "replay": "replay:/var/lib/torhaus/meter.cap",
}
_LINE_KEYS: Final = ("baud", "parity", "bytesize", "stopbits", "rtscts")
_KEYS: Final = {
    "serial": (*_LINE_KEYS, "exclusive"),
    "tcp": (),
    "rfc2217": _LINE_KEYS,
    "replay": ("speed", "loop"),
}

Parity = Literal["N", "E", "O"]


class Line(msgspec.Struct, frozen=True):
    """Settings of a serial line. `baud` in bit/s; parity none, even or odd; `rtscts` is hardware flow control."""

    baud: int = 9600
    parity: Parity = "N"
    bytesize: int = 8
    stopbits: int = 1
    rtscts: bool = False


class SerialSpec(msgspec.Struct, frozen=True):
    """A port of this machine. `exclusive`: nobody else may open it meanwhile."""

    path: str
    line: Line
    exclusive: bool = True


class TcpSpec(msgspec.Struct, frozen=True):
    """A TCP server that passes the device's bytes through."""

    host: str
    port: int


class Rfc2217Spec(msgspec.Struct, frozen=True):
    """A TCP server that speaks Telnet with the COM port control option (RFC 2217)."""

    host: str
    port: int
    line: Line


class ReplaySpec(msgspec.Struct, frozen=True):
    """A capture. `speed` 0: no pauses; `loop`: from the start again when it has ended."""

    path: str
    speed: float = 0.0
    loop: bool = False


LinkSpec = SerialSpec | TcpSpec | Rfc2217Spec | ReplaySpec
LinkPlace = str | tuple[str, int]
"""A port of this machine, or host and port of a converter."""

DEFAULT_LINE: Final = Line()


def parse_link(url: str, line: Line = DEFAULT_LINE) -> LinkSpec:
    """What a link URL means. `line` has the settings that hold where the URL says nothing (a protocol's own).

    Raises ValueError that says what would be right.
    """
    if len(url) > MAX_URL:
        raise ValueError(f"a link has at most {MAX_URL} characters, this one {len(url)}")
    if not url.isprintable() or url != url.strip():
        raise ValueError("a link has no control characters and no spaces around it")
    scheme, colon, rest = url.partition(":")
    if not colon or scheme not in _KEYS:
        hint = f"; for a port of this machine write serial://{url}" if url.startswith("/dev/") else ""
        raise ValueError(f"a link starts with serial:, tcp:, rfc2217: or replay:, not {_short(url)}{hint}")
    place, mark, query = rest.partition("?")
    options = _options(scheme, query if mark else None)
    if scheme == "replay":
        return ReplaySpec(_file(place), options.number("speed", 0.0, MAX_SPEED), options.flag("loop", default=False))
    if scheme == "serial":
        return SerialSpec(_device(place), options.line(line), options.flag("exclusive", default=True))
    host, port = _host(scheme, place)
    return TcpSpec(host, port) if scheme == "tcp" else Rfc2217Spec(host, port, options.line(line))


def place_of(spec: LinkSpec) -> LinkPlace | None:
    """Which line it is, whatever its settings; None for a capture, which anybody may read."""
    if isinstance(spec, ReplaySpec):
        return None
    return spec.path if isinstance(spec, SerialSpec) else (spec.host.lower(), spec.port)


class _Options:
    """The keys after the question mark, each read once and checked."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        text = self.values.get(key)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and low <= int(text) <= high):
            raise ValueError(f"{key} is a whole number from {low} to {high}, not {_short(text)}")
        return int(text)

    def number(self, key: str, default: float, high: float) -> float:
        text = self.values.get(key)
        if text is None:
            return default
        if not _NUMBER.fullmatch(text) or float(text) > high:
            raise ValueError(f"{key} is a number from 0 to {high:.0f}, not {_short(text)}")
        return float(text)

    def flag(self, key: str, *, default: bool) -> bool:
        text = self.values.get(key)
        if text is None:
            return default
        if text not in {"0", "1"}:
            raise ValueError(f"{key} is 0 or 1, not {_short(text)}")
        return text == "1"

    def parity(self, default: Parity) -> Parity:
        match self.values.get("parity"):
            case None:
                return default
            case "N" | "E" | "O" as parity:
                return parity
            case other:
                raise ValueError(f"parity is N (none), E (even) or O (odd), not {_short(other)}")

    def line(self, default: Line) -> Line:
        return Line(
            baud=self.whole("baud", default.baud, 50, MAX_BAUD),
            parity=self.parity(default.parity),
            bytesize=self.whole("bytesize", default.bytesize, 5, 8),
            stopbits=self.whole("stopbits", default.stopbits, 1, 2),
            rtscts=self.flag("rtscts", default=default.rtscts),
        )


def _options(scheme: str, query: str | None) -> _Options:
    values: dict[str, str] = {}
    allowed = _KEYS[scheme]
    for pair in query.split("&") if query is not None else ():
        key, equals, value = pair.partition("=")
        if key not in allowed:
            known = "takes " + ", ".join(allowed) if allowed else "takes no settings: the converter has its own"
            raise ValueError(f"{scheme}: {known}; not {_short(key)}")
        if not equals:
            raise ValueError(f"{key} has no value: write {key}=…")
        if key in values:
            raise ValueError(f"{key} is there twice")
        values[key] = value
    return _Options(values)


def _device(place: str) -> str:
    if not place.startswith("///") or not place.strip("/"):
        _wrong("serial", "the path of a port follows three slashes")
    return _path(place[2:])


def _file(place: str) -> str:
    if place.startswith("//") and not place.startswith("///"):
        _wrong("replay", "the path follows the colon, or three slashes where it starts at the root")
    place = place.removeprefix("//")
    if not place.strip("/"):
        _wrong("replay", "the path of the capture is missing")
    return _path(place)


def _path(text: str) -> str:
    path = unquote(text)  # what is not UTF-8 becomes U+FFFD: no such file
    if not path.isprintable():
        raise ValueError("a path has no control characters")
    return path


def _host(scheme: str, place: str) -> tuple[str, int]:
    if not place.startswith("//"):
        _wrong(scheme, "host and port follow two slashes")
    authority = place[2:].removesuffix("/")
    if "@" in authority:
        _wrong(scheme, "there is no user or password in a link")
    match = _HOST.fullmatch(authority)
    if match is None:
        if authority.count(":") > 1 and not authority.startswith("["):
            _wrong(scheme, "an IPv6 address stands in brackets, as in [2001:db8::10]:8899")
        if ":" not in authority.rpartition("]")[2]:
            _wrong(scheme, "the port is missing")
        _wrong(scheme, f"{_short(authority)} is not host:port")
    port = int(match["port"])
    if not 1 <= port <= 65535:
        _wrong(scheme, f"a port is from 1 to 65535, not {port}")
    if match["v6"] is None:
        return match["name"], port
    try:
        return str(ipaddress.IPv6Address(unquote(match["v6"]))), port
    except ValueError:
        _wrong(scheme, f"{_short(match['v6'])} is not an IPv6 address")


def _wrong(scheme: str, what: str) -> NoReturn:
    raise ValueError(f"{what}: write {_EXAMPLE[scheme]}")


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")
