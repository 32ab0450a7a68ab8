import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutate import mutants
from torhaus.daemon.forward.flight import ProtocolError
from torhaus.daemon.nats import wire
from torhaus.daemon.nats.wire import BrokenStreamError, Decoder, Err, Event, Info, Msg, Ping, Pong

INFO = b'INFO {"server_id":"X","max_payload":4096,"headers":true,"nonce":"n","connect_urls":["a:1"]} \r\n'
STREAM = (
    INFO
    + b"PING\r\nPONG\r\n+OK\r\n-ERR 'Slow Consumer'\r\n"
    + b"MSG _INBOX.a.1 1 5\r\nhello\r\n"
    + b"MSG _INBOX.a.1 1  0\r\n\r\n"
    + b"MSG a.b 2 reply.to 2\r\n\r\n\r\n"
    + b"HMSG a 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"
    + b"HMSG a 2 r 27 29\r\nNATS/1.0 408 Time\r\nA: b\r\n\r\nxy\r\n"
    + b"hmsg a 2 12 14\r\nNATS/1.0\r\n\r\nxy\r\n"
    + b"ping\r\n"
)
EVENTS: list[Event] = [
    Info(4096, headers=True, nonce="n"),
    Ping(),
    Pong(),
    Err("Slow Consumer"),
    Msg(b"_INBOX.a.1", 1, b"", b"hello", 5),
    Msg(b"_INBOX.a.1", 1, b"", b"", 0),
    Msg(b"a.b", 2, b"reply.to", b"\r\n", 2),
    Msg(b"a", 1, b"", b"", 0, 503),
    Msg(b"a", 2, b"r", b"xy", 2, 408, "Time"),
    Msg(b"a", 2, b"", b"xy", 2),
    Ping(),
]


def test_whole_and_byte_by_byte() -> None:
    assert Decoder().feed(STREAM) == EVENTS
    decoder = Decoder()
    assert [event for byte in STREAM for event in decoder.feed(bytes((byte,)))] == EVENTS


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=8), st.integers(0, len(STREAM)))
def test_any_chunking_and_any_end(cuts: list[int], end: int) -> None:
    decoder, found, at = Decoder(), [], 0
    for cut in sorted({*(c for c in cuts if c < end), end}):
        found += decoder.feed(STREAM[at:cut])
        at = cut
    assert found == EVENTS[: len(found)], "no event that did not come"
    assert found + decoder.feed(STREAM[end:]) == EVENTS


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"GET / HTTP/1.1\r\n", "begins with 'GET / HTTP/1'"),
        (b"\x16\x03\x01\x02\r\n", "begins with"),
        (b"\r\n", "begins with ''"),
        (b"INFO {\r\n", "an INFO that is none"),
        (b"INFO []\r\n", "an INFO that is none"),
        (b'INFO {"max_payload":"x"}\r\n', "an INFO that is none"),
        (b"INFO " + b"[" * 5000 + b"\r\n", "an INFO that is none"),
        (b"MSG a 1\r\n", "too few or too many words"),
        (b"MSG a 1 r 2 3\r\n", "too few or too many words"),
        (b"MSG a x 1\r\n", "a number that is none"),
        (b"MSG a 1 -1\r\n", "a number that is none"),
        (b"MSG a 1 +1\r\n", "a number that is none"),
        ("MSG a 1 ²\r\n".encode(), "a number that is none"),
        (b"MSG a 1 99999999999\r\n", "a number that is none"),
        (b"MSG a 1 99999999\r\n", "a message of 99999999 bytes"),
        (b"MSG a 1 2\r\nhello\r\n", "does not end where it says"),
        (b"HMSG a 1 9 5\r\nhello\r\n", "headers are longer than it is"),
        (b"HMSG a 1 5 5\r\nhello\r\n", "headers of an unknown version"),
        (b"HMSG a 1 16 16\r\nNATS/1.0 5x3\r\n\r\n\r\n", "a status that is none"),
        (b"x" * (wire.MAX_LINE_BYTES + 1), "a line of more than 65536 bytes"),
    ],
)
def test_what_is_refused_and_what_came_before(data: bytes, says: str) -> None:
    decoder = Decoder()
    with pytest.raises(BrokenStreamError) as caught:
        decoder.feed(b"PING\r\n" + data)
    assert says in caught.value.detail
    assert caught.value.events == [Ping()]
    with pytest.raises(BrokenStreamError) as again:
        decoder.feed(b"PING\r\n")
    assert again.value.events == [], "once broken it stays so"


def test_a_message_too_long_is_read_past_and_not_kept() -> None:
    size = 3 << 20
    decoder = Decoder()
    found = decoder.feed(b"MSG a 2 r %d\r\n" % size)
    for _ in range(3 << 4):
        assert decoder.is_skipping
        found += decoder.feed(bytes(1 << 16))
    found += decoder.feed(b"\r\nPING\r\n")
    assert found == [Msg(b"a", 2, b"r", b"", size), Ping()]
    assert not decoder.is_skipping


def test_what_has_not_come_to_its_end_can_be_taken_back() -> None:
    decoder = Decoder()
    assert decoder.feed(b"PO") == []
    assert decoder.take_back(b"NG\r\n") == b"PONG\r\n"
    assert decoder.feed(b"PONG\r\n") == [Pong()]


def test_complaints_are_made_printable() -> None:
    assert Decoder().feed(b"-ERR 'a\x1b[31m\xff\n'\r\n") == [Err("a?[31m\ufffd?")]
    (found,) = Decoder().feed(b"-ERR '" + b"x" * 10_000 + b"'\r\n")
    assert isinstance(found, Err)
    assert len(found.text) == wire.MAX_ERR


def test_only_its_own_error_leaves_it() -> None:
    rand = random.Random(20261126)
    for data in [*mutants([STREAM, INFO], 4000, 7), *(rand.randbytes(rand.randrange(200)) for _ in range(1000))]:
        decoder, at = Decoder(), 0
        while at < len(data):
            cut = at + rand.randrange(1, 64)
            try:
                decoder.feed(data[at:cut])
            except BrokenStreamError as error:
                assert len(error.detail) <= 200  # noqa: PT017
                break
            at = cut


def test_what_is_written() -> None:
    assert wire.encode_sub("a.*", 1) == b"SUB a.* 1\r\n"
    assert wire.encode_publish(b"a", b"", b"xy") == b"PUB a  2\r\nxy\r\n"
    assert wire.encode_publish_with(b"a", b"r", b"NATS/1.0\r\n\r\n", b"x") == b"HPUB a r 12 13\r\nNATS/1.0\r\n\r\nx\r\n"
    assert wire.encode_connect({"user": "a\r\nb"}) == b'CONNECT {"user":"a\\r\\nb"}\r\n'
    with pytest.raises(ProtocolError, match="no text"):
        wire.encode_connect({"user": "\ud800"})
