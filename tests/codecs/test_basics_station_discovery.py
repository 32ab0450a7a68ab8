"""The question where the network server is, and its answer."""

import json

import pytest

from torhaus.codecs.framing.basics_station.discovery import (
    MAX_BYTES,
    MAX_URI,
    Question,
    answer,
    check_uri,
    parse_question,
    refusal,
)
from torhaus.codecs.model import DecodeError, RejectReason

URI = "wss://gateways.delbrueck.example:3001/router/aa555a0000000101"


@pytest.mark.parametrize(
    ("text", "router", "eui"),
    [
        (b'{"router":"b827:ebff:fe00:1"}', "b827:ebff:fe00:1", "b827ebfffe000001"),
        (b'{"router":1}', 1, "0000000000000001"),
        (b' {"other":[1,{"a":2}],"router":"AA-55-5A-00-00-00-01-01"} ', "AA-55-5A-00-00-00-01-01", "aa555a0000000101"),
        (b'{"router":18446744073709551615}', 18446744073709551615, "f" * 16),
    ],
)
def test_a_question(text: bytes, router: str | int, eui: str) -> None:
    assert parse_question(text) == Question(router, eui)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", RejectReason.SYNTAX),
        (b"{}", RejectReason.SYNTAX),
        (b'{"router":null}', RejectReason.SYNTAX),
        (b'{"router":1.5}', RejectReason.SYNTAX),
        (b'{"router":"::1"', RejectReason.SYNTAX),
        (b'{"router":"::1"}x', RejectReason.SYNTAX),
        (b'{"router":"\xff"}', RejectReason.SYNTAX),
        (b"[" * 1000, RejectReason.SYNTAX),
        (b'{"router":-1}', RejectReason.RANGE),
        (b'{"router":"::1"}' + b" " * MAX_BYTES, RejectReason.LONG),
    ],
)
def test_what_is_no_question(text: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as refused:
        parse_question(text)
    assert refused.value.reason is reason


def test_every_cut_of_a_question_is_refused() -> None:
    whole = b'{"router":"b827:ebff:fe00:1"}'
    for end in range(len(whole)):
        with pytest.raises(DecodeError):
            parse_question(whole[:end])


def test_the_answer_repeats_the_name_as_it_was_written() -> None:
    asked = Question("b827:ebff:fe00:1", "b827ebfffe000001")
    assert json.loads(answer(asked, URI)) == {"router": "b827:ebff:fe00:1", "muxs": "::0", "uri": URI}
    assert json.loads(refusal(asked, "no")) == {"router": "b827:ebff:fe00:1", "error": "no"}


@pytest.mark.parametrize(
    "uri", [URI, "ws://127.0.0.1:1/", "ws://[::1]:3001/router/x", "wss://a:1/" + "x" * (MAX_URI - 10)]
)
def test_a_uri_that_stations_take(uri: str) -> None:
    check_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://a:1/",
        "ws://a/",
        "ws://a:1",
        "ws://:1/",
        "ws://a b:1/",
        "wss://a:1/ü",
        "wss://a:1/" + "x" * (MAX_URI - 9),
    ],
)
def test_a_uri_that_stations_refuse(uri: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        check_uri(uri)
