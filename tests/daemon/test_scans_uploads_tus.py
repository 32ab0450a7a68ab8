"""tus 1.0.0: what the protocol wants of every request, and that an upload becomes one scan."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import fake_pdf
from tests.daemon.upload_fakes import UploadBench, b64, sha, until, with_uploads
from torhaus.codecs.tus import EXTENSIONS
from torhaus.daemon.scans.db import Tx

DOC = fake_pdf("x" * 3000)


def test_an_upload_in_two_pieces_is_one_scan(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        where = await b.create(
            len(DOC), Upload_Metadata=f"filename {b64('brücke.pdf'.encode())},sha256 {b64(sha(DOC).encode())}"
        )
        first = await b.tus("PATCH", where, DOC[:1000], Upload_Offset="0")
        assert (first.status, first.headers["Upload-Offset"]) == (204, "1000")
        head = await b.tus("HEAD", where)
        assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("1000", str(len(DOC)))
        assert head.headers["Cache-Control"] == "no-store"
        assert head.headers["Upload-Expires"].endswith("GMT")
        assert "filename" in head.headers["Upload-Metadata"]
        assert await b.queue.list() == []
        last = await b.tus("PATCH", where, DOC[1000:], Upload_Offset="1000")
        assert last.status == 204
        (scan,) = await b.queue.list()
        assert (scan.sha256, scan.name) == (sha(DOC), "brücke.pdf".encode())
        assert last.headers["Torhaus-Scan"] == scan.id
        assert last.headers["Repr-Digest"].startswith("sha-256=:")
        assert (await b.tus("HEAD", where)).headers["Torhaus-Scan"] == scan.id
        assert b.uploads() == []
        again = await b.tus("PATCH", where, b"", Upload_Offset=str(len(DOC)))
        assert (again.status, len(await b.queue.list())) == (204, 1)

    with_uploads(tmp_path, work)


def test_creation_with_upload_and_deferred_length(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        where = await b.create(len(DOC), DOC)
        assert (await b.tus("HEAD", where)).headers["Upload-Offset"] == str(len(DOC))
        made = await b.tus("POST", "/tus/phone/", Upload_Defer_Length="1")
        late = made.headers["Location"]
        assert (await b.tus("HEAD", late)).headers["Upload-Defer-Length"] == "1"
        half = await b.tus("PATCH", late, DOC[:9], Upload_Offset="0")
        assert half.status == 204
        less = await b.tus("PATCH", late, b"", Upload_Offset="9", Upload_Length="8")
        assert less.status == 400
        rest = await b.tus("PATCH", late, DOC[9:], Upload_Offset="9", Upload_Length=str(len(DOC)))
        assert rest.status == 204, rest
        assert await b.hashes() == [sha(DOC)] * 2

    with_uploads(tmp_path, work)


@pytest.mark.parametrize(
    ("method", "more", "status"),
    [
        ("PATCH", {"Content_Type": "application/pdf", "Upload_Offset": "0"}, 415),
        ("PATCH", {}, 400),
        ("PATCH", {"Upload_Offset": "-1"}, 400),
        ("PATCH", {"Upload_Offset": "1"}, 409),
        ("PATCH", {"Upload_Offset": "0", "Tus_Resumable": "0.2.2"}, 412),
        ("PATCH", {"Upload_Offset": "0", "Upload_Length": "7"}, 400),
        ("PATCH", {"Upload_Offset": "0", "Upload_Checksum": "crc32 AAAA"}, 400),
        ("PATCH", {"Upload_Offset": "0", "Upload_Checksum": "sha1 AAAA"}, 400),
        ("PATCH", {"Upload_Offset": "0", "Content_Encoding": "gzip"}, 415),
        ("PUT", {}, 405),
    ],
)
def test_bad_requests_change_nothing(tmp_path: Path, method: str, more: dict[str, str], status: int) -> None:
    async def work(b: UploadBench) -> None:
        where = await b.create(len(DOC))
        got = await b.tus(method, where, DOC[:10], **more)
        assert (got.status, got.headers["Tus-Resumable"]) == (status, "1.0.0"), got
        assert (await b.tus("HEAD", where)).headers["Upload-Offset"] == "0"

    with_uploads(tmp_path, work)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 400),
        ({"Upload_Length": "0"}, 400),
        ({"Upload_Length": "x"}, 400),
        ({"Upload_Length": "5000"}, 413),
        ({"Upload_Length": "5", "Upload_Defer_Length": "1"}, 400),
        ({"Upload_Defer_Length": "2"}, 400),
        ({"Upload_Length": "5", "Upload_Metadata": "filename !"}, 400),
        ({"Upload_Length": "5", "Upload_Metadata": "sha256 AAAA"}, 400),
        ({"Upload_Length": "5", "Upload_Metadata": "filename " + b64(b"n" * 1025)}, 400),
        ({"Upload_Length": "5", "Upload_Concat": "half"}, 400),
        ({"Upload_Concat": "final;/tus/other/abc"}, 400),
        ({"Upload_Concat": "final;/tus/phone/abc"}, 404),
        ({"Upload_Concat": "final;/tus/phone/a", "Upload_Length": "5"}, 400),
    ],
)
def test_bad_creations_make_nothing(tmp_path: Path, more: dict[str, str], status: int) -> None:
    async def work(b: UploadBench) -> None:
        assert (await b.tus("POST", "/tus/phone/", **more)).status == status
        assert b.uploads() == []

    with_uploads(tmp_path, work, max_bytes=4999)


def test_options_and_method_override(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        got = await b.ask("OPTIONS", "/tus/phone/")
        assert got.headers["Tus-Extension"] == ",".join(EXTENSIONS)
        assert (got.status, got.headers["Tus-Checksum-Algorithm"]) == (204, "sha1,sha256")
        where = await b.create(len(DOC))
        got = await b.tus("POST", where, DOC, Upload_Offset="0", X_HTTP_Method_Override="PATCH")
        assert got.status == 204
        assert await b.hashes() == [sha(DOC)]

    with_uploads(tmp_path, work)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_wrong_checksum_discards_the_chunk(tmp_path: Path, algorithm: str) -> None:
    def checksum(data: bytes) -> str:
        return f"{algorithm} {b64(hashlib.new(algorithm, data).digest())}"

    async def work(b: UploadBench) -> None:
        where = await b.create(len(DOC))
        good = await b.tus("PATCH", where, DOC[:100], Upload_Offset="0", Upload_Checksum=checksum(DOC[:100]))
        assert good.status == 204
        for bad in (b"y" * 100, DOC[100:]):
            got = await b.tus("PATCH", where, bad, Upload_Offset="100", Upload_Checksum=checksum(b"z"))
            assert got.status == 460
            assert (await b.tus("HEAD", where)).headers["Upload-Offset"] == "100"
        assert (b.root / "state/scans/uploads" / b.uploads()[0]).stat().st_size == 100
        last = await b.tus("PATCH", where, DOC[100:], Upload_Offset="100", Upload_Checksum=checksum(DOC[100:]))
        assert last.status == 204
        assert await b.hashes() == [sha(DOC)]

    with_uploads(tmp_path, work)


def test_another_whole_than_promised_is_never_a_scan(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        where = await b.create(len(DOC), Upload_Metadata=f"sha256 {b64(sha(b'other').encode())}")
        assert (await b.tus("PATCH", where, DOC, Upload_Offset="0")).status == 460
        assert (await b.tus("HEAD", where)).status == 410
        assert (await b.queue.list(), b.uploads()) == ([], [])

        def entered(tx: Tx) -> int:
            sql = "SELECT count(*) FROM evidence WHERE CAST(entry AS TEXT) LIKE '%upload_sha256%'"
            return int(tx.conn.execute(sql).fetchone()[0])

        assert await b.queue._db.run(entered) == 1

    with_uploads(tmp_path, work)


def test_more_than_the_length_is_refused(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield DOC
        yield b"zuviel"

    async def work(b: UploadBench) -> None:
        where = await b.create(len(DOC))
        assert (await b.tus("PATCH", where, DOC + b"x", Upload_Offset="0")).status == 413
        assert (await b.tus("PATCH", where, pieces(), Upload_Offset="0")).status == 413
        assert await b.queue.list() == []
        assert (await b.tus("PATCH", where, DOC, Upload_Offset="0")).status == 204
        assert await b.hashes() == [sha(DOC)]

    with_uploads(tmp_path, work)


def test_concatenation(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        cuts = [DOC[:700], DOC[700:1900], DOC[1900:]]
        parts = [await b.create(len(c), c, Upload_Concat="partial") for c in cuts]
        half = await b.create(9, Upload_Concat="partial")
        assert await b.queue.list() == []
        urls = " ".join([*parts[:2], b.url + parts[2]])
        wrong = await b.tus("POST", "/tus/phone/", Upload_Concat=f"final;{urls} {half}")
        twice = await b.tus("POST", "/tus/phone/", Upload_Concat=f"final;{parts[0]} {parts[0]}")
        other = f"sha256 {b64(sha(b'other').encode())}"
        bad = await b.tus("POST", "/tus/phone/", Upload_Concat=f"final;{urls}", Upload_Metadata=other)
        assert (wrong.status, twice.status, bad.status) == (400, 400, 460)
        made = await b.tus("POST", "/tus/phone/", Upload_Concat=f"final;{urls}")
        assert made.status == 201, made
        assert await b.hashes() == [sha(DOC)]
        head = await b.tus("HEAD", made.headers["Location"])
        assert (head.headers["Upload-Offset"], head.headers["Upload-Concat"]) == (str(len(DOC)), f"final;{urls}")
        assert (await b.tus("PATCH", made.headers["Location"], b"x", Upload_Offset="0")).status == 403
        assert (await b.tus("HEAD", parts[0])).status == 404
        assert len(b.uploads()) == 1

    with_uploads(tmp_path, work)


def test_a_concatenation_whose_answer_was_lost_is_answered_again(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        parts = [await b.create(len(c), c, Upload_Concat="partial") for c in (DOC[:700], DOC[700:])]
        said = {"Upload_Concat": f"final;{' '.join(parts)}", "Upload_Metadata": f"sha256 {b64(sha(DOC).encode())}"}
        first = await b.tus("POST", "/tus/phone/", **said)
        again = await b.tus("POST", "/tus/phone/", **said)
        elsewhere = await b.tus("POST", "/tus/phone/", Upload_Concat=f"final;{b.url}{parts[0]} {b.url}{parts[1]}")
        assert (first.status, again.status, elsewhere.status) == (201, 201, 201)
        for answer in (again, elsewhere):
            for name in ("Location", "Upload-Offset", "Upload-Expires", "Repr-Digest", "Torhaus-Scan"):
                assert answer.headers[name] == first.headers[name], name
        assert await b.hashes() == [sha(DOC)]
        turned = await b.tus("POST", "/tus/phone/", Upload_Concat=f"final;{parts[1]} {parts[0]}")
        fewer = await b.tus("POST", "/tus/phone/", Upload_Concat=f"final;{parts[0]}")
        said["Upload_Metadata"] = f"sha256 {b64(sha(b'other').encode())}"
        other = await b.tus("POST", "/tus/phone/", **said)
        assert (turned.status, fewer.status, other.status) == (404, 404, 460)
        b.clock.pass_s(101)
        assert (await b.tus("POST", "/tus/phone/", Upload_Concat=f"final;{' '.join(parts)}")).status == 404
        assert await b.hashes() == [sha(DOC)]

    with_uploads(tmp_path, work, expires_s=100.0)


def test_termination_and_expiration(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        gone, old = await b.create(9), await b.create(9)
        assert (await b.tus("DELETE", gone)).status == 204
        assert (await b.tus("HEAD", gone)).status == 404
        b.clock.pass_s(101)
        young = await b.create(9)
        assert (await b.tus("PATCH", old, b"x", Upload_Offset="0")).status == 410
        await b.queue.reception.tend_once()
        assert (await b.tus("HEAD", old)).status == 404
        assert b.uploads() == [young.rpartition("/")[2]]
        assert (await b.tus("POST", "/tus/phone/", Upload_Length="9")).status == 201
        assert (await b.tus("POST", "/tus/phone/", Upload_Length="9")).status == 429

    with_uploads(tmp_path, work, expires_s=100.0, max_open=2)


def test_another_stations_upload_is_none(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        where = await b.create(9)
        _, b.text = await b.queue.reception.add_token("other")
        assert (await b.tus("HEAD", where)).status == 403
        assert (await b.tus("HEAD", where.replace("phone", "other"))).status == 404

    with_uploads(tmp_path, work)


def test_two_at_once_and_a_question_that_takes_over(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        where = await b.create(len(DOC))
        reader, writer = await asyncio.open_connection("127.0.0.1", b.port)
        fields = f"Authorization: Bearer {b.text}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        kind = f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(DOC)}\r\n"
        writer.write(f"PATCH {where} HTTP/1.1\r\nHost: x\r\n{fields}{kind}\r\n".encode() + DOC[:500])
        await until(lambda: bool(b.queue.reception.pieces._busy))
        assert (await b.tus("PATCH", where, DOC, Upload_Offset="0")).status == 423
        head = await b.tus("HEAD", where)  # the first line may look alive for minutes
        assert head.status == 200
        offset = int(head.headers["Upload-Offset"])
        assert offset in {0, 500}
        writer.close()
        assert (await b.tus("PATCH", where, DOC[offset:], Upload_Offset=str(offset))).status == 204
        assert await b.hashes() == [sha(DOC)]
        del reader

    with_uploads(tmp_path, work)
