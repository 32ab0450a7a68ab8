"""What the broker's answers mean for records that are several messages each."""

import pytest

from torhaus.daemon.forward.base import Outcome
from torhaus.daemon.forward.chirpstack_fates import Fates
from torhaus.daemon.forward.chirpstack_frames import Parcel
from torhaus.daemon.forward.flight import PENDING, UNSENDABLE, Receipts


def parcel(index: int) -> Parcel:
    return Parcel(index, "aa555a0000000101", "up", b"", "s/0/1")


def outcome(fates: Fates, *stale: int) -> Outcome:
    found = Outcome([], {}, {}, {})
    fates.into(found, lambda index: index in stale)
    return found


def test_a_record_has_arrived_when_all_its_messages_have() -> None:
    fates = Fates()
    fates.note([parcel(0), parcel(0), parcel(1), parcel(1), parcel(2)], Receipts([0, 0, 0, 0x10, 0], {}))
    found = outcome(fates)
    assert found.accepted == [0, 2]
    assert list(found.kept) == [1]
    assert "no matching subscribers" in found.kept[1]


@pytest.mark.parametrize("order", [(0, 0x10, UNSENDABLE), (UNSENDABLE, 0x10, 0), (0x10, UNSENDABLE, 0)])
def test_the_worst_counts(order: tuple[int, ...]) -> None:
    fates = Fates()
    for code in order:
        fates.note([parcel(0)], Receipts([code], {0: "too long"} if code == UNSENDABLE else {}))
    assert outcome(fates).rejected == {0: "too long"}


@pytest.mark.parametrize("code", [0x87, 0x97, 0x80, 0x10, 0x55])
def test_refused_for_now(code: int) -> None:
    fates = Fates()
    fates.note([parcel(0), parcel(1)], Receipts([code, code], {}))
    found = outcome(fates, 1)
    assert list(found.kept) == [0]
    assert found.dropped == {1: "late_report"}


@pytest.mark.parametrize("code", [0x90, 0x95, 0x99])
def test_refused_for_good(code: int) -> None:
    fates = Fates()
    fates.note([parcel(0)], Receipts([code], {0: "why"}))
    assert "why" in outcome(fates).rejected[0]


def test_a_connection_that_ends() -> None:
    fates = Fates()
    receipts = Receipts([0, PENDING, PENDING], {}, lost="gone", in_flight=[1], all_in_flight=1)
    fates.note([parcel(0), parcel(1), parcel(2)], receipts)
    fates.unsent([parcel(3)])
    found = outcome(fates)
    assert (found.accepted, found.kept, found.rejected) == ([0], {1: "gone"}, {})
    assert fates.lost == "gone"
    assert not fates.blamed


@pytest.mark.parametrize("others", [0, 1])
def test_a_connection_that_ends_over_a_message(others: int) -> None:
    fates = Fates()
    parcels = [parcel(n) for n in range(1 + others)]
    flying = list(range(1 + others))
    fates.note(parcels, Receipts([PENDING] * len(parcels), {}, "too large", 0x95, flying, len(flying)))
    assert fates.blamed is bool(others)
    assert outcome(fates).rejected == ({} if others else {0: "too large"})
