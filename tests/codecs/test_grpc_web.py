"""Answers of a gRPC-Web server: whole, cut, with junk, with trailers in the body or in the headers; hostile bytes."""

import random

import pytest

from torhaus.codecs.framing.grpc_web import MAX_BODY, Answer, build_question, parse_answer
from torhaus.codecs.model import MAX_DETAIL, DecodeError, RejectReason


def frame(data: bytes, flags: int = 0) -> bytes:
    return bytes((flags,)) + len(data).to_bytes(4, "big") + data


def trailers(text: str) -> bytes:
    return frame(text.encode(), 0x80)


OK = trailers("grpc-status:0\r\n")
WHOLE = frame(b"message") + OK


def refusal(body: bytes, headers: dict[str, str] | None = None) -> RejectReason | None:
    refused = None
    try:
        parse_answer(body, headers or {})
    except DecodeError as e:
        refused = e
    assert refused is None or len(refused.detail) <= MAX_DETAIL
    return refused.reason if refused else None


def test_a_question_is_one_frame() -> None:
    assert build_question(b"abc") == b"\0\0\0\0\3abc"
    assert build_question(b"") == bytes(5)


@pytest.mark.parametrize(
    ("body", "headers", "answer"),
    [
        (WHOLE, {}, Answer(0, "", b"message")),
        (WHOLE, {"grpc-status": "13"}, Answer(0, "", b"message")),
        (frame(b"") + OK, {}, Answer(0)),
        (frame(b"m"), {"grpc-status": "0"}, Answer(0, "", b"m")),
        (b"", {"grpc-status": "16", "grpc-message": "not%20allowed%0Anow"}, Answer(16, "not allowed now")),
        (trailers("GRPC-Status : 5 \r\ngrpc-message:no%zz%ff\r\nodd\r\n"), {}, Answer(5, "no%zz\ufffd")),
    ],
)
def test_answers(body: bytes, headers: dict[str, str], answer: Answer) -> None:
    assert parse_answer(body, headers) == answer


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", RejectReason.SHORT),
        (frame(b"m"), RejectReason.SHORT),
        (OK, RejectReason.SHORT),
        (frame(b"m", 1) + OK, RejectReason.UNSUPPORTED),
        (frame(b"m", 2) + OK, RejectReason.SYNTAX),
        (frame(b"m") * 2 + OK, RejectReason.SYNTAX),
        (WHOLE + b"\0", RejectReason.SYNTAX),
        (trailers("grpc-status:17\r\n"), RejectReason.SYNTAX),
        (trailers("grpc-status:-1\r\n"), RejectReason.SYNTAX),
        (trailers("grpc-status:\u0661\r\n"), RejectReason.SYNTAX),
        (bytes(MAX_BODY + 1), RejectReason.LONG),
        (b"\0\xff\xff\xff\xff" + WHOLE, RejectReason.SHORT),
    ],
)
def test_what_is_no_answer(body: bytes, reason: RejectReason) -> None:
    assert refusal(body) is reason


def test_cut_anywhere_it_is_refused() -> None:
    for end in range(len(WHOLE)):
        assert refusal(WHOLE[:end]) is RejectReason.SHORT


def test_random_and_mangled_bytes_leave_with_the_one_error() -> None:
    rng, reasons = random.Random(7), set()
    for n in range(3000):
        data = bytearray(WHOLE)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        reasons.add(refusal(rng.randbytes(rng.randrange(60)) if n % 2 else bytes(data)))
    assert {RejectReason.SHORT, RejectReason.SYNTAX, RejectReason.UNSUPPORTED, None} <= reasons
