import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.lorawan.fcnt import Kind, candidates

TOP = (1 << 32) - 1
LAST = st.integers(0, TOP) | st.integers(0, 200_000) | st.sampled_from((0, 0xFFFE, 0xFFFF, 0x10000, TOP - 1, TOP))


@pytest.mark.parametrize(
    ("fcnt16", "last", "expected"),
    [
        (7, None, [(7, Kind.NEXT)]),
        (0, 0, [(0, Kind.RETRANSMISSION), (0x10000, Kind.NEXT)]),
        (5, 4, [(5, Kind.NEXT)]),
        (9, 4, [(9, Kind.NEXT)]),
        (0, 0xFFFF, [(0x10000, Kind.NEXT), (0, Kind.RESET)]),
        (0xFFFF, 0xFFFF, [(0xFFFF, Kind.RETRANSMISSION), (0x1FFFF, Kind.NEXT)]),
        (3, 4, [(0x10003, Kind.NEXT), (3, Kind.RESET)]),
        (5, 0x10004, [(0x10005, Kind.NEXT), (5, Kind.RESET)]),
        (4, 0x10004, [(0x10004, Kind.RETRANSMISSION), (0x20004, Kind.NEXT), (4, Kind.RESET)]),
        (3, 0x20004, [(0x30003, Kind.NEXT), (0x20003, Kind.OLD), (3, Kind.RESET)]),
        (0xFFFF, TOP - 1, [(TOP, Kind.NEXT), (TOP - 0x10000, Kind.OLD), (0xFFFF, Kind.RESET)]),
        (0, TOP, [(TOP - 0xFFFF, Kind.OLD), (0, Kind.RESET)]),
    ],
)
def test_table(fcnt16: int, last: int | None, expected: list[tuple[int, Kind]]) -> None:
    assert list(candidates(fcnt16, last)) == expected


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 0xFFFF), LAST)
def test_every_candidate_is_what_it_says(fcnt16: int, last: int) -> None:
    found = candidates(fcnt16, last)
    values = [value for value, _ in found]
    assert len(set(values)) == len(values) <= 3
    for value, kind in found:
        assert 0 <= value <= TOP
        assert value & 0xFFFF == fcnt16
        if kind is Kind.NEXT:
            assert last < value <= last + 0x10000
        elif kind is Kind.RETRANSMISSION:
            assert value == last
        elif kind is Kind.OLD:
            assert last - 0x10000 < value < last
            assert value != fcnt16
        else:
            assert value == fcnt16 < last
    assert (Kind.RETRANSMISSION in {kind for _, kind in found}) == (fcnt16 == last & 0xFFFF)


@settings(max_examples=200, deadline=None)
@given(LAST, st.integers(1, 0x10000))
def test_a_newer_counter_is_found_first_unless_it_repeats(last: int, step: int) -> None:
    true = last + step
    if true > TOP:
        return
    found = candidates(true & 0xFFFF, last)
    assert found[1 if step == 0x10000 else 0] == (true, Kind.NEXT)


@settings(max_examples=200, deadline=None)
@given(LAST, st.integers(0, 0xFFFF))
def test_an_older_counter_is_never_new(last: int, back: int) -> None:
    true = last - back
    if true < 0:
        return
    kinds = dict(candidates(true & 0xFFFF, last))
    assert kinds[true] is (Kind.RETRANSMISSION if not back else Kind.RESET if true <= 0xFFFF else Kind.OLD)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 0xFFFF))
def test_without_history_the_upper_half_is_zero(fcnt16: int) -> None:
    assert candidates(fcnt16, None) == ((fcnt16, Kind.NEXT),)
