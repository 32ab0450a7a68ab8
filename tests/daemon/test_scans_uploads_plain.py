"""PUT and POST: stored before they are answered, digests checked, repeats not doubled, the rest refused."""

import asyncio
import errno
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import FaultyDisk, blob, fake_pdf, refuse
from tests.daemon.upload_fakes import UploadBench, b64, sha, until, with_uploads
from torhaus.daemon.scans.events import IntakeStalled, NotTaken, ScanMoved

DOC = fake_pdf("eins")


def digest(data: bytes) -> str:
    return f"sha-256=:{b64(hashlib.sha256(data).digest())}:"


def test_a_document_is_stored_and_proved(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        got = await b.ask("PUT", "/scans/phone/br%C3%BCcke%E9.pdf", DOC, Repr_Digest=digest(DOC))
        assert got.status == 201, got
        assert got.headers["Repr-Digest"] == digest(DOC)
        told = json.loads(got.body)
        assert (told["state"], told["sha256"], told["size_bytes"]) == ("spooled", sha(DOC), len(DOC))
        (scan,) = await b.queue.list()
        assert (scan.name, scan.station, scan.id) == ("brücke".encode() + b"\xe9.pdf", "phone", told["id"])
        assert await asyncio.to_thread(blob, b, scan) == DOC
        await b.deliver()
        shown = await b.ask("GET", got.headers["Location"])
        assert (shown.status, json.loads(shown.body)["state"]) == (200, "verified")
        assert (await b.ask("GET", "/scans/phone?id=rathaus/x/1")).status == 404
        assert len(b.told(ScanMoved)) >= 3

    with_uploads(tmp_path, work)


def test_a_repeat_is_the_same_scan(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        first = await b.ask("PUT", "/scans/phone/a.pdf", DOC)
        again = await b.ask("PUT", "/scans/phone/a.pdf", DOC)
        assert (first.status, again.status) == (201, 200)
        assert first.body == again.body
        other = await b.ask("PUT", "/scans/phone/a.pdf", fake_pdf("zwei"))  # nothing is replaced
        assert other.status == 201
        keyed = await b.ask("POST", "/scans/phone?name=b.pdf", DOC, Idempotency_Key="k1")
        same = await b.ask("POST", "/scans/phone", DOC, Idempotency_Key="k1")
        assert (keyed.status, same.status) == (201, 200)
        assert keyed.body == same.body
        assert (await b.ask("POST", "/scans/phone", fake_pdf(3), Idempotency_Key="k1")).status == 422
        free = await b.ask("POST", "/scans/phone", DOC)
        assert json.loads(free.body)["duplicate_of"] == json.loads(first.body)["id"]
        assert len(await b.queue.list()) == 4

    with_uploads(tmp_path, work)


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("Repr-Digest", f"sha-256=:{b64(bytes(32))}:", 400),
        ("Content-Digest", f"sha-512=:{b64(bytes(64))}:", 400),
        ("Content-Digest", f"sha-512=:{b64(hashlib.sha512(DOC).digest())}:", 201),
        ("Repr-Digest", f"md5=:{b64(bytes(16))}:", 201),
        ("Repr-Digest", f"md5=:{b64(bytes(16))}:, {digest(DOC)}", 201),
        ("Repr-Digest", "sha-256=:kurz:", 400),
        ("Repr-Digest", "unsinn", 400),
        ("Repr-Digest", f"sha-256=:{b64(bytes(31))}:", 400),
    ],
)
def test_digests(tmp_path: Path, field: str, value: str, status: int) -> None:
    async def work(b: UploadBench) -> None:
        got = await b.ask("PUT", "/scans/phone/a.pdf", DOC, **{field: value})
        assert got.status == status, got
        if status == 400:
            assert "sha-256" in got.headers["Want-Repr-Digest"]
            assert json.loads(got.body)["status"] == 400
            assert got.headers["Content-Type"].startswith("application/problem+json")
        assert len(await b.queue.list()) == (status == 201)

    with_uploads(tmp_path, work)


