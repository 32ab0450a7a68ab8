import asyncio
import base64
import hashlib
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.daemon.scans_fakes import context
from tests.daemon.scans_server import FakeServer
from torhaus.daemon.scans.digests import digest_field
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets.base import NotNow, Parcel, Receipt, Refused, TargetDown
from torhaus.daemon.scans.targets.http import Config, Http
from torhaus.daemon.scans.targets.receipts import signed_text

DATA = b"document" * 100_000
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    (tmp_path / "blob").write_bytes(DATA)
    return Parcel(
        "rathaus/3f2a91c0/7", 7, "3f2a91c0", "counter", "Bußgeld\ufffd.pdf", tmp_path / "blob", SHA, len(DATA),
        "application/pdf", "12:ab",
    )  # fmt: skip


def with_server(work: Callable[[FakeServer, Http], Awaitable[None]], **more: Any) -> FakeServer:
    async def go() -> FakeServer:
        async with FakeServer() as server:
            target = Http(server.config(**more), context())
            try:
                await work(server, target)
            finally:
                await target.close()
            return server

    return asyncio.run(go())


def test_put_with_proof(parcel: Parcel) -> None:
    async def work(server: FakeServer, target: Http) -> None:
        assert await target.send(parcel) == Receipt(SHA, "201")
        assert server.stored == {parcel.id: DATA}

    server = with_server(work)
    sent = server.headers[0]
    assert sent["Repr-Digest"] == sent["Content-Digest"] == digest_field(SHA)
    assert sent["Want-Repr-Digest"] == "sha-256=10"
    assert sent["Content-Length"] == str(len(DATA))
    assert sent["Content-Type"] == "application/pdf"
    assert sent["Content-Disposition"] == "attachment; filename*=UTF-8''Bu%C3%9Fgeld%EF%BF%BD.pdf"
    assert sent["Torhaus-Evidence-Head"] == "12:ab"
    assert "Authorization" not in sent
    assert server.reads == []


def test_a_2xx_without_proof_is_no_proof(parcel: Parcel) -> None:
    async def work(server: FakeServer, target: Http) -> None:
        server.prove_put = False
        assert await target.send(parcel) == Receipt(None, "201")
        assert await target.stored(parcel) == SHA
        assert server.reads == ["HEAD"]
        server.prove_head = False
        assert await target.stored(parcel) == SHA
        assert server.reads == ["HEAD", "HEAD", "GET"]

    with_server(work)


def test_a_digest_of_the_replys_own_body_proves_nothing(parcel: Parcel) -> None:
    async def work(server: FakeServer, target: Http) -> None:
        server.script = ["foreign_digest"]
        assert (await target.send(parcel)).stored_sha256 is None
        assert await target.stored(parcel) == SHA

    with_server(work)


@pytest.mark.parametrize("proof", [True, False])
def test_lost_and_altered_documents_are_seen(parcel: Parcel, proof: bool) -> None:
    async def work(server: FakeServer, target: Http) -> None:
        server.prove_put = server.prove_head = proof
        server.script = ["lose", "flip"]
        assert (await target.send(parcel)).stored_sha256 is None
        assert await target.stored(parcel) is None
        assert (await target.send(parcel)).stored_sha256 is None
        altered = await target.stored(parcel)
        assert altered not in {None, SHA}
        server.stored[parcel.id] = DATA * 2
        assert await target.stored(parcel) not in {None, SHA}
        server.stored[parcel.id] = DATA[:-1]
        assert await target.stored(parcel) not in {None, SHA}

    with_server(work)


def test_read_back_always_takes_no_word_for_it(parcel: Parcel) -> None:
    async def work(server: FakeServer, target: Http) -> None:
        assert (await target.send(parcel)).stored_sha256 is None
        assert await target.stored(parcel) == SHA
        assert server.reads == ["GET"]

    with_server(work, read_back="always")


def test_if_none_match_never_replaces(parcel: Parcel) -> None:
    async def work(server: FakeServer, target: Http) -> None:
        await target.send(parcel)
        assert (await target.send(parcel)).stored_sha256 == SHA  # 412: ours, from an earlier attempt
        server.stored[parcel.id] = b"other"
        with pytest.raises(Refused) as caught:
            await target.send(parcel)
        assert caught.value.reason is Reason.CONFLICT
        assert server.stored[parcel.id] == b"other"

    with_server(work, if_none_match=True)


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, Refused), (413, Refused), (422, Refused), (401, TargetDown), (404, TargetDown), (503, TargetDown),
     (429, TargetDown), (302, TargetDown), (500, NotNow), (409, NotNow), (460, NotNow)],
)  # fmt: skip
def test_answers(parcel: Parcel, status: int, error: type[Exception]) -> None:
    async def work(server: FakeServer, target: Http) -> None:
        server.script = [str(status)]
        with pytest.raises(error) as caught:
            await target.send(parcel)
        if status in {429, 503}:
            assert isinstance(caught.value, TargetDown)
            assert caught.value.after_s == 120.0

    with_server(work)


