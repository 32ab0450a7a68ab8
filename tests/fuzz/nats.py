"""What a NATS server says, read as the forwarder does: in pieces, receipts many at a time."""

from typing import Final

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.nats.acks import Receipts, read_ack
from torhaus.daemon.nats.wire import BrokenStreamError, Decoder, Msg

INBOX: Final = "_INBOX.ab"


def _answer(number: int, body: bytes) -> bytes:
    return b"MSG %b.%d 1  %d\r\n%b\r\n" % (INBOX.encode(), number, len(body), body)


SEEDS: Final = [
    b'INFO {"server_id":"X","max_payload":1048576,"headers":true,"nonce":"n"} \r\nPONG\r\n'
    + _answer(1, b'{"stream":"T","seq":1}')
    + _answer(2, b'{"stream":"T", "seq":2,"duplicate":true}'),
    _answer(3, b'{"error":{"err_code":10077,"description":"full"},"seq":0}')
    + b"HMSG _INBOX.ab.4 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n-ERR 'Slow Consumer'\r\nPING\r\n",
]
PIECE: Final = 37


def read(data: bytes) -> int:
    """How many receipts there were; a stream that breaks is refused."""
    decoder, receipts, count = Decoder(), Receipts(INBOX, 1, ""), 0
    for at in range(0, len(data), PIECE):
        piece = data[at : at + PIECE]
        if not decoder.is_skipping:
            piece = decoder.take_back(piece)
            taken, end = receipts.leading(piece)
            count += len(taken)
            piece = piece[end:]
        try:
            events = decoder.feed(piece)
        except BrokenStreamError as error:
            raise DecodeError(RejectReason.SYNTAX, error.detail) from None
        for event in events:
            if isinstance(event, Msg):
                count += read_ack(1, event, "").reason_code == 0
    return count
