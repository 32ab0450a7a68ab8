import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_fakes import Bench, fake_pdf
from tests.daemon.scans_server import FakeServer
from torhaus.daemon.scans.circuit import CAP_S
from torhaus.daemon.scans.events import Attempted, ScanMoved, StoreStalled, TargetChanged
from torhaus.daemon.scans.shipment import DUE
from torhaus.daemon.scans.states import Reason, State


def serve(root: Path, work: Callable[[Bench, FakeServer], Awaitable[None]], **more: Any) -> Bench:
    """A bench that delivers to a fake server; the evidence must verify in the end."""

    async def go() -> Bench:
        async with FakeServer() as server, Bench(root, server.config(**more)) as made:
            await work(made, server)
            assert server.faults == []
            assert (await made.queue.verify_evidence()).faults == []
            return made

    return asyncio.run(go())


async def put(b: Bench, n: int = 1) -> None:
    for k in range(n):
        b.put(f"{k}.pdf", fake_pdf(k))
    assert await b.look() == n
    await b.queue.seal()


async def events_of(b: Bench, seq: int = 1) -> list[str]:
    scan = (await b.queue.list(before_seq=seq + 1))[0]
    return [entry.event for entry in (await b.queue.show(scan.id))[1] if not entry.event.startswith("source_")]


def outcomes(b: Bench) -> list[str]:
    return [event.outcome for event in b.told(Attempted)]


def test_all_steps_are_taken_and_told(tmp_path: Path) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        await put(b)
        await b.deliver()
        assert list(server.stored.values()) == [fake_pdf(0)]
        way = ["arrived", "spooled", "sealed", "delivering", "transferred", "verified"]
        assert await events_of(b) == way
        assert [e.state.value for e in b.told(ScanMoved)] == way[1:]
        assert not await b.queue.deliveries[0].step()

    assert outcomes(serve(tmp_path, work)) == ["verified"]


def test_a_2xx_alone_never_verifies(tmp_path: Path) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        server.prove_put = server.prove_head = False
        await put(b)
        await b.queue.deliveries[0].step()
        assert server.reads == ["HEAD", "GET"]
        assert await b.states() == ["verified"]

    serve(tmp_path, work)


@pytest.mark.parametrize("proof", [True, False])
@pytest.mark.parametrize(("how", "reason"), [("lose", Reason.LOST), ("flip", Reason.MISMATCH)])
def test_a_server_that_loses_or_alters_gets_it_again(tmp_path: Path, how: str, reason: Reason, proof: bool) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        server.prove_put = server.prove_head = proof
        server.script = [how]
        await put(b)
        await b.deliver()
        scan = (await b.queue.list())[0]
        assert (scan.state, scan.reason, scan.refusals) == (State.DELIVERING, reason, 1)
        b.clock.pass_s(10)
        await b.deliver()
        assert await b.states() == ["verified"]
        assert list(server.stored.values()) == [fake_pdf(0)]
        assert (await events_of(b))[-4:] == ["transferred", "delivering", "transferred", "verified"]

    assert outcomes(serve(tmp_path, work)) == [reason.value, "verified"]


def test_a_busy_server_is_left_alone_as_long_as_it_asks_and_nobody_is_blamed(tmp_path: Path) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        server.script = ["503"]
        await put(b, 3)
        await b.deliver()
        b.clock.pass_s(119)
        await b.deliver()
        assert len(server.puts) == 1
        b.clock.pass_s(2)
        await b.deliver()
        assert await b.states() == ["verified"] * 3
        assert [scan.refusals for scan in await b.queue.list()] == [0, 0, 0]

    b = serve(tmp_path, work)
    assert [(e.up, e.detail) for e in b.told(TargetChanged)] == [(False, "503"), (True, "")]


def test_days_of_outage_hold_nothing(tmp_path: Path) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        server.script = ["502"] * 60
        await put(b, 2)
        for _ in range(60):
            await b.deliver()
            b.clock.pass_s(CAP_S)
        assert await b.states() == ["delivering"] * 2
        await b.deliver()
        assert await b.states() == ["verified"] * 2

    b = serve(tmp_path, work, max_tries=2)
    assert len(b.told(TargetChanged)) == 2  # once down, once up


