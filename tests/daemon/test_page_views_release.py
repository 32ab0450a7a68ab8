"""Quality control and release on the page, from the sample to the list, by those who may."""

import asyncio
from pathlib import Path

import pytest

from tests.daemon.page_scene import checked
from tests.daemon.release_page_scene import BATCH, Town, with_batch
from tests.daemon.test_page_views_scans import with_scans
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.page.lot import path
from torhaus.daemon.page.users import account_of
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.release.papers import Result

LOT = path(BATCH)
BY = account_of("poststelle")


def test_from_the_sample_to_the_released_paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        visitor = town.visitor
        await visitor.sign_in("poststelle")
        _, text = await town.get("/release")
        assert LOT in checked(text).links
        assert "2 Dokumente prüfen" in text
        _, text = await town.get(LOT)
        assert "Der Stapel ist noch nicht durch" in text
        first, second = await town.sample()
        assert f"{LOT}?id={first.id}" in checked(text).links
        _, text = await town.get(f"{LOT}?id={first.id}")
        checked(text)
        assert f"Dokument {first.place} von 4" in text
        answer = await town.do("/release", what="quality", lot=BATCH, id=first.id, result="ok")
        assert answer.status == 303
        assert answer.headers["Location"] == f"{LOT}?done=quality&id={second.id.replace('/', '%2F')}"
        answer = await town.do("/release", what="quality", lot=BATCH, id=second.id, result="ok")
        assert answer.headers["Location"] == f"{LOT}?done=quality"
        _, text = await town.get(answer.headers["Location"])
        assert "Das Ergebnis ist eingetragen" in text
        assert "Der Stapel ist durch" in text
        assert "Alles ist angekommen und geprüft, die Frist ist um" in text
        _, text = await town.get(f"{LOT}?sure=release")
        assert "Das Papier von 4 Dokumenten freigeben?" in text
        assert all(p.released_ns is None for p in await town.papers())
        answer = await town.do("/release", what="release", lot=BATCH)
        _, text = await town.get(answer.headers["Location"])
        assert "Das Papier von 4 Dokumenten ist freigegeben." in text
        assert "Alles Papier ist freigegeben" in text
        assert {p.state for p in await town.papers()} == {"released"}
        events = await town.events(first.id)
        assert ("use.quality", BY) in events
        assert ("released", BY) in events
        assert ("use.stated", BY) in events
        _, text = await town.get("/release")
        assert "Es ist nichts zu prüfen" in text
        answer = await town.do("/release", what="quality", lot=BATCH, id=first.id, result="bad")
        assert answer.status == 409  # too late
        assert f"{LOT}?id={first.id.replace('/', '%2F')}" in (await town.get(f"/scans?id={first.id}"))[1]
        assert "Ergebnis der Prüfung" not in (await town.get(f"{LOT}?id={first.id}"))[1]
        assert (await town.queue.verify_evidence()).faults == []

    with_batch(tmp_path, body, monkeypatch)


def test_one_bad_document_and_what_the_department_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        await town.visitor.sign_in("technik")
        first, _ = await town.sample()
        await town.do("/release", what="quality", lot=BATCH, id=first.id, result="page-missing")
        _, text = await town.get(LOT, Accept_Language="en")
        checked(text)
        assert "One is bad: 3 more to look at" in text
        assert "Look at them" in text
        assert "3 documents to look at" in (await town.get("/release", Accept_Language="en"))[1]
        _, text = await town.get(f"{LOT}?sure=rest", Accept_Language="en")
        assert "I have compared all 3 other documents of this batch with their paper" in text
        answer = await town.do("/release", what="rest", lot=BATCH)
        assert answer.headers["Location"] == f"{LOT}?done=rest&n=3"
        assert "1 document objected to" in (await town.get(LOT, Accept_Language="en"))[1]
        other = next(p for p in await town.papers() if p.quality == "ok")
        answer = await town.do("/release", what="feedback", lot=BATCH, id=other.id, result="rescan")
        _, text = await town.get(answer.headers["Location"], Accept_Language="en")
        assert "The feedback is entered." in text
        assert "scan again" in text
        _, text = await town.get("/release", Accept_Language="en")
        assert "2 documents objected to" in text
        assert "can be released" in text  # the other two all the same
        await town.do("/release", what="release", lot=BATCH)
        assert sorted(p.released_ns is not None for p in await town.papers()) == [False, False, True, True]
        freed = next(p for p in await town.papers() if p.released_ns is not None)
        answer = await town.do("/release", what="feedback", lot=BATCH, id=freed.id, result="rescan")
        _, text = await town.get(answer.headers["Location"], Accept_Language="en")
        checked(text)
        assert "the release taken back" in text
        assert "taken back: keep the paper" in (await town.get(LOT, Accept_Language="en"))[1]

    with_batch(tmp_path, body, monkeypatch)


