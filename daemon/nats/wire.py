"""The NATS client protocol: lines in, values out, and the other way. Pure: no I/O, no clock.

Source: NATS documentation, "Client Protocol" (INFO, CONNECT, PUB, HPUB, SUB, MSG, HMSG, PING, PONG, +OK, -ERR; messages
with headers: ADR-4), as spoken by nats-server 2.9 to 2.12. A line ends with CR LF; a payload's length is in its line.
"""

from typing import Any, Final

import msgspec

from torhaus.daemon.forward.flight import ProtocolError

MAX_LINE_BYTES: Final = 1 << 16
"""The longest line taken from a server: an INFO names all servers of its cluster."""
MAX_MESSAGE_BYTES: Final = 1 << 16
"""The longest message that is kept: acknowledgements are short, and so are orders. Of longer ones only the size is."""
MAX_SKIPPED_BYTES: Final = 1 << 26
"""The longest that is read past: the most that a server can be set to (max_payload)."""
MAX_ERR: Final = 4096
"""Characters of a complaint: it may name a subject."""
PING: Final = b"PING\r\n"
PONG: Final = b"PONG\r\n"
_HEADER: Final = b"NATS/1.0"
_MAX_DIGITS: Final = 10


class Info(msgspec.Struct, frozen=True):
    """What a server says of itself, as far as it is of interest here. Everything unknown is passed over."""

    max_payload: int = 1 << 20
    headers: bool = False
    tls_required: bool = False
    tls_available: bool = False
    auth_required: bool = False
    nonce: str = ""
    jetstream: bool = False
    ldm: bool = False
    version: str = ""


class Msg(msgspec.Struct, gc=False):
    """A message. `status`: of its headers, 0 where there is none; `size`: of the payload, also if it was dropped."""

    subject: bytes
    sid: int
    reply: bytes
    payload: bytes
    size: int
    status: int = 0
    description: str = ""


class Err(msgspec.Struct, gc=False):
    """The server complains; the text without its quotes, made printable."""

    text: str


class Ping(msgspec.Struct, gc=False):
    """To be answered."""


class Pong(msgspec.Struct, gc=False):
    """An answer."""


Event = Info | Msg | Err | Ping | Pong
_decode_info: Final = msgspec.json.Decoder(Info).decode


class BrokenStreamError(ProtocolError):
    """The stream cannot be read any further; `events` came before."""

    def __init__(self, detail: str, events: list[Event]) -> None:
        super().__init__(detail)
        self.events = events


class Decoder:
    """Cuts a server's bytes into events, at any chunking. Once broken it stays so."""

    def __init__(self, longest: int = MAX_MESSAGE_BYTES) -> None:
        self._longest = longest
        self._rest = b""
        self._skip = 0  # bytes of a message too long that are still to come, its CR LF with them
        self._skipped: Msg | None = None
        self._broken: str | None = None

    @property
    def is_skipping(self) -> bool:
        """Whether what comes next belongs to a message that is too long."""
        return self._skip > 0

    def take_back(self, data: bytes) -> bytes:
        """`data` behind what has come without coming to its end: to be fed, or its beginning to be read otherwise."""
        rest, self._rest = self._rest, b""
        return rest + data if rest else data

    def feed(self, data: bytes) -> list[Event]:
        """What has come to its end with these bytes. Raises BrokenStreamError."""
        events: list[Event] = []
        if self._broken is not None:
            raise BrokenStreamError(self._broken, events)
        try:
            self._feed(self._rest + data if self._rest else data, events)
        except ProtocolError as error:
            self._broken, self._rest = error.detail, b""
            raise BrokenStreamError(error.detail, events) from None
        return events

    def _feed(self, data: bytes, events: list[Event]) -> None:
        at, end = 0, len(data)
        while at < end:
            if self._skip:
                taken = min(self._skip, end - at)
                at += taken
                self._skip -= taken
                if not self._skip and self._skipped is not None:
                    events.append(self._skipped)
                    self._skipped = None
                continue
            cut = data.find(b"\r\n", at, at + MAX_LINE_BYTES + 2)
            if cut < 0:
                if end - at > MAX_LINE_BYTES:
                    raise ProtocolError(f"a line of more than {MAX_LINE_BYTES} bytes")
                break
            line = data[at:cut]
            if line[:4] in _MESSAGES or line[:5] in _MESSAGES:
                after = self._message(data, line, cut + 2, end, events)
                if after < 0:
                    break
                at = after
            else:
                _line(line, events)
                at = cut + 2
        self._rest = data[at:] if at < end else b""

    def _message(self, data: bytes, line: bytes, start: int, end: int, events: list[Event]) -> int:
        """A message whose line ends before `start`; where it ends, -1 when it is not all there yet."""
        has_headers = line[0] in b"hH"
        words = line.split()
        known = 5 if has_headers else 4
        if len(words) not in {known, known + 1}:
            raise ProtocolError("a message's line with too few or too many words")
        sid, size = _number(words[2]), _number(words[-1])
        head = _number(words[-2]) if has_headers else 0
        if head > size:
            raise ProtocolError("a message's headers are longer than it is")
        if size > MAX_SKIPPED_BYTES:
            raise ProtocolError(f"a message of {size} bytes")
        reply = words[3] if len(words) > known else b""
        if size > self._longest:
            self._skipped = Msg(words[1], sid, reply, b"", size - head)
            self._skip = size + 2
            return start
        after = start + size + 2
        if after > end:
            return -1
        if data[after - 2 : after] != b"\r\n":
            raise ProtocolError("a message that does not end where it says")
        msg = Msg(words[1], sid, reply, data[start + head : start + size], size - head)
        if has_headers:
            msg.status, msg.description = _status(data[start : start + head])
        events.append(msg)
        return after


