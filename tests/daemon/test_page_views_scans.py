import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from tests.daemon.page_scene import EVIL, Visitor, checked, home_of, opened_queue, visited
from torhaus.daemon.page.users import account_of
from torhaus.daemon.scans.db import Arrival, Tx
from torhaus.daemon.scans.queue import ScanQueue
from torhaus.daemon.scans.release.config import Release
from torhaus.daemon.scans.release.lots import close_some
from torhaus.daemon.scans.states import Reason, State

SCAN = """[[scan.station]]
name = "post"
type = "folder"
path = "{0}/in"
target = "akten"
[[scan.target]]
name = "akten"
type = "folder"
path = "{0}/out"
"""


def with_scans(folder: Path, body: Callable[[Visitor, ScanQueue], Awaitable[None]]) -> None:
    async def go() -> None:
        for name in ("in", "out"):
            (folder / name).mkdir()
        async with visited(home_of(folder, SCAN.format(folder))) as visitor:
            await body(visitor, await opened_queue(visitor))
            assert visitor.app.watch.defects == {}

    asyncio.run(go())


async def held(visitor: Visitor, queue: ScanQueue) -> str:
    """A document with the worst of names that waits for somebody; its id."""
    at = visitor.app.clock.stamp()
    arrival = Arrival("post", EVIL.encode(), "ab" * 32, 1000, "application/pdf", 2, (), at, "b" * 32)

    def work(tx: Tx) -> str:
        scan = tx.move(tx.add(arrival), State.HELD, at.wall_ns, Reason.NO_SHEET)
        return scan.id

    found: str = await queue._db.run(work)
    return found


def test_an_empty_day(tmp_path: Path) -> None:
    async def body(visitor: Visitor, queue: ScanQueue) -> None:
        assert await queue.since(0) == []
        text = (await visitor.get("/scans"))[1]
        checked(text)
        assert "heute noch nichts" in text
        assert 'href="/scans"' in text
        assert (await visitor.get("/scans?id=nothing"))[0] == 404

    with_scans(tmp_path, body)


def test_a_batch_is_through_when_all_of_it_is(tmp_path: Path) -> None:
    async def body(visitor: Visitor, queue: ScanQueue) -> None:
        assert "Stapel" not in (await visitor.get("/scans"))[1]
        at = visitor.app.clock.stamp()

        def work(tx: Tx) -> None:
            for i, batch in enumerate(("rechnungen", "rechnungen", EVIL)):
                arrival = Arrival("post", b"x", f"{i:064x}", 1000, "application/pdf", 1, (), at, "b" * 32, batch=batch)
                scan = tx.move(tx.add(arrival), State.SEALED, at.wall_ns)
                if i:
                    tx.move(scan, State.QUARANTINED, at.wall_ns, Reason.DAMAGED)

        await queue._db.run(work)
        _, text = await visitor.get("/scans", Accept_Language="en")
        checked(text)
        assert "Batches" in text
        assert "0 of 2 documents have arrived" in text
        assert "rechnungen" in text
        assert "akten" in text  # how the target stands

    with_scans(tmp_path, body)


def test_names_are_for_those_who_have_signed_in(tmp_path: Path) -> None:
    async def body(visitor: Visitor, queue: ScanQueue) -> None:
        id_ = await held(visitor, queue)
        for path in ("/scans", f"/scans?id={id_}", "/scans?state=held", "/"):
            status, text = await visitor.get(path)
            checked(text)
            assert status == 200
            assert "&lt;img" not in text
        assert "0 von 1 Dokumenten angekommen" in (await visitor.get("/scans"))[1]
        assert "1 wartet auf jemanden" in (await visitor.get("/scans"))[1]
        assert "kein Deckblatt" in (await visitor.get("/scans"))[1]
        await visitor.sign_in("gast")
        for path in ("/scans", f"/scans?id={id_}"):
            text = (await visitor.get(path))[1]
            checked(text)
            assert "&lt;img" in text
        assert "Weitergeben" not in text  # that is for another role

    with_scans(tmp_path, body)


def test_an_operator_lets_it_go_on_and_the_journal_knows(tmp_path: Path) -> None:
    async def body(visitor: Visitor, queue: ScanQueue) -> None:
        id_ = await held(visitor, queue)
        await visitor.sign_in("gast", "wrong password")
        await visitor.sign_in("gast")
        assert (await visitor.do("/scans", id=id_)).status == 403
        await visitor.do("/sign-out")
        await visitor.sign_in("poststelle")
        assert "Weitergeben" in (await visitor.get(f"/scans?id={id_}"))[1]
        answer = await visitor.do("/scans", id=id_)
        assert answer.status == 303
        assert answer.headers["Location"].startswith("/scans?id=test")
        scan, _ = await queue.show(id_)
        assert scan.state is not State.HELD
        assert (await visitor.do("/scans", id="nothing")).status == 404
        assert (await visitor.get(answer.headers["Location"]))[0] == 200

        def entries(tx: Tx) -> list[bytes]:
            return [row[0] for row in tx.conn.execute("SELECT entry FROM evidence ORDER BY seq")]

        await queue.evidence.record()
        entries_ = [msgspec.json.decode(e) for e in await queue._db.run(entries)]
        events = [(e["event"], e["data"].get("account")) for e in entries_ if e["event"].startswith("use.")]
        guest, operator = account_of("gast"), account_of("poststelle")
        assert events == [
            ("use.page_sign_in", guest), ("use.page_sign_out", guest), ("use.page_sign_in", operator),
            ("use.retried", operator),
        ]  # fmt: skip
        assert [e["data"]["count"] for e in entries_ if e["event"] == "fault.page_sign_in"] == [1]
        assert not any("gast" in str(e) or "poststelle" in str(e) for e in entries_)
        assert (await queue.verify_evidence()).faults == []

    with_scans(tmp_path, body)


