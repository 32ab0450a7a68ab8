import pytest

from tests.daemon.mqtt_fakes import item
from torhaus.daemon.forward.base import Outcome, Unavailable
from torhaus.daemon.forward.flight import PENDING, UNSENDABLE, Receipts
from torhaus.daemon.forward.payloads import Payloads
from torhaus.daemon.forward.verdicts import Verdicts

FINAL, LATER = 9, 5


class Table:
    no_receipt = "no receipt"

    def is_final(self, code: int) -> bool:
        return code == FINAL

    def blames_message(self, code: int) -> bool:
        return code == FINAL

    def describe(self, code: int, detail: str | None = None) -> str:
        return f"{code} {detail}"


def verdicts(pack: int = 1) -> Verdicts:
    return Verdicts(Table(), Payloads("json"), pack)


def test_each_message_by_its_own_answer() -> None:
    batch = [item(n) for n in range(5)]
    receipts = Receipts([0, FINAL, LATER, UNSENDABLE, PENDING], {1: "a", 3: "too large"}, in_flight=[4])
    assert verdicts().outcome(batch, None, receipts, alone=False) == Outcome(
        [0], {1: "9 a", 3: "too large"}, {2: "5 None", 4: "no receipt"}
    )
    assert verdicts().outcome(batch, None, Receipts([0] * 5, {}), alone=False) == Outcome([*range(5)])


def test_what_was_not_sent_is_in_no_list() -> None:
    receipts = Receipts([0, PENDING, PENDING], {}, "gone", None, [1], 1)
    assert verdicts().outcome([item(n) for n in range(3)], None, receipts, alone=False) == Outcome([0], {}, {1: "gone"})
    with pytest.raises(Unavailable, match="gone"):
        verdicts().outcome([item(0)], None, Receipts([PENDING], {}, "gone", None, [0], 1), alone=False)


def test_a_parcel_is_taken_apart_until_it_is_known_who_it_was() -> None:
    book = verdicts(10)
    late = [item(n, late=True) for n in range(4)]
    parcels = book.parcels(late, alone=False)
    assert parcels is not None
    assert [p.indices for p in parcels] == [[0, 1, 2, 3]]
    assert book.outcome(late, parcels, Receipts([FINAL], {}), alone=False) == Outcome()
    parcels = book.parcels(late, alone=False)
    assert parcels is not None
    assert [p.indices for p in parcels] == [[0], [1], [2], [3]]
    found = book.outcome(late, parcels, Receipts([0, FINAL, 0, 0], {}), alone=False)
    assert (found.accepted, list(found.rejected)) == ([0, 2, 3], [1])
    assert book.parcels([item(0)], alone=False) is None, "what is live goes by itself"
    assert book.parcels(late, alone=True) is None


def test_what_made_the_far_side_disconnect_is_found() -> None:
    book = verdicts()
    batch = [item(n) for n in range(3)]
    with pytest.raises(Unavailable):
        book.outcome(batch, None, Receipts([PENDING] * 3, {}, "bad", FINAL, [0, 1, 2], 3), alone=False)
    assert book.alone(batch)
    assert not book.alone([item(7)])
    lost = Receipts([0, PENDING, PENDING], {}, "bad", FINAL, [1], 1)
    found = book.outcome(batch, None, lost, alone=True)
    assert found == Outcome([0], {1: "bad"}, {})
    assert book.alone([batch[2]])
    assert not book.alone(batch[:2])