_MESSAGES: Final = frozenset((b"MSG ", b"HMSG ", b"MSG\t", b"HMSG\t", b"msg ", b"hmsg "))


def _line(line: bytes, events: list[Event]) -> None:
    """One line that is no message. Raises ProtocolError."""
    word = line[:5].upper().rstrip()
    if word == b"PING":
        events.append(Ping())
    elif word == b"PONG":
        events.append(Pong())
    elif word == b"INFO":
        try:
            events.append(_decode_info(line[5:]))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise ProtocolError("an INFO that is none") from None
    elif word == b"-ERR":
        events.append(Err(printable(line[5:].decode("utf-8", "replace").strip().strip("'"), MAX_ERR)))
    elif word != b"+OK":
        raise ProtocolError(f"a line that begins with {printable(line[:12].decode('latin-1'))!r}")


def _number(word: bytes) -> int:
    if len(word) > _MAX_DIGITS or not word.isdigit():
        raise ProtocolError("a number that is none")
    return int(word)


def _status(head: bytes) -> tuple[int, str]:
    """Status and description of a block of headers (ADR-4): `NATS/1.0 503 No Responders`; 0 where there is none."""
    first = head.partition(b"\r\n")[0]
    if not first.startswith(_HEADER):
        raise ProtocolError("headers of an unknown version")
    code, _, text = first[len(_HEADER) :].strip().partition(b" ")
    if not code:
        return 0, ""
    if len(code) != 3 or not code.isdigit():
        raise ProtocolError("headers with a status that is none")
    return int(code), printable(text.decode("utf-8", "replace"))


def printable(text: str, most: int = 200) -> str:
    """A peer's text made fit for one line of a log: so many characters at most, control characters as `?`."""
    return "".join(c if c.isprintable() else "?" for c in text[:most])


def encode_connect(options: dict[str, Any]) -> bytes:
    """CONNECT. Raises ProtocolError."""
    try:
        return b"CONNECT %b\r\n" % msgspec.json.encode(options)
    except (UnicodeError, TypeError, ValueError):
        raise ProtocolError("a user name, password or token that is no text") from None


def encode_sub(subject: str, sid: int) -> bytes:
    """SUB, without a queue group."""
    return f"SUB {subject} {sid}\r\n".encode()


def encode_publish(subject: bytes, reply: bytes, payload: bytes) -> bytes:
    """PUB; no `reply` where it is empty."""
    return b"PUB %b %b %d\r\n%b\r\n" % (subject, reply, len(payload), payload)


def encode_publish_with(subject: bytes, reply: bytes, head: bytes, payload: bytes) -> bytes:
    """HPUB; `head` is a whole block of headers (ADR-4), the empty line behind it included."""
    size = len(head)
    return b"HPUB %b %b %d %d\r\n%b%b\r\n" % (subject, reply, size, size + len(payload), head, payload)
