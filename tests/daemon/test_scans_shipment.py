from pathlib import Path

from tests.daemon.scans_fakes import Bench, fake_pdf, with_bench
from torhaus.daemon.scans import shipment
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.states import DELIVERABLE, Reason, State
from torhaus.daemon.scans.targets.base import Receipt


def test_the_way_of_a_document(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        for n in range(3):
            b.put(f"{n}.pdf", fake_pdf(n))
        await b.look()
        await b.queue.seal()

        def way(tx: Tx) -> None:
            boot = ("b" * 32, 10**9)
            first = shipment.next_due(tx, "archive", DELIVERABLE, boot, ())
            assert first is not None
            second = shipment.next_due(tx, "archive", DELIVERABLE, boot, {first.seq})
            assert second is not None
            assert second.seq != first.seq
            assert shipment.next_due(tx, "archive", DELIVERABLE, boot, {1, 2, 3}) is None
            assert shipment.next_due(tx, "other", DELIVERABLE, boot, ()) is None
            shipment.count_try(tx, scan=first)
            assert shipment.next_due(tx, "archive", DELIVERABLE, boot, ()) == second
            shipment.keep(tx, scan=first, target="archive", text="a")
            shipment.keep(tx, scan=first, target="archive", text="b")
            assert shipment.progress(tx, first, "archive") == "b"
            assert shipment.progress(tx, first, "other") is None
            assert shipment.progress(tx, second, "archive") is None
            counted = shipment.count_refusal(tx, scan=second, due=(10**12, "b" * 32))
            assert (counted.tries, counted.refusals) == (1, 1)
            third = shipment.next_due(tx, "archive", DELIVERABLE, boot, ())
            assert third is not None
            assert third.seq not in {first.seq, second.seq}
            receipt = Receipt(object_id="P0001")
            assert shipment.receipt_of(third) == Receipt()
            moved = tx.move(tx.move(tx.get(first.seq), State.DELIVERING, 1), State.TRANSFERRED, 1)
            again = shipment.disproved(tx, scan=moved, reason=Reason.LOST, stored=None, due=(0, ""), at_ns=1)
            assert (again.state, again.reason, again.refusals) == (State.DELIVERING, Reason.LOST, 1)
            assert shipment.progress(tx, first, "archive") is None
            moved = tx.move(again, State.TRANSFERRED, 1)
            assert moved.state is State.TRANSFERRED
            sent = shipment.transferred(tx, scan=tx.move(third, State.DELIVERING, 1), receipt=receipt, at_ns=1)
            assert shipment.receipt_of(sent) == receipt
            assert [s.state for s in shipment.verified(tx, scan=moved, receipt=receipt, at_ns=1)] == [
                State.VERIFIED,
                State.FILED,
            ]
            assert shipment.progress(tx, first, "archive") is None
            assert [s.state for s in shipment.verified(tx, scan=sent, receipt=Receipt(), at_ns=1)] == [State.VERIFIED]

        await b.queue._db.run(way)

    with_bench(tmp_path, work)
