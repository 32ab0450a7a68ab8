"""One question and one answer by gRPC-Web: gRPC's messages over plain HTTP, as web pages of servers use it.

PROTOCOL-WEB.md of the gRPC project: a body is made of frames, each with a byte of flags, four bytes of length
(big-endian) and so many bytes. With 0x80 among the flags it holds the trailers, as lines `name: value`; they may be
among the HTTP headers instead when there is no message (trailers only). Compressed frames (0x01) are not asked for.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.model import MAX_DETAIL, DecodeError, RejectReason

CONTENT_TYPE: Final = "application/grpc-web+proto"
MAX_BODY: Final = 1 << 20
_HEAD_BYTES: Final = 5
_COMPRESSED: Final = 0x01
_TRAILERS: Final = 0x80
_STATUS: Final = "grpc-status"
_WORDS: Final = "grpc-message"
_MAX_STATUS: Final = 16
_ESCAPED: Final = re.compile(rb"%([0-9a-fA-F]{2})")


class Answer(msgspec.Struct, frozen=True, gc=False):
    """`status`: 0 is OK, others as gRPC numbers them (5 not found, 7 and 16 not allowed). `words`: the server's own."""

    status: int
    words: str = ""
    message: bytes = b""


def build_question(message: bytes) -> bytes:
    """The body of a request."""
    return bytes(1) + len(message).to_bytes(4, "big") + message


def parse_answer(body: bytes, headers: Mapping[str, str]) -> Answer:
    """The body of a reply; `headers` by lower-case name.

    DecodeError: LONG; SHORT for a frame or an answer that is not whole, without its status for one; SYNTAX,
    UNSUPPORTED for a compressed one.
    """
    if len(body) > MAX_BODY:
        raise DecodeError(RejectReason.LONG, f"{len(body)} bytes, at most {MAX_BODY} are read")
    message: bytes | None = None
    trailers: dict[str, str] | None = None
    cursor = Cursor(body)
    while cursor.left:
        if trailers is not None:
            raise DecodeError(RejectReason.SYNTAX, "something behind the trailers")
        flags = cursor.u8()
        data = cursor.take(cursor.ube(4))
        if flags & _COMPRESSED:
            raise DecodeError(RejectReason.UNSUPPORTED, "compressed, which was not asked for")
        if flags & _TRAILERS:
            trailers = _lines(data)
        elif flags or message is not None:
            raise DecodeError(RejectReason.SYNTAX, f"flags {flags:#04x}" if flags else "more than one message")
        else:
            message = data
    said = trailers if trailers is not None else headers
    status = said.get(_STATUS, "")
    if not status:
        raise DecodeError(RejectReason.SHORT, "an answer without its status")
    if not (status.isascii() and status.isdigit() and len(status) <= 2 and int(status) <= _MAX_STATUS):
        raise DecodeError(RejectReason.SYNTAX, f"a status of {status[:20]!r}")
    if status == "0" and message is None:
        raise DecodeError(RejectReason.SHORT, "an answer without a message")
    words = _unescaped(said.get(_WORDS, "")[:MAX_DETAIL])
    return Answer(int(status), "".join(c if c.isprintable() else " " for c in words), message or b"")


def _unescaped(text: str) -> str:
    """Percent-encoded UTF-8, as `grpc-message` is."""
    data = _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode("utf-8", "replace"))
    return data.decode("utf-8", "replace")


def _lines(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in data.decode("ascii", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip().lower()] = value.strip()
    return found