def test_only_an_administrator_throws_away_and_is_asked_before(tmp_path: Path) -> None:
    async def body(visitor: Visitor, queue: ScanQueue) -> None:
        id_ = await held(visitor, queue)
        await visitor.sign_in("poststelle")
        page = f"/scans?id={id_}"
        assert "Verwerfen" not in (await visitor.get(page))[1]
        assert "endgültig" not in (await visitor.get(f"{page}&sure=discard"))[1]
        assert (await visitor.do("/scans", what="discard", id=id_)).status == 409
        await visitor.do("/sign-out")
        await visitor.sign_in("technik")
        assert "Verwerfen" in (await visitor.get(page))[1]
        _, text = await visitor.get(f"{page}&sure=discard")
        checked(text)
        assert "Das Dokument wird hier endgültig gelöscht" in text
        assert "&lt;img" in text
        assert (await queue.show(id_))[0].state is State.HELD
        assert (await visitor.do("/scans", what="discard", id=id_)).status == 303
        scan, entries = await queue.show(id_)
        assert scan.state is State.PURGED
        assert entries[-1].data["by"] == account_of("technik")
        assert (await visitor.do("/scans", what="discard", id=id_)).status == 409
        assert "Verwerfen" not in (await visitor.get(f"{page}&sure=discard"))[1]

    with_scans(tmp_path, body)


def test_a_held_one_can_be_sent_to_a_target_that_somebody_names(tmp_path: Path) -> None:
    async def body(visitor: Visitor, queue: ScanQueue) -> None:
        id_ = await held(visitor, queue)
        await visitor.sign_in("poststelle")
        text = (await visitor.get(f"/scans?id={id_}"))[1]
        checked(text)
        assert '<option value="akten">akten</option>' in text
        assert "wohin die Regeln es schicken" in text
        assert (await visitor.do("/scans", id=id_, target="nowhere")).status == 409
        assert (await visitor.do("/scans", id=id_, target="akten")).status == 303
        assert (await queue.show(id_))[0].state is not State.HELD

    with_scans(tmp_path, body)


def test_a_stack_and_its_parts_lead_to_each_other(tmp_path: Path) -> None:
    async def body(visitor: Visitor, queue: ScanQueue) -> None:
        stack = await held(visitor, queue)
        at = visitor.app.clock.stamp()

        def split(tx: Tx) -> str:
            arrival = Arrival(
                "post", b"x", "cd" * 32, 9, "application/pdf", 2, (), at, "b" * 32, derived_from=stack
            )  # fmt: skip
            part = tx.move(tx.add(arrival), State.SEALED, at.wall_ns)
            where = {"part": 1, "parts": 1, "first_page": 2, "last_page": 3}
            tx.note(part, "post.split", at.wall_ns, of=stack, **where)
            tx.note(tx.find("id = ?", (stack,), 1)[0], "post.split", at.wall_ns, into=part.id, **where)
            return part.id

        part = await queue._db.run(split)
        text = (await visitor.get(f"/scans?id={stack}"))[1]
        checked(text)
        assert "Geteilt in" in text
        assert "2–3" in text
        assert f">{part}</a>" in text
        text = (await visitor.get(f"/scans?id={part}"))[1]
        checked(text)
        assert "Teil 1 von 1 aus" in text
        assert f">{stack}</a>" in text

    with_scans(tmp_path, body)


def test_a_document_leads_to_its_batch_by_the_name_that_people_know(tmp_path: Path) -> None:
    async def body(visitor: Visitor, queue: ScanQueue) -> None:
        id_ = await held(visitor, queue)
        scans = visitor.app.loaded.scan
        visitor.app.loaded = msgspec.structs.replace(
            visitor.app.loaded, scans=msgspec.structs.replace(scans, release=Release())
        )

        def close(tx: Tx) -> None:
            tx.conn.execute("UPDATE scan SET batch = '1-post', arrived_ns = 1 WHERE id = ?", (id_,))
            close_some(tx, Release(), visitor.app.clock.wall_ns())

        await queue._db.run(close)
        scan, entries = await queue.show(id_)
        assert (scan.lot, entries[-1].data["lot"]) == ("1-post", "batch/1")
        assert "1-post" in (await visitor.get(f"/scans?id={id_}"))[1]

    with_scans(tmp_path, body)
