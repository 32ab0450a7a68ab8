"""Times as protobuf's JSON mapping writes them, against protobuf's own."""

import random

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from torhaus.codecs.framing.chirpstack_gw.times import (
    FIRST_S,
    LAST_S,
    MAX_SPAN_S,
    SECOND,
    format_moment,
    format_span,
    parse_moment,
    parse_span,
)
from torhaus.codecs.model import DecodeError, RejectReason

MOMENTS = [0, 1, -1, 1_700_000_000 * SECOND, 951_782_400 * SECOND, FIRST_S * SECOND, LAST_S * SECOND + SECOND - 1]
SPANS = [0, 1, -1, 1_500_000_000, -1_500_000_000, MAX_SPAN_S * SECOND, -MAX_SPAN_S * SECOND]


def test_moments_are_written_as_protobuf_writes_them() -> None:
    rng = random.Random(868)
    for ns in [*MOMENTS, *(rng.randint(FIRST_S, LAST_S) * SECOND + rng.randrange(SECOND) for _ in range(500))]:
        text = format_moment(ns)
        assert text == Timestamp(seconds=ns // SECOND, nanos=ns % SECOND).ToJsonString()
        assert parse_moment(text) == ns


def test_spans_are_written_as_protobuf_writes_them() -> None:
    rng = random.Random(868)
    for ns in [*SPANS, *(rng.randint(-(10**18), 10**18) for _ in range(500))]:
        text = format_span(ns)
        theirs = Duration()
        theirs.FromJsonString(text)
        assert theirs.seconds * SECOND + theirs.nanos == ns
        assert text == theirs.ToJsonString()
        assert parse_span(text) == ns


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-11-23T09:53:25.4+01:00", "2026-11-23T08:53:25.400Z"),
        ("2026-11-23 09:53:25-00:30", "2026-11-23T10:23:25Z"),
        ("2026-11-23t09:53:25.1234567899z", "2026-11-23T09:53:25.123456789Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ],
)
def test_other_spellings_of_rfc_3339(text: str, same: str) -> None:
    assert format_moment(parse_moment(text)) == same


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-11-23", "2026-11-23T09:53:25", "2026-11-23T09:53:25.Z", "26-11-23T09:53:25Z", "x" * 1000,
        "2026-11-23T09:53:25Z ", "\u0662026-11-23T09:53:25Z", "2026-11-23T09:53:25+1:00",
    ],
)  # fmt: skip
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        parse_moment(text)
    assert refusal.value.reason is RejectReason.SYNTAX


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:61Z",
        "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:60Z", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+00:60",
    ],
)  # fmt: skip
def test_moments_that_do_not_exist(text: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        parse_moment(text)
    assert refusal.value.reason is RejectReason.RANGE


@pytest.mark.parametrize("text", ["", "s", "1", "1.s", ".5s", "+1s", "1e3s", "1.1234567890s", "9999999999999s", "٣s"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        parse_span(text)
    assert refusal.value.reason is RejectReason.SYNTAX


def test_times_beyond_the_bounds_are_refused() -> None:
    for ns in (FIRST_S * SECOND - 1, (LAST_S + 1) * SECOND):
        with pytest.raises(DecodeError):
            format_moment(ns)
    for ns in ((MAX_SPAN_S + 1) * SECOND, -(MAX_SPAN_S + 1) * SECOND):
        with pytest.raises(DecodeError):
            format_span(ns)
    with pytest.raises(DecodeError):
        parse_span(f"{MAX_SPAN_S + 1}s")
