"""What JetStream answers to a message, and what that means for the record. One table, nothing decided elsewhere.

Source: NATS documentation, "JetStream wire API reference", io.nats.jetstream.api.v1.pub_ack_response; error codes:
nats-server's server/errors.json (the numbers are API). Pure.
"""

import re
from typing import Final

import msgspec

from torhaus.daemon.nats.wire import Msg, printable

FORBIDDEN: Final = 1
TOO_LARGE: Final = 2
NO_RECEIPT: Final = 3
OTHER_STREAM: Final = 4
UNKNOWN: Final = 5
NO_STREAM: Final = 503
"""Codes of ours for what has none in JetStream; it numbers its own from 10,000."""
_JETSTREAM: Final = range(10_000, 100_000)


class Meaning(msgspec.Struct, frozen=True, gc=False):
    """One code. `is_final`: this very message will never be taken; else it is kept. `hint` says what to do about it."""

    name: str
    is_final: bool = False
    hint: str = ""


MEANINGS: Final[dict[int, Meaning]] = {
    FORBIDDEN: Meaning("not permitted to publish", hint="let this user publish to its subjects"),
    TOO_LARGE: Meaning("larger than the server takes", is_final=True, hint="raise the server's max_payload"),
    NO_RECEIPT: Meaning("the answer is no acknowledgement of JetStream", hint="something else answers to this subject"),
    OTHER_STREAM: Meaning("stored in another stream than expected", hint="check expected_stream"),
    UNKNOWN: Meaning("refused"),
    NO_STREAM: Meaning("no stream takes this subject", hint="add the subject to a stream; JetStream must be enabled"),
    10_002: Meaning("the account's resources are used up", hint="raise the account's JetStream limits"),
    10_023: Meaning("the server's resources are used up"),
    10_028: Meaning("the server's memory for JetStream is used up"),
    10_039: Meaning("JetStream is not enabled for this account", hint="enable it in the server's account"),
    10_047: Meaning("the server's storage for JetStream is used up", hint="raise max_file_store"),
    10_054: Meaning("larger than the stream takes", is_final=True, hint="raise the stream's max_msg_size"),
    10_060: Meaning("the stream is not the one expected", hint="check expected_stream"),
    10_076: Meaning("JetStream is not enabled", hint="start the server with JetStream"),
    10_077: Meaning("the stream could not store it", hint="it may be full: look at its limits and its discard policy"),
    10_097: Meaning("headers larger than the stream takes", is_final=True),
    10_109: Meaning("the stream is sealed", hint="nothing can be added to it any more"),
}


class Ack(msgspec.Struct, gc=False):
    """What came of a message: `reason_code` 0 means that a stream has stored it, now or before."""

    packet_id: int
    reason_code: int = 0
    reason_str: str | None = None


class _Error(msgspec.Struct):
    err_code: int = 0
    description: str = ""


class _PubAck(msgspec.Struct):
    stream: str = ""
    seq: int = 0
    error: _Error | None = None


_decode: Final = msgspec.json.Decoder(_PubAck).decode


def read_ack(packet_id: int, msg: Msg, expected_stream: str) -> Ack:
    """The answer to a message. Only a stream's name with a sequence number is a receipt; a repeat has one, too."""
    if msg.status == NO_STREAM:
        return Ack(packet_id, NO_STREAM)
    if msg.status:
        return Ack(packet_id, NO_RECEIPT, f"{msg.status} {msg.description}")
    try:
        found = _decode(msg.payload)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Ack(packet_id, NO_RECEIPT)
    if found.error is not None:
        code = found.error.err_code
        return Ack(packet_id, code if code in _JETSTREAM else UNKNOWN, found.error.description)
    if not found.stream or found.seq < 1:
        return Ack(packet_id, NO_RECEIPT)
    if expected_stream and found.stream != expected_stream:
        return Ack(packet_id, OTHER_STREAM, found.stream)
    return Ack(packet_id)


class Receipts:
    """Reads receipts to one inbox as servers write them, many in a row, without taking each apart.

    What is written in any other way is left to `Decoder` and `read_ack`: they come to the same result, or to another.
    """

    def __init__(self, inbox: str, sid: int, expected_stream: str) -> None:
        stream = re.escape(expected_stream.encode()) or rb"[ !#-\[\]-~]+"
        self._match = re.compile(
            rb"MSG %b\.(\d{1,15}) %d {1,2}(\d{1,3})\r\n" % (re.escape(inbox.encode()), sid)
            + rb'(\{"stream":"%b", ?"seq":[1-9]\d{0,18}(?:,"domain":"[ !#-\[\]-~]*")?(?:, ?"duplicate": ?true)?\})\r\n'
            % stream
        ).match

    def leading(self, data: bytes) -> tuple[list[int], int]:
        """The ids of the receipts that `data` begins with, and where they end."""
        ids, at, match = [], 0, self._match
        while (found := match(data, at)) is not None:
            number, size, body = found.groups()
            if int(size) != len(body):
                break
            ids.append(int(number))
            at = found.end()
        return ids, at


class Reasons:
    """The table, as the forwarder's Verdicts asks it."""

    no_receipt = "no acknowledgement"

    def is_final(self, code: int) -> bool:
        """Whether a message with this answer will never be taken."""
        return code in MEANINGS and MEANINGS[code].is_final

    def blames_message(self, code: int) -> bool:
        """Whether the end of the connection was provoked by one of the messages in flight."""
        return code == TOO_LARGE

    def describe(self, code: int, detail: str | None = None) -> str:
        """One line for status and log: what it means, the code, the server's own words, a hint."""
        meaning = MEANINGS.get(code, MEANINGS[UNKNOWN])
        text = f"{meaning.name} ({code})" if code >= NO_STREAM else meaning.name
        if detail:
            text += f": {printable(detail, 100)}"
        return f"{text}; {meaning.hint}" if meaning.hint else text
