import asyncio
import errno
import json
import sqlite3
import zipfile
from pathlib import Path

import pytest
from aiohttp import web

from tests.daemon.evidence_scene import read
from tests.daemon.scans_fakes import Bench, FaultyDisk, fake_pdf, refuse, spool_key_files
from tests.daemon.tsa import Authority, Served, bench_with, needs_openssl, served
from torhaus.daemon.evidence import stamping
from torhaus.daemon.evidence.bundle import write_bundle
from torhaus.daemon.evidence.export_check import check_export, read_export
from torhaus.daemon.evidence.journal import verify
from torhaus.daemon.evidence.stamping import FIRST_RETRY_S, IDLE_S, LAST_RETRY_S, NEXT_S
from torhaus.daemon.evidence.tsa import judge_by
from torhaus.daemon.evidence.verifier import check_journal
from torhaus.daemon.scans import evidence
from torhaus.daemon.scans.events import StampingChanged, StoreStalled

pytestmark = needs_openssl
DAY_S = 86_400


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "good")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "other")


async def root_made(b: Bench, days: int = 1) -> None:
    """A document, and midnight; then the clock is right again."""
    b.put(f"{b.clock.now_ns}.pdf", fake_pdf(b.clock.now_ns))
    await b.look()
    b.clock.pass_s(days * DAY_S)
    await b.queue.record_head()
    b.clock.pass_s(-days * DAY_S)


def test_a_root_is_stamped_and_the_journal_says_so(tmp_path: Path, good: Authority) -> None:
    async def go() -> None:
        async with served(good) as tsa, bench_with(tmp_path, tsa.url, good.ca) as b:
            stamping = b.queue.stamping
            assert await stamping.turn() == IDLE_S  # no root yet
            await root_made(b)
            assert await stamping.turn() == NEXT_S
            assert await stamping.turn() == IDLE_S
            assert len(tsa.asked) == 1
            folder = tmp_path / "state/scans/roots"
            [root], [stamp] = folder.glob("*.json"), folder.glob("*.tsr")
            assert good.verified(root, stamp)
            assert stamp.stat().st_mode & 0o777 == 0o600
            assert stamping.figures.results == {"good": 1}
            assert abs(stamping.figures.stamped_ns - b.clock.wall_ns()) < 60e9
            assert b.told(StampingChanged) == []
            b.queue._report(StampingChanged(False, "http: status 500"))
            stamp.unlink()
            await b.restart()
            await b.queue.stamping.turn()
            assert stamp.exists()
            assert (await b.queue.verify_evidence()).faults == []

    asyncio.run(go())
    journal = read(tmp_path)
    [seq] = journal.seqs("stamped")
    assert journal.get(seq).data["root"] == json.loads(journal.top[1])["root"]["seq"]
    report = check_journal(iter(journal.lines()), judge=judge_by(good.ca))
    assert report.faults == []
    assert any("1 of 1 roots have time stamps" in fact and "trusted" in fact for fact in report.facts)


def test_every_hour(tmp_path: Path, good: Authority) -> None:
    async def go() -> None:
        async with served(good) as tsa, bench_with(tmp_path, tsa.url, good.ca, "hour") as b:
            for _ in range(3):
                b.clock.pass_s(3600)
                await b.queue.record_head()
            assert len(list((tmp_path / "state/scans/roots").iterdir())) == 3

    asyncio.run(go())


def test_what_is_tampered_with_is_named(tmp_path: Path, good: Authority, other: Authority) -> None:
    async def go() -> None:
        async with served(good) as tsa, bench_with(tmp_path, tsa.url, good.ca) as b:
            for days in (1, 2):
                await root_made(b, days)
                await b.queue.stamping.turn()

    asyncio.run(go())
    path = tmp_path / "state/scans/scans.db"
    conn = sqlite3.connect(path)
    [(first, a), (second, b)] = conn.execute("SELECT seq, stamp FROM root ORDER BY seq").fetchall()
    head = evidence.recorded_head(path.parent)

    def texts() -> list[str]:
        return [fault.text for fault in verify(conn, head, judge=judge_by(good.ca)).faults]

    assert texts() == []
    report = verify(conn, head, judge=judge_by(other.ca))
    assert [fault.seq for fault in report.faults] == [first, second]
    assert all("untrusted" in fault.text for fault in report.faults)
    since = verify(conn, head, since_ns=(1 << 62), judge=judge_by(good.ca))
    assert since.faults == []
    conn.execute("UPDATE root SET stamp = NULL WHERE seq = ?", (first,))
    assert texts() == [f"root {first} was stamped, and its stamp is not there"]
    conn.execute("UPDATE root SET stamp = ? WHERE seq = ?", (b, first))
    assert texts() == [f"the stamp of root {first} is not the one that the journal says it got"]
    conn.execute("UPDATE root SET stamp = ? WHERE seq = ?", (a, first))
    assert texts() == []
    conn.close()


