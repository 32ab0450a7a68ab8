"""Records as the bytes that a message carries, one by one or several as an array. Pure."""

import struct
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from torhaus.daemon.forward.flight import ProtocolError
from torhaus.daemon.forward.message import Message

Format = Literal["json", "msgpack"]
CONTENT_TYPES: Final[dict[Format, str]] = {"json": "application/json", "msgpack": "application/msgpack"}

_MSGPACK_ARRAY: Final = struct.Struct(">BH")  # array 16 of the MessagePack specification


class Payloads:
    """In one format."""

    def __init__(self, format_: Format) -> None:
        encoder = msgspec.json.Encoder() if format_ == "json" else msgspec.msgpack.Encoder()
        self._encode: Callable[[Message], bytes] = encoder.encode
        self._format = format_

    def payload(self, message: Message) -> bytes:
        """The record as it is sent. Raises ProtocolError where it cannot be written."""
        try:
            return self._encode(message)
        except (ValueError, TypeError, OverflowError, msgspec.MsgspecError) as error:
            raise ProtocolError(f"cannot be written as {self._format}: {error}") from None

    def pack(self, payloads: list[bytes]) -> bytes:
        """Several payloads as one: an array of them."""
        if self._format == "json":
            return b"[" + b",".join(payloads) + b"]"
        return _MSGPACK_ARRAY.pack(0xDC, len(payloads)) + b"".join(payloads)
