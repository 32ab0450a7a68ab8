"""Where a station's network server is: one question and one answer on a websocket at `/router-info`.

LNS protocol, "Querying the LNS Connection Endpoint". A station of release 2.0.6 takes only URIs with scheme ws or wss,
an explicit port and a path, and no longer than 127 characters (src/tc.c).
"""

import re
from typing import Any, Final

import msgspec

from torhaus.codecs.framing.basics_station.id6 import parse_router
from torhaus.codecs.model import DecodeError, RejectReason

MAX_BYTES: Final = 1024
"""Of a question: it holds one name."""
MAX_URI: Final = 127
_URI: Final = re.compile(r"wss?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}/[\x21-\x7e]*")


class Question(msgspec.Struct, frozen=True, gc=False):
    """Who asks: `router` as it was written, which the answer repeats, and the EUI as 16 hex digits."""

    router: str | int
    eui: str


class _Question(msgspec.Struct, gc=False):
    router: str | int


_question: Final = msgspec.json.Decoder(_Question)


def parse_question(text: bytes) -> Question:
    """The question. Raises DecodeError."""
    if len(text) > MAX_BYTES:
        raise DecodeError(RejectReason.LONG, f"a question of {len(text)} bytes")
    try:
        router = _question.decode(text).router
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as e:
        raise DecodeError(RejectReason.SYNTAX, f"not a station's question: {e}") from None
    return Question(router, parse_router(router))


def answer(question: Question, uri: str) -> bytes:
    """Where to connect. Raises ValueError for a URI that stations refuse."""
    check_uri(uri)
    return _encode({"router": question.router, "muxs": "::0", "uri": uri})


def refusal(question: Question, why: str) -> bytes:
    """No: the station writes `why` in its log, and tries another server or asks its CUPS."""
    return _encode({"router": question.router, "error": why})


def check_uri(uri: str) -> None:
    """Raise ValueError, in words that end "must be …", for a URI that stations refuse."""
    if len(uri) > MAX_URI:
        raise ValueError(f"has {len(uri)} characters, must be at most {MAX_URI}: stations take no more")
    if _URI.fullmatch(uri) is None:
        raise ValueError("must be a URI with a port and a path, such as wss://gateway.example:3001/")


def _encode(members: dict[str, Any]) -> bytes:
    return msgspec.json.encode(members)