def test_an_export_has_stamps_that_openssl_takes(tmp_path: Path, good: Authority) -> None:
    async def go() -> None:
        async with served(good) as tsa, bench_with(tmp_path, tsa.url, good.ca) as b:
            await root_made(b)
            await b.queue.stamping.turn()
            exported = await b.queue.evidence.export((await b.queue.list())[0].id, "uid:1")
            with (tmp_path / "x.zip").open("w+b") as out:
                write_bundle(out, exported, tmp_path / "state/scans", spool_key_files())

    asyncio.run(go())
    folder = tmp_path / "x"
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        archive.extractall(folder)
    [stamp] = folder.glob("*.tsr")
    assert good.verified(stamp.with_suffix(".json"), stamp)
    files, digest, *_ = read_export(folder)
    report = check_export(files, "", digest)
    assert report.faults == []
    assert sum("was stamped" in fact for fact in report.facts) == 1
    assert sum("no time stamp (yet)" in fact for fact in report.facts) == 1
    files[stamp.name] = good.answer(good.question(b"something else"))
    assert [fault.what for fault in check_export(files, "", digest).faults] == ["stamp"]
    files[stamp.name] = b"\x30\x80" + b"\0" * 50
    assert [fault.what for fault in check_export(files, "", digest).faults] == ["stamp"]


def test_bad_manners(tmp_path: Path, good: Authority, other: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs a retry and nothing else; one event an episode; the stamp comes when they are mended."""

    def bytes_of(make: object) -> object:
        async def manners(request: bytes) -> web.StreamResponse:
            return web.Response(body=make(request))  # type: ignore[operator]

        return manners

    async def go() -> None:
        async with served(good) as tsa, bench_with(tmp_path, tsa.url, good.ca) as b:
            await root_made(b)
            it = b.queue.stamping
            [path] = (tmp_path / "state/scans/roots").glob("*.json")
            waiting = path.read_bytes()
            replayed = good.answer(good.question(b"x"))

            async def error(_: bytes) -> web.StreamResponse:
                return web.Response(status=500)

            async def moved(_: bytes) -> web.StreamResponse:
                return web.Response(status=302, headers={"Location": tsa.url})

            async def slow(_: bytes) -> web.StreamResponse:
                await asyncio.Event().wait()
                raise AssertionError

            def late(request: bytes) -> bytes:
                b.clock.pass_s(3600)
                return good.answer(request)

            cases: list[tuple[str, object]] = [
                ("http", error),
                ("http", moved),
                ("slow", slow),
                ("unreadable", bytes_of(lambda _: b"<html>")),
                ("unreadable", bytes_of(lambda _: b"")),
                ("unreadable", bytes_of(lambda request: good.answer(request)[:-1])),
                ("too_large", bytes_of(lambda _: bytes(1 << 20))),
                ("imprint", bytes_of(lambda _: replayed)),
                ("nonce", bytes_of(lambda _: good.answer(good.question(waiting, nonce=True)))),
                ("nonce", bytes_of(lambda _: good.answer(good.question(waiting, nonce=False)))),
                ("untrusted", bytes_of(other.answer)),
                ("untrusted", bytes_of(lambda request: good.answer(request, "old"))),
                ("refused", bytes_of(lambda _: good.answer(b"nonsense"))),
                ("time", bytes_of(late)),
            ]
            for n, (why, manners) in enumerate(cases):
                tsa.manners = manners  # type: ignore[assignment]
                monkeypatch.setattr(stamping, "ANSWER_S", 0.3 if why == "slow" else 60.0)
                before = it.figures.results[why]
                pause = await it.turn()
                assert it.figures.results[why] == before + 1, (why, it.figures)
                most = min(LAST_RETRY_S, FIRST_RETRY_S * 2**n)
                assert most * 0.75 <= pause <= most
            assert [event.up for event in b.told(StampingChanged)] == [False]
            assert it.figures.waiting == 1
            b.clock.pass_s(-3600)
            tsa.manners = tsa.good
            assert await it.turn() == NEXT_S
            assert [event.up for event in b.told(StampingChanged)] == [False, True]
            await b.queue.record_head()
            assert len(read(tmp_path).seqs("fault.stamp_http")) == 1
        await root_made_again(tmp_path, good, tsa)

    asyncio.run(go())


async def root_made_again(root: Path, good: Authority, gone: Served) -> None:
    """The authority has gone; deliveries go on, and a clock that nobody has set judges no stamp's time."""
    async with bench_with(root, gone.url, good.ca) as b:
        await root_made(b)
        await b.queue.stamping.turn()
        assert b.queue.stamping.figures.results == {"unreachable": 1}
        await b.deliver()
        assert set(await b.states()) == {"verified"}
        good.ca.rename(good.folder / "away.pem")
        await b.queue.stamping.turn()
        (good.folder / "away.pem").rename(good.ca)
        assert b.queue.stamping.figures.results["no_ca"] == 1


def test_a_full_disk_is_told_and_costs_no_stamp(tmp_path: Path, good: Authority) -> None:
    async def go() -> None:
        disk = FaultyDisk()
        async with served(good) as tsa, bench_with(tmp_path, tsa.url, good.ca) as b:
            b.queue.stamping._disk = disk
            await root_made(b)
            disk.fault = refuse(errno.ENOSPC, "create")
            await b.queue.stamping.turn()
            assert [event.where for event in b.told(StoreStalled)] == ["stamp"]
            assert list((tmp_path / "state/scans/roots").glob("*.tsr")) == []
            disk.fault = lambda _name, _path: None
            await b.queue.stamping.turn()
            assert len(list((tmp_path / "state/scans/roots").glob("*.tsr"))) == 1
            assert len(tsa.asked) == 1

    asyncio.run(go())