def test_a_bad_document_is_replaced_by_a_later_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        await town.visitor.sign_in("poststelle")
        bad, good, *_ = await town.papers()
        later = (await town.papers())[-1]
        for paper in await town.papers():
            await town.do("/release", what="quality", lot=BATCH, id=paper.id, result="ok")
        assert "Dieser Scan ersetzt es" not in (await town.get(f"{LOT}?id={bad.id}"))[1]
        for paper in (bad, good):
            await town.do("/release", what="quality", lot=BATCH, id=paper.id, result="rescan")
        _, text = await town.get(f"{LOT}?id={bad.id}")
        checked(text)
        assert "Dieser Scan ersetzt es" in text
        assert "eintragen, welcher Scan es ersetzt" in (await town.get(LOT))[1]
        ask = {"what": "replaced", "lot": BATCH, "id": bad.id}
        for new, german, english in (
            (str(bad.seq), "nicht nach diesem Dokument", "did not come after this document"),
            ("<b>", "Einen Scan &lt;b&gt; gibt es nicht", "There is no scan &lt;b&gt;"),
            ("", "gibt es nicht", "There is no scan"),
        ):
            for words, language in ((german, "de"), (english, "en")):
                csrf = await town.visitor.csrf("/")
                answer = await town.visitor.post("/release", {"Accept-Language": language}, csrf=csrf, new=new, **ask)
                assert answer.status == 409
                assert words in await answer.text()
        answer = await town.do("/release", new=f" {later.seq} ", **ask)
        _, text = await town.get(answer.headers["Location"])
        assert "Eingetragen. Der neue Scan ist jetzt zu prüfen" in text
        assert f"/scans?id={later.id.replace('/', '%2F')}" in checked(text).links
        answer = await town.do("/release", what="settled", lot=BATCH, id=good.id)
        _, text = await town.get(answer.headers["Location"], Accept_Language="en")
        assert "Entered as settled." in text
        assert "Settled otherwise" in text
        _, text = await town.get(LOT)
        checked(text)
        assert "Der Stapel ist durch" in text
        assert f"ersetzt: {later.id}" in text
        await town.do("/release", what="release", lot=BATCH)
        _, text = await town.get(LOT)
        assert "Ersetztes, Erledigtes und Verworfenes ist es nicht" in text
        assert ("use.replaced", BY) in await town.events(bad.id)
        for place, form, words in (
            ("/release", {"what": "quality", "lot": BATCH, "id": later.id, "result": "ok"}, "schon freigegeben"),
            ("/scans", {"id": later.id}, "wartet auf niemanden: freigegeben."),
        ):
            answer = await town.do(place, **form)
            assert answer.status == 409
            assert words in await answer.text()

    with_batch(tmp_path, body, monkeypatch)


