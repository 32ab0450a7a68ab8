"""What the daemon and its script process say to each other: length-prefixed msgpack over one socket.

A frame is a length (4 bytes, big-endian) and a message. The daemon sends Setup once, sources and batches after that;
the process answers Ready once, then Answers for each batch, in the order of its jobs and in as many parts as it likes.
"""

import struct
from typing import Annotated, Final, TypeVar

import msgspec

from torhaus.codecs.model import RejectReason, Value

MAX_FRAME_BYTES: Final = 4 << 20
"""A longer frame is refused by either side: it is not one of ours."""
MAX_SOURCE_BYTES: Final = 1 << 20
"""A script's source as UTF-8. The largest published one has 205 kB."""
MAX_PAYLOAD_BYTES: Final = 8192
"""Of one job. LoRaWAN has at most 242, a meter telegram some thousand."""
MAX_FIELDS: Final = 256
"""Values in one result."""
MAX_NAME: Final = 64
"""Characters of a field's name."""
MAX_WARNINGS: Final = 8
"""Warnings of one result that are kept, each cut to MAX_WARNING characters."""
MAX_WARNING: Final = 200

OWN_SOURCES: Final = ("prelude.js", "text.js", "buffer.js")
"""Our own JavaScript, in the order in which a context takes it."""

_LENGTH: Final = struct.Struct(">I")


class ProtocolError(Exception):
    """The other side sent what is no frame or no message. The connection is of no further use."""


class Limits(msgspec.Struct, frozen=True, array_like=True):
    """What one script may use up. `call_s` and `load_s` are CPU seconds; `contexts` is how many scripts stay loaded.

    `memory_bytes` and `stack_bytes` hold for one script, `address_bytes` for the whole process. A context that holds
    more than `kept_bytes` between calls is built anew. `answer_chars` bounds a result as JSON.
    """

    call_s: float = 0.5
    load_s: float = 2.0
    memory_bytes: int = 32 << 20
    stack_bytes: int = 512 << 10
    kept_bytes: int = 8 << 20
    address_bytes: int = 512 << 20
    contexts: int = 64
    answer_chars: int = 64 << 10


class Job(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One payload for one script.

    `script_id` is the script's file name, for messages; `source_hash` is what ScriptHost.register returned.
    `recv_time` is the time of reception as RFC 3339 text, the form published scripts understand. `fresh` gives the call
    a context of its own, for scripts known to keep state. `ref` is the caller's own number for the record.
    """

    script_id: str
    source_hash: str
    payload: bytes
    fport: int | None = None
    recv_time: str | None = None
    dev_eui: str | None = None
    fresh: bool = False
    ref: int = 0


class Setup(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """First message to the process: its limits, and our own JavaScript by file name (the process opens no files)."""

    limits: Limits
    sources: dict[str, str]


class Source(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A script, sent before the first batch that needs it."""

    source_hash: str
    text: str


class Forget(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """A script that will not be asked for again."""

    source_hash: str


class Batch(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """Jobs to be done in this order."""

    jobs: list[Job]


class Ready(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """The process is set up and confined."""


FieldName = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]


class Decoded(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """What a script made of a payload. `fields` is a torhaus.codecs.model.Fields."""

    fields: Annotated[dict[FieldName, Value], msgspec.Meta(max_length=MAX_FIELDS)]
    warnings: list[str] = []


class Refused(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    """Why a script made nothing of it."""

    reason: RejectReason
    detail: str


class Answers(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Results of the next jobs of the batch."""

    items: list[Decoded | Refused]


class Failed(msgspec.Struct, frozen=True, array_like=True, tag=2, gc=False):
    """Last message of a process that cannot go on: a defect or an exhausted machine, in one line."""

    detail: str


Request = Setup | Source | Forget | Batch
Reply = Ready | Answers | Failed

_T = TypeVar("_T")
_encoder: Final = msgspec.msgpack.Encoder()
_request: Final[msgspec.msgpack.Decoder[Request]] = msgspec.msgpack.Decoder(Request)
_reply: Final[msgspec.msgpack.Decoder[Reply]] = msgspec.msgpack.Decoder(Reply)


def encode(message: Request | Reply) -> bytes:
    """A message as a frame. ProtocolError if it is too long for one."""
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME_BYTES:
        raise ProtocolError(f"a message of {len(body)} bytes")
    return _LENGTH.pack(len(body)) + body


def _decode(decoder: msgspec.msgpack.Decoder[_T], body: bytes) -> _T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ProtocolError(f"not a message: {error}") from error


def decode_request(body: bytes) -> Request:
    """A frame's body as the process reads it. Raises ProtocolError."""
    return _decode(_request, body)


def decode_reply(body: bytes) -> Reply:
    """A frame's body as the daemon reads it. Raises ProtocolError, also for fields that break the bounds above."""
    return _decode(_reply, body)


class FrameReader:
    """Cuts a byte stream into frame bodies. Holds at most one frame of MAX_FRAME_BYTES and what was fed beyond it."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies that are complete with these bytes. ProtocolError for a length beyond the bound."""
        self._data += data
        out = []
        start = 0
        while len(self._data) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data, start)
            if length > MAX_FRAME_BYTES:
                raise ProtocolError(f"a frame of {length} bytes")
            end = start + _LENGTH.size + length
            if end > len(self._data):
                break
            out.append(bytes(self._data[start + _LENGTH.size : end]))
            start = end
        del self._data[:start]
        return out