def test_what_does_not_pass_the_check_is_kept_in_quarantine(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        got = await b.ask("PUT", "/scans/phone/a.pdf", b"%PDF-1.7 halb")
        assert got.status == 201
        assert json.loads(got.body)["state"] == "quarantined"
        assert json.loads(got.body)["reason"] == "damaged"

    with_uploads(tmp_path, work)


def test_limits(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        assert (await b.ask("PUT", "/scans/phone/a", b"x" * 1001)).status == 413
        assert (await b.ask("PUT", "/scans/phone/a", streamed(b"x" * 600, 2))).status == 413  # no Content-Length
        assert (await b.ask("PUT", "/scans/phone/a", b"")).status == 400
        assert (await b.ask("PUT", "/scans/phone/" + "a" * 1025, DOC)).status == 400
        assert (await b.ask("PUT", "/scans/phone/a", DOC, Content_Encoding="gzip")).status == 415
        assert (await b.ask("POST", "/scans/phone", DOC, Content_Type="multipart/form-data; boundary=x")).status == 415
        assert (await b.ask("PUT", "/scans/phone/a", DOC, Idempotency_Key="k" * 256)).status == 400
        assert (await b.ask("PUT", "/scans/phone/a", DOC)).status == 201
        assert (await b.ask("PUT", "/scans/phone/b", fake_pdf(2))).status == 201
        over = await b.ask("PUT", "/scans/phone/c", fake_pdf(3))
        assert (over.status, over.headers["Retry-After"]) == (429, "3600")
        b.clock.pass_s(86_401)
        assert (await b.ask("PUT", "/scans/phone/c", fake_pdf(3))).status == 201
        assert [e.kind for e in b.told(NotTaken)] == ["too_large", "too_large", "quota"]

    with_uploads(tmp_path, work, max_bytes=1000, quota_documents=2)


def test_quota_of_bytes(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        assert (await b.ask("PUT", "/scans/phone/a", DOC)).status == 201
        assert (await b.ask("PUT", "/scans/phone/b", fake_pdf("noch eins"))).status == 429

    with_uploads(tmp_path, work, quota_bytes=len(DOC) + 5)


async def streamed(piece: bytes, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield piece


def test_a_full_disk_is_507_and_told_once(tmp_path: Path) -> None:
    disk = FaultyDisk()

    async def work(b: UploadBench) -> None:
        disk.free_bytes = 100
        assert (await b.ask("PUT", "/scans/phone/a", DOC)).status == 507
        assert (await b.ask("PUT", "/scans/phone/a", DOC)).status == 507
        disk.free_bytes = 1 << 40
        disk.fault = refuse(errno.ENOSPC, "write")
        assert (await b.ask("PUT", "/scans/phone/a", DOC)).status == 507
        disk.fault = refuse(errno.EIO, "fsync")
        assert (await b.ask("PUT", "/scans/phone/a", DOC)).status == 503
        disk.fault = lambda _name, _path: None
        assert [e.kind for e in b.told(IntakeStalled)] == ["disk_full", "io"]
        assert (await b.ask("PUT", "/scans/phone/a", DOC)).status == 201

    with_uploads(tmp_path, work, disk=disk)


def test_a_body_that_is_cut_leaves_nothing(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        head = f"PUT /scans/phone/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {b.text}\r\nContent-Length: 50\r\n\r\n"
        for ending in (b"", b"halb"):
            reader, writer = await asyncio.open_connection("127.0.0.1", b.port)
            writer.write(head.encode() + ending)
            await writer.drain()
            writer.write_eof() if ending else writer.transport.abort()
            await reader.read()
            writer.close()
        await until(lambda: not b.queue.reception._at_once["phone"])
        assert await b.queue.list() == []

    with_uploads(tmp_path, work)


def test_nobody_is_told_to_send_before_he_is_let_in(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        for token, answers in ((b.text, b"HTTP/1.1 100 Continue"), ("falsch", b"HTTP/1.1 401 Unauthorized")):
            reader, writer = await asyncio.open_connection("127.0.0.1", b.port)
            head = f"PUT /scans/phone/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            writer.write(f"{head}Expect: 100-continue\r\nContent-Length: {len(DOC)}\r\n\r\n".encode())
            assert (await reader.readline()).strip() == answers
            if answers.endswith(b"Continue"):
                writer.write(DOC)
                assert b"201" in (await reader.readuntil(b"\r\n\r\n"))
            writer.close()

    with_uploads(tmp_path, work)
