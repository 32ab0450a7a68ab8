"""The reception: how many bodies at once, what it looks after, and its calls on the control socket."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import aiohttp
import pytest

from tests.daemon.scans_fakes import FaultyDisk, blob, fake_pdf
from tests.daemon.upload_fakes import UploadBench, until, with_uploads
from torhaus.daemon.scans.db import Tx

DOC = fake_pdf("x" * 5000)


def test_so_many_bodies_at_once(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", b.port)
        login = f"Host: x\r\nAuthorization: Bearer {b.text}\r\n"
        writer.write(f"PUT /scans/phone/a HTTP/1.1\r\n{login}Content-Length: 9\r\n\r\n1234".encode())
        await until(lambda: b.queue.reception._at_once["phone"] == 1)
        assert (await b.ask("PUT", "/scans/phone/b", fake_pdf(1))).status == 503
        assert (await b.ask("GET", "/scans/phone?id=x")).status == 404  # has no body
        writer.write(b"56789")
        assert b"201" in await reader.readline()
        writer.close()
        assert (await b.ask("PUT", "/scans/phone/b", fake_pdf(1))).status == 201

    with_uploads(tmp_path, work, max_at_once=1)


def test_wrong_logins_are_entered_when_the_store_works_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(b: UploadBench) -> None:
        await b.ask("PUT", "/scans/phone/a", b"x", Authorization="Bearer nein")
        faults, real = b.queue.evidence.faults, b.queue._db._commit

        def full(_: sqlite3.Connection) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(b.queue._db, "_commit", full)
        await b.queue.record_head()
        await b.queue.reception.tend_once()
        monkeypatch.setattr(b.queue._db, "_commit", real)
        assert (await b.ask("PUT", "/scans/phone/a", fake_pdf(1))).status == 201
        await b.queue.record_head()
        assert faults.is_empty
        logins = "SELECT count(*) FROM evidence WHERE instr(entry, 'fault.login_token') > 0"
        assert await b.queue._db.run(lambda tx: tx.conn.execute(logins).fetchone()[0]) == 1

    with_uploads(tmp_path, work)


def test_no_answer_names_the_versions_of_what_is_at_work(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        for method, path, more in (
            ("PUT", "/scans/phone/a", {}), ("PUT", "/scans/phone/a", {"Authorization": "Bearer nein"}),
            ("GET", "/elsewhere", {}), ("HEAD", "/tus/phone/x", {"Tus_Resumable": "1.0.0"}),
        ):  # fmt: skip
            assert (await b.ask(method, path, fake_pdf(1) if method == "PUT" else b"", **more)).headers[
                "Server"
            ] == "torhaus"

    with_uploads(tmp_path, work)


def test_old_keys_are_forgotten(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        def kept(tx: Tx) -> int:
            return int(tx.conn.execute("SELECT count(*) FROM upload_key").fetchone()[0])

        assert (await b.ask("POST", "/scans/phone", fake_pdf(1), Idempotency_Key="k")).status == 201
        await b.queue.reception.tend_once()
        assert await b.queue._db.run(kept) == 1
        b.clock.pass_s(8 * 86_400)
        await b.queue.reception.tend_once()
        assert await b.queue._db.run(kept) == 0

    with_uploads(tmp_path, work)


class Gates:
    """Lets a thread wait, once, where a disk does something to a file of that folder."""

    def __init__(self, disk: FaultyDisk, operation: str, folder: str) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self._what = operation, folder
        disk.fault = self._pass

    def _pass(self, operation: str, path: Path) -> None:
        if (operation, path.parent.name) == self._what and not self.reached.is_set():
            self.reached.set()
            assert self.open.wait(60)


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def cut_off() -> None:
    """As the door does to whoever is still there when it closes."""
    for task in asyncio.all_tasks():
        if "RequestHandler.start" in repr(task):
            task.cancel()


@pytest.mark.parametrize("operation", ["create", "write", "fsync"])
@pytest.mark.parametrize("way", ["post", "tus"])
def test_who_is_cut_off_leaves_nothing_open_and_nothing_half(tmp_path: Path, operation: str, way: str) -> None:
    disk = FaultyDisk()

    async def work(b: UploadBench) -> None:
        where = await b.create(len(DOC))
        assert (await b.tus("PATCH", where, DOC[:1000], Upload_Offset="0")).status == 204
        before = descriptors()
        gates = Gates(disk, operation, "tmp" if way == "post" else "uploads")
        if way == "post":
            asked = b.ask("POST", "/scans/phone", DOC)
        elif operation == "create":
            asked = b.tus("POST", "/tus/phone/", Upload_Length="9")
        else:
            asked = b.tus("PATCH", where, DOC[1000:], Upload_Offset="1000")
        asking = asyncio.create_task(asked)
        await asyncio.to_thread(gates.reached.wait, 60)
        for _ in range(3):
            cut_off()
            await asyncio.sleep(0)
        gates.open.set()
        assert isinstance((await asyncio.gather(asking, return_exceptions=True))[0], aiohttp.ClientError)
        await until(lambda: descriptors() <= before)
        assert list((b.root / "state/scans/tmp").iterdir()) == []
        assert b.uploads() == [where.rpartition("/")[2]]
        at = int((await b.tus("HEAD", where)).headers["Upload-Offset"])
        assert (await b.tus("PATCH", where, DOC[at:], Upload_Offset=str(at))).status == 204
        (scan,) = await b.queue.list()
        assert blob(b, scan) == DOC

    with_uploads(tmp_path, work, disk=disk)
