"""Other torhaus boxes deliver: nothing twice, nothing replaced, signed receipts, and their journals' heads are kept."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_fakes import context, fake_pdf
from tests.daemon.site_scene import DOC, ID, NAME, SiteBench, head, with_site
from tests.daemon.upload_fakes import sha
from torhaus.daemon.scans.digests import digest_field
from torhaus.daemon.scans.events import NotTaken, SiteJournalBroken
from torhaus.daemon.scans.states import State
from torhaus.daemon.scans.targets import http, tus
from torhaus.daemon.scans.targets.base import Receipt, TargetDown
from torhaus.daemon.scans.targets.receipts import FIELD, is_signed_for


def test_a_document_is_taken_with_a_receipt(tmp_path: Path) -> None:
    async def work(b: SiteBench) -> None:
        got = await b.put(DOC)
        assert got.status == 201, got
        assert got.headers["Repr-Digest"] == digest_field(sha(DOC))
        assert is_signed_for(got.headers[FIELD], b.queue.evidence.signer.public, ID, sha(DOC))
        again = await b.put(DOC)
        assert (again.status, again.headers[FIELD]) == (200, got.headers[FIELD])
        (scan,) = await b.queue.list()
        assert (scan.name, scan.station) == (NAME.encode(), "rathaus")
        assert "received" in await b.events_of(scan.id)
        for method in ("HEAD", "GET"):
            there = await b.ask(method, f"/sites/rathaus/{ID}")
            assert (there.status, there.headers[FIELD]) == (200, got.headers[FIELD])
            assert there.headers["Content-Length"] == str(len(DOC))
            assert there.body == (DOC if method == "GET" else b"")
        await b.deliver()
        assert [s.state for s in await b.queue.list()] == [State.VERIFIED]
        b.queue._spool.path(sha(DOC)).unlink()
        gone = await b.ask("GET", f"/sites/rathaus/{ID}")
        assert (gone.status, gone.headers[FIELD]) == (410, got.headers[FIELD])

    with_site(tmp_path, work)


def test_nothing_is_replaced(tmp_path: Path) -> None:
    async def work(b: SiteBench) -> None:
        assert (await b.put(DOC)).status == 201
        assert (await b.put(fake_pdf("zwei"))).status == 412
        assert [s.sha256 for s in await b.queue.list()] == [sha(DOC)]
        assert NotTaken("rathaus", "other_bytes") in b.events
        begun = await b.tus("POST", "/tus/rathaus", Upload_Length="8", Upload_Metadata=b.metadata(b"12345678"))
        done = await b.tus("PATCH", begun.headers["Location"], b"12345678", Upload_Offset="0")
        assert done.status == 460
        assert (await b.tus("HEAD", begun.headers["Location"])).status == 410
        assert len(await b.queue.list()) == 1

    with_site(tmp_path, work)


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        (ID, {"Repr_Digest": ""}, b"sha-256"),
        (ID, {"Repr_Digest": digest_field(sha(b"other"))}, b"another digest"),
        (ID, {"Torhaus_Station": "a/b"}, b"Torhaus-Station"),
        (ID, {"Torhaus_Evidence_Head": "12:ab"}, b"Torhaus-Evidence-Head"),
        ("schule/3f2a91c0/7", {}, b"must begin with rathaus/"),
        ("rathaus/3f2a91c0/0", {}, b"site"),
        ("rathaus/3f2a91c/7", {}, b"site"),
        ("rathaus/3f2a91c0/x%20", {}, b"site"),
        (ID, {"Content_Encoding": "gzip"}, b"compressed"),
    ],
)
def test_what_is_refused(path: str, fields: dict[str, str], words: bytes, tmp_path: Path) -> None:
    async def work(b: SiteBench) -> None:
        got = await b.put(DOC, path, **fields)
        assert got.status in {400, 415}
        assert words in got.body
        assert await b.queue.list() == []

    with_site(tmp_path, work)


def test_only_a_site_delivers_as_one(tmp_path: Path) -> None:
    async def work(b: SiteBench) -> None:
        assert (await b.ask("GET", f"/sites/rathaus/{ID}")).status == 404
        _, b.text = await b.queue.reception.add_token("phone")
        assert (await b.ask("PUT", f"/sites/phone/{ID}", DOC)).status in {400, 404}
        assert (await b.put(DOC)).status == 403
        assert await b.queue.list() == []

    with_site(tmp_path, work)


@pytest.mark.parametrize(
    "field",
    [
        "", "x", "attachment; filename*=utf-9''%ff", "attachment; filename=\udcff", ";" * 999,
        "attachment; filename*0*=a; filename*=b", "attachment; filename*=unicode_escape''\\ud800",
    ],
)  # fmt: skip
def test_a_name_that_is_none(field: str, tmp_path: Path) -> None:
    async def work(b: SiteBench) -> None:
        assert (await b.put(DOC, Content_Disposition=field)).status in {201, 400}

    with_site(tmp_path, work)


def test_a_journal_that_was_written_anew_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    async def work(b: SiteBench) -> None:
        assert (await b.put(DOC, at=head(12))).status == 201
        assert (await b.put(fake_pdf(2), "rathaus/3f2a91c0/8", at=head(12, "else"))).status == 201
        assert b.told(SiteJournalBroken) == [SiteJournalBroken("rathaus", "rewritten", 12)]
        assert (await b.put(fake_pdf(3), "rathaus/3f2a91c0/9", at=head(9))).status == 201  # was under way meanwhile
        b.clock.pass_s(3601)
        assert (await b.put(fake_pdf(4), "rathaus/3f2a91c0/10", at=head(11))).status == 201
        assert b.told(SiteJournalBroken)[1:] == [SiteJournalBroken("rathaus", "went_back", 11)]
        assert (await b.put(fake_pdf(5), "rathaus/aaaaaaaa/1", at=head(3))).status == 201  # a new store begins anew
        assert len(b.told(SiteJournalBroken)) == 2
        stores, kept = await b.queue.reception.heads("rathaus", "3f2a91c0", 0) or ([], [])
        assert stores == ["3f2a91c0", "aaaaaaaa"]
        assert [str(h) for h in kept] == [head(9), head(11), head(12)]
        assert await b.queue.reception.heads("phone", "", 0) is None

    with_site(tmp_path, work)


def test_our_own_targets_deliver(tmp_path: Path) -> None:
    async def work(b: SiteBench) -> None:
        token = b.root / "token"
        token.write_text(b.text)
        token.chmod(0o600)
        public = b.queue.evidence.signer.public
        more: dict[str, Any] = {"token_file": str(token), "receipt_key": public}
        by_put = http.open_target(http.Config("central", url=f"{b.url}/sites/rathaus", **more), context())
        parcel = b.parcel(DOC)
        assert await by_put.stored(parcel) is None
        assert await by_put.send(parcel) == Receipt(sha(DOC), "201")
        assert await by_put.stored(parcel) == sha(DOC)
        await by_put.close()
        by_tus = tus.open_target(tus.Config("central", url=f"{b.url}/tus/rathaus", chunk_bytes=4096, **more), context())
        await by_tus.send(parcel)  # it is the same document, whichever way it comes
        assert await by_tus.stored(parcel) == sha(DOC)
        await by_tus.close()
        assert len(await b.queue.list()) == 1
        other = {**more, "receipt_key": "00" * 32}
        doubting = tus.open_target(tus.Config("central", url=f"{b.url}/tus/rathaus", **other), context())
        with pytest.raises(TargetDown, match="receipt"):
            await doubting.stored(parcel)
        await doubting.close()

    with_site(tmp_path, work)


def test_trying_says_whether_it_would_be_taken(tmp_path: Path) -> None:
    async def work(b: SiteBench) -> None:
        token = b.root / "token"
        token.touch(mode=0o600)

        async def tried(path: str, text: str) -> str:
            token.write_text(text)
            target = http.open_target(http.Config("central", url=b.url + path, token_file=str(token)), context())
            try:
                return await target.probe()
            except TargetDown as error:
                return str(error)
            finally:
                await target.close()

        assert await tried("/sites/rathaus", b.text) == "a torhaus that takes our documents"
        assert await tried("/sites/rathaus", "another") == "401 (not let in: token, password or certificate)"
        assert await tried("/sites/schule", b.text) == "403 (not allowed to do this)"
        assert (await tried("/site/rathaus", b.text)).endswith("no torhaus")
        _, phone = await b.queue.reception.add_token("phone")
        assert (await tried("/sites/phone", phone)).endswith("no torhaus")
        assert await b.queue.list() == []

    with_site(tmp_path, work)


def test_a_document_by_tus(tmp_path: Path) -> None:
    async def work(b: SiteBench) -> None:
        no = await b.tus("POST", "/tus/rathaus", Upload_Length="8", Upload_Metadata="torhaus-id eA==")
        assert (no.status, b"sha256" in no.body) == (400, True)
        bad = await b.tus("POST", "/tus/rathaus", Upload_Length="8", Upload_Metadata=b.metadata(DOC, "schule/aa/1"))
        assert bad.status == 400
        size = str(len(DOC))
        begun = await b.tus("POST", "/tus/rathaus", Upload_Length=size, Upload_Metadata=b.metadata(DOC))
        where = begun.headers["Location"]
        done = await b.tus("PATCH", where, DOC, Upload_Offset="0")
        assert done.status == 204, done
        assert is_signed_for(done.headers[FIELD], b.queue.evidence.signer.public, ID, sha(DOC))
        await b.restart()
        assert (await b.tus("HEAD", where)).headers[FIELD] == done.headers[FIELD]
        assert (await b.put(DOC)).status == 200
        assert len(await b.queue.list()) == 1

    with_site(tmp_path, work)


def test_the_same_document_from_two_lines_at_once_is_one(tmp_path: Path) -> None:
    async def work(b: SiteBench) -> None:
        got = await asyncio.gather(*(b.put(DOC) for _ in range(6)))
        assert sorted(a.status for a in got) == [200] * 5 + [201]
        assert len(await b.queue.list()) == 1

    with_site(tmp_path, work)