def test_who_may_and_what_is_nonsense(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        visitor = town.visitor
        first, _ = await town.sample()
        good = {"what": "quality", "lot": BATCH, "id": first.id, "result": "ok"}
        assert (await visitor.post("/release", csrf="x", **good)).headers["Location"].startswith("/sign-in")
        _, text = await town.get(f"{LOT}?id={first.id}")
        assert "brief" not in text  # names are for those who have signed in
        assert "Das Dokument sieht, wer Scans bedienen darf" in text
        await visitor.sign_in("gast")
        assert (await town.do("/release", **good)).status == 403
        _, text = await town.get(f"{LOT}?sure=release")
        assert "Das Papier von" not in text
        assert "<img" not in (await town.get(f"{LOT}?id={first.id}"))[1]
        await town.do("/sign-out")
        await visitor.sign_in("poststelle")
        assert (await visitor.post("/release", csrf="wrong", **good)).status == 403
        for change, status in (
            ({"lot": "none"}, 404), ({"id": "none"}, 404), ({"id": ""}, 404), ({"result": "fine"}, 409),
            ({"result": ""}, 409), ({"what": "burn"}, 409), ({"what": ""}, 409), ({"what": "rest"}, 409),
        ):  # fmt: skip
            assert (await town.do("/release", **(good | change))).status == status, change
        for query, status in (
            ("?id=none", 404), ("?sure=release", 409), ("?sure=rest", 409), ("?sure=x", 404), ("?page=9&done=x", 200),
            ("?list=1", 200), ("?done=rest&n=<b>", 200), (f"?id={first.id}&page=99", 200),
            (f"?id={first.id}&page=x", 404),
        ):  # fmt: skip
            got, text = await town.get(LOT + query)
            assert got == status, (query, text[-600:])
            checked(text)
        assert (await town.get("/release/none"))[0] == 404
        assert all(p.quality is None for p in await town.papers())

    with_batch(tmp_path, body, monkeypatch, delay_days=30)


def test_the_list_to_be_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        first, second = await town.sample()
        for paper in (first, second):
            await town.queue.release.say("quality", paper.id, Result.OK, "S17", "uid:7")
        _, german = await town.get(f"{LOT}?list=1")
        _, english = await town.get(f"{LOT}?list=1", Accept_Language="en")
        for text in (german, english):
            checked(text)
            assert all(p.id in text for p in await town.papers())
            assert "brief" not in text
            assert "data-refresh" not in text
        assert "Freigabeliste" in german
        assert "Datum, Unterschrift" in german
        assert "Only what is listed as released may be destroyed." in english
        assert "delay is running" in english
        _, text = await town.get(LOT)
        assert "Das Papier aufheben bis" in text
        assert "Frist läuft bis" in (await town.get("/release"))[1]

    with_batch(tmp_path, body, monkeypatch, delay_days=30)


def test_a_large_batch_comes_page_by_page_and_its_list_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        def many(tx: Tx) -> None:
            columns = [str(row[1]) for row in tx.conn.execute("PRAGMA table_info(scan)")]
            copied = ", ".join({"seq": "seq + ?1", "id": "id || ?1"}.get(c, c) for c in columns)
            for n in range(101, 219):
                tx.conn.execute(f"INSERT INTO scan SELECT {copied} FROM scan WHERE seq = 1", (n,))
                tx.conn.execute("INSERT INTO paper (scan, class) VALUES (? + 1, 'brief')", (n,))

        await town.queue._db.run(many)
        _, text = await town.get(LOT)
        assert "Seite 1 von 3" in text
        assert text.count("<tr>") == 51
        assert (await town.get(f"{LOT}?page=3"))[1].count("<tr>") == 21
        assert (await town.get(f"{LOT}?list=1"))[1].count("<tr>") == 121

    with_batch(tmp_path, body, monkeypatch, count=2)


def test_a_site_that_does_not_release(tmp_path: Path) -> None:
    async def body(visitor: object, queue: object) -> None:
        get = visitor.get  # type: ignore[attr-defined]
        assert (await get("/release"))[0] == 404
        assert 'href="/release"' not in (await get("/"))[1]
        await visitor.sign_in("poststelle")  # type: ignore[attr-defined]
        assert (await visitor.do("/release", what="release", lot="x")).status == 404  # type: ignore[attr-defined]

    with_scans(tmp_path, body)


def test_while_the_store_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        await town.visitor.sign_in("poststelle")
        sources = town.visitor.app._sources()
        real = type(town.queue).is_open
        monkeypatch.setattr(type(town.queue), "is_open", property(lambda _: False))
        assert sources.scans() is None
        assert (await town.get("/release"))[0] == 503
        assert (await town.get("/scans?id=x&stream=document"))[0] == 404
        monkeypatch.setattr(type(town.queue), "is_open", real)
        assert (await town.get("/release"))[0] == 200
        await asyncio.sleep(0)

    with_batch(tmp_path, body, monkeypatch, count=1)


def test_nothing_is_released_by_a_clock_that_may_be_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        await town.visitor.sign_in("poststelle")
        for paper in await town.sample():
            await town.do("/release", what="quality", lot=BATCH, id=paper.id, result="ok")
        monkeypatch.setattr(SystemClock, "synced", lambda _: False)
        answer = await town.do("/release", what="release", lot=BATCH)
        assert answer.status == 409
        assert all(p.released_ns is None for p in await town.papers())

    with_batch(tmp_path, body, monkeypatch, count=1)


def test_other_views_lead_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        room = town.visitor.app._scans
        assert room is not None
        await room.refresh()
        _, text = await town.get("/")
        assert "Zu prüfen" in text
        assert "/release" in checked(text).links
        _, text = await town.get("/scans")
        assert LOT in checked(text).links
        assert "Alle 4 Dokumente sind angekommen" in text
        assert "2 Dokumente prüfen" in text

    with_batch(tmp_path, body, monkeypatch)
