import asyncio
import sqlite3
from pathlib import Path

import msgspec
import pytest

from tests.daemon.scans_fakes import SITE, Bench, FaultyDisk, fake_pdf
from torhaus.daemon.scans import evidence
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.events import ScanMoved
from torhaus.daemon.scans.queue import ScanQueue, StoreBusy
from torhaus.daemon.scans.states import Reason, State


def test_it_runs_by_itself_until_cancelled(tmp_path: Path) -> None:
    async def go() -> None:
        b = Bench(tmp_path)
        for n in range(5):
            b.put(f"{n}.pdf", fake_pdf(n))
        done = asyncio.Event()
        verified: list[str] = []

        def report(event: object) -> None:
            if isinstance(event, ScanMoved) and event.state is State.VERIFIED:
                verified.append(event.id)
                if len(verified) == 5:
                    done.set()

        queue = ScanQueue(b.config, tmp_path / "state", SITE, b.clock, report, check=b.check)
        task = asyncio.ensure_future(queue.run())
        async with asyncio.timeout(30):
            await done.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(list(b.out.iterdir())) == 5
        assert not [path for path in b.hot.iterdir() if path.is_file()]
        async with Bench(tmp_path) as again:
            assert await again.states() == ["verified"] * 5
            result = await again.queue.verify_evidence()
            assert result.faults == []
            head = again.queue.evidence.signer.recorded()
            assert head is not None
            assert (head.seq, head.hash) == (result.entries, result.last_hash)

    asyncio.run(go())


def test_only_one_process_runs_it(tmp_path: Path) -> None:
    async def go() -> None:
        async with Bench(tmp_path) as b:
            other = ScanQueue(b.config, tmp_path / "state", SITE, b.clock, b.events.append, disk=Disk())
            with pytest.raises(StoreBusy):
                await other.open()
            await other.close()
        async with Bench(tmp_path):
            pass

    asyncio.run(go())


def test_counts_list_and_show(tmp_path: Path) -> None:
    async def go() -> None:
        async with Bench(tmp_path) as b:
            for n in range(5):
                b.put(f"{n}.pdf", fake_pdf(n))
            await b.look()
            counts = await b.queue.counts()
            assert counts.station == {"counter": {"spooled": 5}}
            assert counts.target == {"archive": {}}
            await b.deliver(2)
            counts = await b.queue.counts()
            assert counts.station == counts_of(verified=2, sealed=3)["station"]
            assert counts.target == {"archive": {"verified": 2, "sealed": 3}}
            assert [scan.seq for scan in await b.queue.list(limit=2)] == [5, 4]
            assert [scan.seq for scan in await b.queue.list(before_seq=4)] == [3, 2, 1]
            assert [scan.seq for scan in await b.queue.list((State.VERIFIED,))] == [2, 1]
            scan, entries = await b.queue.show((await b.queue.list())[-1].id)
            assert scan.seq == 1
            assert [entry.event for entry in entries] == [
                "arrived", "spooled", "source_removed", "sealed", "delivering", "transferred", "verified",
            ]  # fmt: skip
            for unknown in ("rathaus/00000000/1", "", "x" * 1000, scan.id + "0"):
                with pytest.raises(KeyError):
                    await b.queue.show(unknown)

    asyncio.run(go())


def counts_of(**states: int) -> dict[str, dict[str, dict[str, int]]]:
    return {"station": {"counter": dict(sorted(states.items()))}}


def test_scans_of_a_station_that_is_gone_wait(tmp_path: Path) -> None:
    async def go() -> None:
        async with Bench(tmp_path) as b:
            b.put("a.pdf", fake_pdf())
            await b.look()
            full, b.config = b.config, ScanConfig()
            await b.queue.close()
            await b.new_queue().open()
            assert await b.queue.seal() == 0
            assert await b.states() == ["spooled"]
            b.config = full
            await b.restart()
            await b.deliver()
            assert await b.states() == ["verified"]

    asyncio.run(go())


def test_a_duplicate_on_hold_waits_for_a_person(tmp_path: Path) -> None:
    async def go() -> None:
        async with Bench(tmp_path, duplicates="hold") as b:
            for name in ("a.pdf", "b.pdf"):
                b.put(name, fake_pdf())
            await b.look()
            await b.queue.seal()
            held = (await b.queue.list())[0]
            assert (held.state, held.reason) == (State.HELD, Reason.DUPLICATE)

    asyncio.run(go())


def test_opening_sweeps_what_a_crash_left(tmp_path: Path) -> None:
    async def go() -> None:
        async with Bench(tmp_path) as b:
            b.put("a.pdf", fake_pdf())
            await b.look()
            root = tmp_path / "state/scans"
            (root / "tmp/half").write_bytes(b"x")
            (root / "blobs/ff").mkdir()
            (root / "blobs/ff" / ("f" * 64)).write_bytes(b"orphan")
            await b.restart()
            assert [path.name for path in root.glob("blobs/*/*")] == [(await b.queue.list())[0].sha256]
            assert list((root / "tmp").iterdir()) == []

    asyncio.run(go())


@pytest.mark.parametrize("harm", ["tail", "restored", "unsigned", "forged", "garbage"])
def test_tampering_with_journal_or_head_is_found(tmp_path: Path, harm: str) -> None:
    async def go() -> None:
        async with Bench(tmp_path) as b:
            b.put("a.pdf", fake_pdf())
            await b.look()
            await b.deliver()
            await b.queue.record_head()
            assert (await b.queue.verify_evidence()).faults == []
            path = tmp_path / "state/scans/evidence.head"
            head = msgspec.json.decode(path.read_bytes(), type=evidence.Head)
            if harm in {"tail", "restored"}:
                conn = sqlite3.connect(tmp_path / "state/scans/scans.db")
                conn.execute("DELETE FROM evidence WHERE seq > ?", (head.seq - 1 if harm == "tail" else 0,))
                conn.commit()
                conn.close()
            elif harm == "unsigned":
                path.write_bytes(msgspec.json.encode(msgspec.structs.replace(head, signature="")))
            elif harm == "forged":  # with a key of the forger's own
                (tmp_path / "forger").mkdir()
                path.write_bytes(msgspec.json.encode(evidence.Signer(tmp_path / "forger", Disk()).sign(head)))
            else:
                path.write_bytes(b"\xff{")
            found = {fault.what for fault in (await b.queue.verify_evidence()).faults}
            assert found == ({"tail"} if harm in {"tail", "restored"} else {"signature"})

    asyncio.run(go())


def test_folders_and_files_are_private(tmp_path: Path) -> None:
    async def go() -> None:
        async with Bench(tmp_path, disk=FaultyDisk()) as b:
            b.put("a.pdf", fake_pdf())
            await b.look()
            await b.queue.record_head()
            for path in (tmp_path / "state/scans").rglob("*"):
                if not path.name.startswith("scans.db-"):
                    assert path.stat().st_mode & 0o077 == 0, path.name
            assert (tmp_path / "state/scans").stat().st_mode & 0o777 == 0o700

    asyncio.run(go())


def test_who_is_told_twice_to_end_gives_the_store_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        b = Bench(tmp_path)
        writing = asyncio.Event()

        async def slow() -> None:
            writing.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(b.queue.evidence, "record", slow)
        running = asyncio.create_task(b.queue.run())
        await writing.wait()
        running.cancel()
        writing.clear()
        await writing.wait()  # once more, on the way out
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        async with Bench(tmp_path):
            pass

    asyncio.run(go())
