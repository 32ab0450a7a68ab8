"""The oracle finds every number whatever way the stream is cut, and counts what is twice, unknown or late."""

import pytest

from bench.oracle import NUMBER, TORHAUS, Tally
from bench.publisher import reading


def message(index: int, counter: int, late: str = "false") -> bytes:
    return b'{"id":"x","late":%s,"lora":{"dev_addr":"%08x","fcnt":%d,"fport":5},"raw":"AA=="}' % (
        late.encode(),
        0x01000000 + index,
        counter,
    )


STREAM = b"\x30\x7f".join([message(0, 0), message(1, 0), message(0, 1, "true"), message(0, 0), message(3, 77)])


@pytest.mark.parametrize("size", [1, 2, 7, 60, 10_000])
def test_whatever_way_the_stream_is_cut(size: int) -> None:
    tally = Tally(4, 2, TORHAUS)
    for at in range(0, len(STREAM), size):
        tally.feed(STREAM[at : at + size], 1.0 + at)
    state = tally.state()
    assert (state["unique"], state["repeats"], state["unknown"], state["late"]) == (3, 1, 1, 1)
    assert state["bytes"] == len(STREAM)
    assert [bool(at) for at in tally.at] == [True, True, True, False]


def test_span() -> None:
    tally = Tally(4, 2, TORHAUS)
    tally.feed(message(0, 0), 5.0)
    tally.feed(message(1, 0), 7.0)
    assert tally.span(0, 4) == {"count": 2, "first_at": 5.0, "last_at": 7.0}
    assert tally.span(2, 4) == {"count": 0, "first_at": 0.0, "last_at": 0.0}


def test_what_the_peers_are_given_is_found() -> None:
    tally = Tally(20, 1, NUMBER)
    for n in (0, 7, 19):
        tally.feed(reading(n)[1], 1.0)
    tally.feed(b'{"sensor-1":[{"ts":1,"values":{"n":8,"co2":1.0}},{"ts":2,"values":{"n": 9}}]}', 1.0)
    assert [n for n, at in enumerate(tally.at) if at] == [0, 7, 8, 9, 19]
