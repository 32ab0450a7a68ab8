import itertools

import pytest

from torhaus.daemon.scans.states import DELIVERABLE, MOVES, TAKEN_BACK, BadMove, State, check_move


def test_every_state_is_in_the_table_and_reachable_from_arrived() -> None:
    assert set(MOVES) == set(State)
    reached, new = {State.ARRIVED}, {State.ARRIVED}
    while new:
        new = set(itertools.chain.from_iterable(MOVES[s] for s in new)) - reached
        reached |= new
    assert reached == set(State)


@pytest.mark.parametrize(("old", "new"), list(itertools.product(State, State)))
def test_only_moves_of_the_table_pass(old: State, new: State) -> None:
    for table, back in ((MOVES, False), (TAKEN_BACK, True)):
        if new in table.get(old, ()):
            check_move(old, new, back=back)
        else:
            with pytest.raises(BadMove):
                check_move(old, new, back=back)


def test_a_complaint_takes_a_scan_back_to_where_it_may_have_stood() -> None:
    assert {new for new, after in MOVES.items() if State.RELEASED in after} == TAKEN_BACK[State.RELEASED]


def test_only_verified_opens_the_way_to_release() -> None:
    before_release = {old for old, new in MOVES.items() if State.RELEASED in new}
    assert before_release == {State.VERIFIED, State.FILED, State.SPLIT}  # a stack: when its documents are
    assert {old for old, new in MOVES.items() if State.VERIFIED in new} == {State.TRANSFERRED}
    by_rule, by_person = {State.VERIFIED, State.FILED, State.RELEASED, State.SPLIT}, {State.HELD, State.QUARANTINED}
    assert {old for old, new in MOVES.items() if State.PURGED in new} == by_rule | by_person


def test_stored_values_never_change() -> None:
    assert [s.value for s in State] == [
        "arrived", "spooled", "sealed", "delivering", "transferred", "verified", "filed", "released", "purged",
        "quarantined", "held", "split",
    ]  # fmt: skip
    assert [s.value for s in DELIVERABLE] == ["sealed", "delivering", "transferred"]
