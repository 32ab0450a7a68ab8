"""The document itself: to whom it is sent, and how."""

import asyncio
import hashlib
import io
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
from PIL import Image

from tests.daemon.page_scene import checked
from tests.daemon.release_page_scene import BATCH, Town, with_batch
from torhaus.daemon.page import document
from torhaus.daemon.page.lot import path
from torhaus.daemon.page.users import account_of
from torhaus.daemon.page.view import Missing
from torhaus.daemon.scans.states import Reason, State


async def fetch(town: Town, query: str, method: str = "GET") -> tuple[aiohttp.ClientResponse, bytes]:
    async with town.visitor.session.request(method, f"{town.visitor.base}/scans?{query}") as answer:
        return answer, await answer.read()


def test_it_is_sent_to_those_who_may_and_is_never_a_page_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(town: Town) -> None:
        scan = (await town.scans())[0]
        query = f"id={scan.id}&stream=document"
        answer, data = await fetch(town, query)
        assert (answer.status, data) == (401, b"sign in\n")  # also from the box itself
        await town.visitor.sign_in("gast")
        answer, data = await fetch(town, query)
        assert answer.status == 409
        assert b"%PDF" not in data
        await town.do("/sign-out")
        await town.visitor.sign_in("poststelle")
        answer, data = await fetch(town, query)
        assert (answer.status, hashlib.sha256(data).hexdigest()) == (200, scan.sha256)
        name = scan.id.replace("/", "-") + ".pdf"
        wanted = {
            "Content-Type": "application/pdf",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Content-Length": str(scan.size_bytes),
        }
        assert {key: answer.headers[key] for key in wanted} == wanted
        answer, data = await fetch(town, query, "HEAD")
        assert (answer.status, data) == (200, b"")
        assert ("use.opened", account_of("poststelle")) in await town.events(scan.id)
        assert "gast" not in str(await town.events(scan.id))
        for odd, status in (("id=none&stream=document", 404), ("id=%00&stream=x", 404), ("stream=document", 404)):
            assert (await fetch(town, odd))[0].status == status
        foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
        assert (await town.visitor.answer(f"/scans?{query}", **foreign))[0].status == 403

    with_batch(tmp_path, body, monkeypatch, count=1)


def test_its_pages_as_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        scan = (await town.scans())[0]
        await town.visitor.sign_in("poststelle")
        _, text = await town.get(f"{path(BATCH)}?id={scan.id}")
        checked(text)
        assert text.count("<img") == 10
        assert "Seiten 1 bis 10 von 12" in text
        _, text = await town.get(f"{path(BATCH)}?id={scan.id}&page=11")
        assert text.count("<img") == 2
        answer, data = await fetch(town, f"id={scan.id}&stream=page&page=12")
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")
        assert answer.headers["Cache-Control"] == "no-store"
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (1240, 1755)
        for page in ("13", "0", "x", "", "99999999"):
            assert (await fetch(town, f"id={scan.id}&stream=page&page={page}"))[0].status == 404

    with_batch(tmp_path, body, monkeypatch, count=1, pages=12)


def test_what_cannot_be_shown_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(town: Town) -> None:
        gone, bad, locked, changed = await town.scans()
        await town.visitor.sign_in("poststelle")

        def spoil(tx: object) -> None:
            execute = tx.conn.execute  # type: ignore[attr-defined]
            execute("UPDATE scan SET state = ? WHERE seq = ?", (State.PURGED, gone.seq))
            execute("UPDATE scan SET state = ?, reason = ? WHERE seq = ?", (State.QUARANTINED, Reason.DAMAGED, bad.seq))
            execute("UPDATE scan SET flags = 'encrypted', pages = 0 WHERE seq = ?", (locked.seq,))

        await town.queue._db.run(spoil)
        blob = town.queue._spool.path(changed.sha256)
        blob.chmod(0o600)
        blob.write_bytes(b"%PDF-1.7 something else")
        for scan, words in (
            (gone, "Die Kopie hier ist gelöscht"),
            (bad, "in Quarantäne und wird hier nicht geöffnet"),
            (changed, "Die Kopie hier ist beschädigt"),
        ):
            answer, data = await fetch(town, f"id={scan.id}&stream=document")
            assert (answer.status, words in data.decode()) == (409, True), data.decode()[-500:]
        for scan, words in (
            (gone, "Die Kopie hier ist gelöscht"),
            (bad, "in Quarantäne"),
            (locked, "lassen sich hier nicht zeigen"),
        ):
            _, text = await town.get(f"{path(BATCH)}?id={scan.id}")
            assert words in text
            assert "<img" not in text

    with_batch(tmp_path, body, monkeypatch)


def test_what_breaks_off_does_not_look_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    async def body(town: Town) -> None:
        scan = (await town.scans())[0]
        await town.visitor.sign_in("poststelle")

        async def broken(_: object) -> object:
            await asyncio.sleep(0)
            return SimpleNamespace(open=lambda _: Broken())

        monkeypatch.setattr(town.queue.viewing, "_whole", broken)
        with pytest.raises(aiohttp.ClientError):
            await fetch(town, f"id={scan.id}&stream=document")

    with_batch(tmp_path, body, monkeypatch, count=1)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "x", "٣", "100001", "99999999"])
def test_pages_have_numbers(text: str) -> None:
    assert document.number("1") == 1
    with pytest.raises(Missing):
        document.number(text)


def test_states_as_they_are_looked_at() -> None:
    assert {state: document.level(state) for state in (State.VERIFIED, State.HELD, State.DELIVERING)} == {
        State.VERIFIED: "good", State.HELD: "warn", State.DELIVERING: "note",
    }  # fmt: skip
