"""What the daemon and its script process say to each other: length-prefixed msgpack over one socket.

A frame is a length (4 bytes, big-endian) and a message. The daemon sends Setup once, sources and batches after that;
the process answers Ready once, then Answers for each batch, in the order of its jobs and in as many parts as it likes.
"""

import struct
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from torhaus.codecs.model import RejectReason, Value

MAX_FRAME_BYTES: Final = 4 << 20
"""A longer frame is refused by either side: it is not one of ours."""
MAX_SOURCE_BYTES: Final = 1 << 20
"""A script's source as UTF-8. The largest published one has 205 kB."""
MAX_PAYLOAD_BYTES: Final = 8192
"""Of one job. LoRaWAN has at most 242, a meter telegram some thousand."""
MAX_EXTRA_BYTES: Final = 16 << 10
"""Of a job's extra input as JSON."""
MAX_DOWNLINK_BYTES: Final = 242
"""Of an encoded downlink: the longest payload of LoRaWAN (RP002-1.0.4, maximum payload size)."""
MAX_CONTEXT: Final = 4096
"""Characters, as JSON, of what a script may keep of one device between two messages."""
MAX_FIELDS: Final = 1024
"""Values in one result."""
MAX_NAME: Final = 64
"""Characters of a field's name."""
MAX_WARNINGS: Final = 8
"""Warnings of one result that are kept, each cut to MAX_WARNING characters."""
MAX_WARNING: Final = 200

STRIKES: Final = 3
"""Broken limits in a row after which a script is set aside for a while (aside.py)."""

OWN_SOURCES: Final = ("prelude.js", "text.js", "buffer.js", "crypto.js", "locale.js")
"""Our own JavaScript, in the order in which a context takes it."""

_LENGTH: Final = struct.Struct(">I")


class ProtocolError(Exception):
    """The other side sent what is no frame or no message. The connection is of no further use."""


class Limits(msgspec.Struct, frozen=True, array_like=True):
    """What one script may use up. `call_s` and `load_s` are CPU seconds; `contexts` is how many scripts stay loaded.

    `memory_bytes` and `stack_bytes` hold for one script, `address_bytes` for the whole process. A context that holds
    more than `kept_bytes` between calls is built anew. `answer_chars` bounds a result as JSON. `hasty`: a broken limit
    is no verdict, the job is tried elsewhere; further ones of its script in the batch are put off, as SCRIPT_ASIDE.
    """

    call_s: float = 0.5
    load_s: float = 2.0
    memory_bytes: int = 32 << 20
    stack_bytes: int = 512 << 10
    kept_bytes: int = 8 << 20
    address_bytes: int = 512 << 20
    contexts: int = 64
    answer_chars: int = 64 << 10
    hasty: bool = False


Call = Literal["uplink", "encode", "downlink"]
"""What is asked of a script: to decode an uplink, to encode a downlink, to decode a downlink."""


class Job(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One payload for one script.

    `script_id` is the script's file name, for messages; `source_hash` is what ScriptHost.register returned.
    `recv_time` is the time of reception as RFC 3339 text, the form published scripts understand. `fresh` gives the call
    a context of its own, for scripts known to keep state. `ref` is the caller's own number for the record. `extra` is a
    JSON object (see extra_input) whose values the script's input has, too: what is to be encoded is its `data`; its
    `context` is also the global of that name. `context`: what the script left there when it decoded this device's
    last message, a JSON array; within a batch the process knows better.
    """

    script_id: str
    source_hash: str
    payload: bytes
    fport: int | None = None
    recv_time: str | None = None
    dev_eui: str | None = None
    fresh: bool = False
    ref: int = 0
    call: Call = "uplink"
    extra: str = ""
    context: str = ""


class Setup(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """First message to the process: its limits, and our own JavaScript by file name (the process opens no files)."""

    limits: Limits
    sources: dict[str, str]


class Source(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A script, sent before the first batch that needs it.

    `files`: those that it may ask for with `require`, by their path in its package; `main` is its own there.
    """

    source_hash: str
    text: str
    main: str = ""
    files: dict[str, str] = {}


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
    """What a script made of a payload. `fields` is a torhaus.codecs.model.Fields.

    `context`: what it wants to keep of the device, a JSON array; None where that has not changed.
    """

    fields: Annotated[dict[FieldName, Value], msgspec.Meta(max_length=MAX_FIELDS)]
    warnings: list[str] = []
    context: Annotated[str, msgspec.Meta(max_length=MAX_CONTEXT)] | None = None


class Refused(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    """Why a script made nothing of it."""

    reason: RejectReason
    detail: str


class Encoded(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """A downlink as a script made it. `fport` is None where the script named none."""

    payload: Annotated[bytes, msgspec.Meta(max_length=MAX_DOWNLINK_BYTES)]
    fport: Annotated[int, msgspec.Meta(ge=0, le=255)] | None = None
    warnings: list[str] = []


class Answers(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Results of the next jobs of the batch."""

    items: list[Decoded | Refused | Encoded]


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


def extra_input(values: dict[str, Any]) -> str:
    """A job's `extra`. ValueError when it is too long or no JSON."""
    try:
        text = msgspec.json.encode(values)
    except (TypeError, UnicodeError, RecursionError) as error:
        raise ValueError(f"not to be written as JSON: {error}") from None
    if len(text) > MAX_EXTRA_BYTES:
        raise ValueError(f"{len(text)} bytes of JSON; a script takes at most {MAX_EXTRA_BYTES}")
    return text.decode() if values else ""


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