def test_a_dropped_connection_and_a_closed_port_are_down(parcel: Parcel) -> None:
    async def work(server: FakeServer, target: Http) -> None:
        server.script = ["drop"]  # the HTTP client itself repeats a PUT once: the whole body must come again
        assert (await target.send(parcel)).stored_sha256 == SHA
        assert server.stored == {parcel.id: DATA}
        server.script = ["drop", "drop"]
        with pytest.raises(TargetDown):
            await target.send(parcel)

    with_server(work)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def closed() -> None:
        target = Http(Config("central", f"http://127.0.0.1:{port}"), context())
        with pytest.raises(TargetDown):
            await target.send(parcel)
        with pytest.raises(TargetDown):
            await target.stored(parcel)
        await target.close()

    asyncio.run(closed())


def test_the_token_is_read_for_each_request_and_never_shown(parcel: Parcel, tmp_path: Path) -> None:
    path = tmp_path / "token"

    async def work(server: FakeServer, target: Http) -> None:
        server.token = "s3cret"
        with pytest.raises(TargetDown) as missing:
            await target.send(parcel)
        assert missing.value.detail == f"token_file: {path} cannot be read: No such file or directory"
        path.touch(mode=0o600)
        for bad in (b"", b"a\nb", b"\xff", b"x" * 20_000):
            path.write_bytes(bad)
            with pytest.raises(TargetDown) as caught:
                await target.send(parcel)
            assert str(caught.value).startswith("token_file")
        assert server.puts == []
        path.write_text("s3cret\n", encoding="ascii")
        path.chmod(0o644)
        with pytest.raises(TargetDown, match=f"chmod 600 {path}"):
            await target.send(parcel)
        path.chmod(0o600)
        assert server.puts == []
        path.write_text("wrong\n", encoding="ascii")
        with pytest.raises(TargetDown) as refused:
            await target.send(parcel)
        assert "wrong" not in str(refused.value)
        path.write_text("s3cret\n", encoding="ascii")
        assert (await target.send(parcel)).stored_sha256 == SHA

    with_server(work, token_file=str(path))


def test_missing_certificates_are_down_not_a_crash(parcel: Parcel, tmp_path: Path) -> None:
    async def go() -> None:
        (tmp_path / "bad.pem").write_text("no certificate")
        key = tmp_path / "key.pem"
        key.touch(mode=0o600)
        key.write_text("no key")
        cases: list[dict[str, Any]] = [
            {"ca_file": "/nonexistent"},
            {"ca_file": str(tmp_path / "bad.pem")},
            {"client_cert_file": "/nonexistent", "client_key_file": str(key)},
        ]
        for more in cases:
            target = Http(Config("central", "https://127.0.0.1:1/in", **more), context())
            with pytest.raises(TargetDown) as caught:
                await target.send(parcel)
            assert caught.value.detail.startswith("certificate files")
            await target.close()
        key.chmod(0o644)
        target = Http(Config("central", "https://127.0.0.1:1/in", **cases[-1]), context())
        with pytest.raises(TargetDown, match=f"^client_key_file: .*chmod 600 {key}"):
            await target.send(parcel)
        await target.close()

    asyncio.run(go())


def test_a_parcel_is_read_only(parcel: Parcel) -> None:
    with pytest.raises(AttributeError):
        parcel.sha256 = ""  # type: ignore[misc]
    assert msgspec.structs.asdict(parcel)["id"] == "rathaus/3f2a91c0/7"


def test_with_a_receipt_key_nothing_else_counts(parcel: Parcel) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    signature = base64.b64encode(key.sign(signed_text(parcel.id, SHA))).decode()

    async def work(server: FakeServer, target: Http) -> None:
        assert (await target.send(parcel)).stored_sha256 is None  # a digest alone
        with pytest.raises(TargetDown, match="no receipt"):
            await target.stored(parcel)
        server.receipt = f"{parcel.id} {SHA} {signature}"
        assert (await target.send(parcel)).stored_sha256 == SHA
        assert await target.stored(parcel) == SHA
        server.stored.clear()
        assert await target.stored(parcel) is None

    with_server(work, receipt_key=public)
