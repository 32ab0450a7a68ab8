"""Frames in any chunks, and messages that are none."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.model import RejectReason, Value
from torhaus.daemon.scripts.protocol import (
    MAX_EXTRA_BYTES,
    MAX_FIELDS,
    MAX_FRAME_BYTES,
    MAX_NAME,
    Answers,
    Batch,
    Decoded,
    Encoded,
    Failed,
    Forget,
    FrameReader,
    Job,
    Limits,
    ProtocolError,
    Ready,
    Refused,
    Reply,
    Request,
    Setup,
    Source,
    decode_reply,
    decode_request,
    encode,
    extra_input,
)

REQUESTS: list[Request] = [
    Setup(Limits(), {"prelude.js": "1"}),
    Source("ab", "function () {}"),
    Forget("ab"),
    Batch(
        [
            Job("a.js", "ab", b"\x00\xff", 5, "2026-01-02T03:04:05Z", "a81758fffe0312ab", True, 7),
            Job("b.js", "cd", b""),
            Job("c.js", "ef", b"", call="encode", extra='{"data":1}'),
        ]
    ),
]
REPLIES: list[Reply] = [
    Ready(),
    Answers([Decoded({"a": Value(1.5), "b": Value("x"), "c": Value(None), "d": Value(True)}, ["w"])]),
    Answers([Refused(RejectReason.SCRIPT_TIME, "late"), Decoded({}), Encoded(b"\x01", 5, ["w"])]),
    Failed("why"),
]


def test_there_and_back() -> None:
    assert [decode_request(body) for body in FrameReader().feed(b"".join(map(encode, REQUESTS)))] == REQUESTS
    assert [decode_reply(body) for body in FrameReader().feed(b"".join(map(encode, REPLIES)))] == REPLIES


@settings(max_examples=100, deadline=None)
@given(cuts=st.lists(st.integers(0, 400)))
def test_any_chunks(cuts: list[int]) -> None:
    stream = b"".join(map(encode, REQUESTS))
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    reader = FrameReader()
    bodies = [body for a, b in pairwise(edges) for body in reader.feed(stream[a:b])]
    assert [decode_request(body) for body in bodies] == REQUESTS


def test_byte_by_byte_and_truncated() -> None:
    stream = b"".join(map(encode, REPLIES))
    reader = FrameReader()
    bodies = [body for byte in stream[:-1] for body in reader.feed(bytes([byte]))]
    assert [decode_reply(body) for body in bodies] == REPLIES[:-1]
    assert [decode_reply(body) for body in reader.feed(stream[-1:])] == REPLIES[-1:]


def test_lengths_are_bounded() -> None:
    with pytest.raises(ProtocolError):
        FrameReader().feed((MAX_FRAME_BYTES + 1).to_bytes(4, "big"))
    assert FrameReader().feed(MAX_FRAME_BYTES.to_bytes(4, "big")) == []
    with pytest.raises(ProtocolError):
        encode(Source("ab", "x" * MAX_FRAME_BYTES))


@pytest.mark.parametrize(
    "reply",
    [
        Answers([Decoded({"x" * (MAX_NAME + 1): Value(1)})]),
        Answers([Decoded({f"x{n}": Value(n) for n in range(MAX_FIELDS + 1)})]),
    ],
    ids=["name", "count"],
)
def test_fields_are_bounded(reply: Reply) -> None:
    with pytest.raises(ProtocolError):
        decode_reply(encode(reply)[4:])


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=80))
def test_junk_is_refused(body: bytes) -> None:
    for decode in (decode_request, decode_reply):
        with suppress(ProtocolError):
            decode(body)


@settings(max_examples=200, deadline=None)
@given(which=st.integers(0, 3), at=st.integers(0, 200), byte=st.integers(0, 255))
def test_flipped_bytes_and_cut_ends(which: int, at: int, byte: int) -> None:
    body = encode(REPLIES[which])[4:]
    at %= len(body)
    for broken in (body[:at], body[:at] + bytes([byte]) + body[at + 1 :], body + bytes([byte])):
        with suppress(ProtocolError):
            decode_reply(broken)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(ProtocolError):
        decode_reply(b"\x91" * 100_000)


def test_extra_input() -> None:
    assert extra_input({}) == ""
    assert extra_input({"data": {"a": [1, None]}}) == '{"data":{"a":[1,null]}}'
    with pytest.raises(ValueError, match="at most"):
        extra_input({"data": "x" * MAX_EXTRA_BYTES})
    with pytest.raises(ValueError, match="JSON"):
        extra_input({"data": object()})
