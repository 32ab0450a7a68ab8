import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.daemon.nats.acks import (
    FORBIDDEN,
    NO_RECEIPT,
    NO_STREAM,
    OTHER_STREAM,
    TOO_LARGE,
    UNKNOWN,
    Reasons,
    Receipts,
    read_ack,
)
from torhaus.daemon.nats.wire import Decoder, Msg


def answer(payload: bytes, status: int = 0, description: str = "") -> Msg:
    return Msg(b"i.7", 1, b"", payload, len(payload), status, description)


@pytest.mark.parametrize(
    ("payload", "code", "text"),
    [
        (b'{"stream":"T", "seq":1}', 0, None),
        (b'{"stream":"T","seq":5,"duplicate":true,"domain":"hub"}', 0, None),
        (b'{"error":{"code":400,"err_code":10060,"description":"no"},"stream":"T","seq":0}', 10_060, "no"),
        (b'{"error":{"code":503,"err_code":10077},"stream":"T","seq":9}', 10_077, ""),
        # an error is one, whatever its number: 0 would mean that it was taken
        (b'{"error":{"err_code":0},"stream":"T","seq":9}', UNKNOWN, ""),
        (b'{"error":{},"stream":"T","seq":9}', UNKNOWN, ""),
        (b'{"error":{"err_code":-1}}', UNKNOWN, ""),
        (b'{"error":{"err_code":2}}', UNKNOWN, ""),
        (b'{"stream":"","seq":1}', NO_RECEIPT, None),
        (b'{"stream":"T","seq":0}', NO_RECEIPT, None),
        (b'{"stream":"T"}', NO_RECEIPT, None),
        (b"{}", NO_RECEIPT, None),
        (b"+OK", NO_RECEIPT, None),
        (b"", NO_RECEIPT, None),
        (b"\xff", NO_RECEIPT, None),
        (b'{"stream":"T","seq":"1"}', NO_RECEIPT, None),
        (b"[" * 5000, NO_RECEIPT, None),
    ],
)
def test_what_an_answer_means(payload: bytes, code: int, text: str | None) -> None:
    ack = read_ack(7, answer(payload), "")
    assert (ack.packet_id, ack.reason_code, ack.reason_str) == (7, code, text)


def test_a_status_is_no_receipt_and_another_stream_neither() -> None:
    assert read_ack(7, answer(b"", 503), "").reason_code == NO_STREAM
    assert read_ack(7, answer(b'{"stream":"T","seq":1}', 100, "Idle"), "").reason_code == NO_RECEIPT
    ack = read_ack(7, answer(b'{"stream":"T","seq":1}'), "S")
    assert (ack.reason_code, ack.reason_str) == (OTHER_STREAM, "T")


def line(number: int, payload: bytes, size: int | None = None, spaces: int = 2) -> bytes:
    length = len(payload) if size is None else size
    return b"MSG _INBOX.ab.%d 1%b%d\r\n%b\r\n" % (number, b" " * spaces, length, payload)


def test_many_receipts_at_once() -> None:
    receipts = Receipts("_INBOX.ab", 1, "")
    good = [
        line(1, b'{"stream":"T", "seq":1}'),
        line(2, b'{"stream":"T","seq":2,"duplicate": true}', spaces=1),
        line(3, b'{"stream":"T","seq":3,"domain":"hub","duplicate":true}'),
    ]
    data = b"".join(good)
    assert receipts.leading(data + line(4, b"{}")) == ([1, 2, 3], len(data))
    assert receipts.leading(data + b"MSG _INBOX.ab.4") == ([1, 2, 3], len(data))
    assert receipts.leading(b"") == ([], 0)


@pytest.mark.parametrize(
    "data",
    [
        line(1, b'{"stream":"T","seq":1}', 21),
        line(1, b'{"stream":"T","seq":0}'),
        line(1, b'{"stream":"","seq":1}'),
        line(1, b'{"stream":"T","seq":1,"error":{}}'),
        line(1, b'{"stream":"T\\"","seq":1}'),
        line(1, b'{"stream":"T","seq":1}').replace(b"ab", b"ac"),
        line(1, b'{"stream":"T","seq":1}').replace(b".ab.", b"xab."),
    ],
)
def test_what_looks_like_a_receipt_is_left_to_others(data: bytes) -> None:
    assert Receipts("_INBOX.ab", 1, "").leading(data) == ([], 0)


def test_only_the_expected_stream() -> None:
    receipts = Receipts("_INBOX.ab", 1, "T.x")
    assert receipts.leading(line(1, b'{"stream":"T.x","seq":1}'))[0] == [1]
    assert receipts.leading(line(1, b'{"stream":"Tax","seq":1}'))[0] == []


@given(st.binary(max_size=60), st.sampled_from(["", "T"]))
def test_both_ways_to_read_agree(rest: bytes, expected: str) -> None:
    for payload in (b'{"stream":"T", "seq":1' + rest, b'{"stream":"' + rest + b'","seq":1}', rest):
        data = line(7, payload)
        taken, end = Receipts("_INBOX.ab", 1, expected).leading(data)
        if taken and end == len(data):
            (event,) = Decoder().feed(data)
            assert isinstance(event, Msg)
            assert read_ack(7, event, expected).reason_code == 0


def test_the_table() -> None:
    reasons = Reasons()
    assert [code for code in (FORBIDDEN, TOO_LARGE, NO_STREAM, 10_054, 10_077, 10_999) if reasons.is_final(code)] == [
        TOO_LARGE,
        10_054,
    ]
    assert reasons.blames_message(TOO_LARGE)
    assert not reasons.blames_message(10_054)
    assert reasons.describe(10_077, "maximum\nbytes") == (
        "the stream could not store it (10077): maximum?bytes; "
        "it may be full: look at its limits and its discard policy"
    )
    assert reasons.describe(12_345, "x") == "refused (12345): x"
    assert reasons.describe(FORBIDDEN).startswith("not permitted to publish; ")
    assert msgspec.json.encode(reasons.describe(NO_STREAM))