@pytest.mark.parametrize(("how", "reason"), [("500", Reason.TRIES), ("lose", Reason.LOST), ("flip", Reason.MISMATCH)])
def test_a_poison_document_is_set_aside_and_blocks_nobody(tmp_path: Path, how: str, reason: Reason) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        await put(b, 4)
        server.always[(await b.queue.list())[2].id] = how
        await b.deliver()
        assert await b.states() == ["verified", "delivering", "verified", "verified"]
        for _ in range(4):
            b.clock.pass_s(CAP_S)
            await b.deliver()
        scan = (await b.queue.list())[2]
        assert (scan.state, scan.reason) == (State.HELD, reason)
        assert server.puts.count(scan.id) == 3
        server.always.clear()
        await b.queue.retry(scan.id)
        await b.deliver()
        assert await b.states() == ["verified"] * 4

    serve(tmp_path, work, max_tries=3)


def test_a_refused_document_is_held_at_once(tmp_path: Path) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        server.script = ["413"]
        await put(b, 2)
        await b.deliver()
        assert await b.states() == ["held", "verified"]
        assert (await b.queue.list())[1].reason is Reason.REFUSED

    assert outcomes(serve(tmp_path, work)) == ["refused", "verified"]


def test_a_document_that_kills_every_connection_goes_behind_the_others(tmp_path: Path) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        await put(b, 3)
        server.always[(await b.queue.list())[2].id] = "drop"
        for _ in range(4):
            await b.deliver()
            b.clock.pass_s(CAP_S)
        assert await b.states() == ["delivering", "verified", "verified"]

    serve(tmp_path, work)


def test_an_answer_that_got_lost_makes_no_second_document(tmp_path: Path) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        server.script = ["store_then_drop", "store_then_drop"]
        await put(b)
        await b.deliver()
        b.clock.pass_s(CAP_S)
        await b.deliver()
        assert len(server.stored) == 1
        assert await b.states() == ["verified"]

    serve(tmp_path, work)


def test_after_a_crash_between_transfer_and_proof_only_the_proof_is_fetched(tmp_path: Path) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        server.prove_put = False
        await put(b)
        delivery = b.queue.deliveries[0]
        real = delivery._target.stored

        async def crash(_parcel: object) -> str | None:
            raise KeyboardInterrupt

        delivery._target.stored = crash  # type: ignore[method-assign, assignment]
        with pytest.raises(KeyboardInterrupt):
            await delivery.step()
        delivery._target.stored = real  # type: ignore[method-assign]
        await b.restart()
        assert await b.states() == ["transferred"]
        await b.deliver()
        assert await b.states() == ["verified"]
        assert len(server.puts) == 1

    serve(tmp_path, work)


@pytest.mark.parametrize("harm", ["flip", "unlink"])
def test_a_damaged_blob_is_quarantined_and_never_sent(tmp_path: Path, harm: str) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        await put(b, 2)
        first = (await b.queue.list())[1]
        path = b.root / "state/scans/blobs" / first.sha256[:2] / first.sha256
        if harm == "flip":
            path.write_bytes(b"\0" + path.read_bytes()[1:])
        else:
            path.unlink()
        await b.deliver()
        assert await b.states() == ["quarantined", "verified"]
        assert server.puts == [(await b.queue.list())[0].id]
        assert (await b.queue.list())[1].reason is Reason.BLOB_DAMAGED
        with pytest.raises(ValueError, match="missing or changed"):
            await b.queue.retry(first.id)

    serve(tmp_path, work)


def test_a_waiting_document_is_due_again_after_a_reboot(tmp_path: Path) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        server.script = ["500"]
        await put(b)
        await b.deliver()
        b.clock.now_ns = 5 * 10**9  # the boot clock starts anew
        b.clock.boot_id = "c" * 32
        await b.restart()
        await b.deliver()
        assert await b.states() == ["verified"]

    serve(tmp_path, work)


def test_a_store_in_trouble_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        await put(b)
        real = b.queue._db._commit

        def full(conn: sqlite3.Connection) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(b.queue._db, "_commit", full)
        await b.deliver()
        await b.deliver()
        assert {e.detail for e in b.told(StoreStalled)} == {"OperationalError"}
        assert server.puts == []
        monkeypatch.setattr(b.queue._db, "_commit", real)
        await b.deliver()
        assert await b.states() == ["verified"]

    b = serve(tmp_path, work)
    assert sorted(e.where for e in b.told(StoreStalled)) == ["delivery", "seal"]


def test_the_next_scan_is_found_without_sorting_the_backlog(tmp_path: Path) -> None:
    async def work(b: Bench, server: FakeServer) -> None:
        sql = f"EXPLAIN QUERY PLAN SELECT * FROM scan WHERE {DUE} LIMIT 1"
        plan = await b.queue._db.run(lambda tx: tx.conn.execute(sql, ("central", "sealed", "b", 1)).fetchall())
        assert "scan_delivery" in str(plan)
        assert "TEMP B-TREE" not in str(plan)

    serve(tmp_path, work)
