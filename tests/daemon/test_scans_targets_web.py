"""What targets that are reached by HTTP share, against a server that answers anything."""

import asyncio
import contextlib
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509

from tests.daemon.scans_fakes import FakeClock, context
from tests.pki import Authority
from torhaus.daemon.scans.targets.base import NotNow, TargetDown
from torhaus.daemon.scans.targets.hal import Linked
from torhaus.daemon.scans.targets.http import Config
from torhaus.daemon.scans.targets.web import MAX_ANSWER_BYTES, Web, json_of, token, unreached

DATA = bytes(range(256)) * 4096


@contextlib.asynccontextmanager
async def serving(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def ask(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]], work: Callable[[Web, str], Awaitable[None]],
    clock: FakeClock | None = None, rate: int | None = None, **more: Any,
) -> None:  # fmt: skip
    async def go() -> None:
        async with serving(answer) as url:
            asked = Web(Config("central", url, **more), context(clock=clock, max_bytes_per_s=rate))
            try:
                await work(asked, url)
            finally:
                await asked.close()
                await asked.close()

    asyncio.run(go())


async def echo(request: web.Request) -> web.StreamResponse:
    return web.Response(body=await request.read(), headers={"Was": str(request.content_length)})


def test_a_part_of_a_file_is_sent_with_its_length_and_at_the_pace_that_is_allowed(tmp_path: Path) -> None:
    path, clock = tmp_path / "blob", FakeClock()
    path.write_bytes(DATA)

    async def work(asked: Web, url: str) -> None:
        began = clock.boot_ns()
        async with asked.ask("PUT", url, None, asked.file(path, 500_000, 1000), 500_000) as reply:
            assert await reply.read() == DATA[1000:501_000]
            assert reply.headers["Was"] == "500000"
        assert 3e9 < clock.boot_ns() - began < 6e9

    ask(echo, work, clock, 100_000)


def test_a_file_that_became_shorter_is_no_document(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(b"short")

    async def work(asked: Web, url: str) -> None:
        with pytest.raises(TargetDown):
            async with asked.ask("PUT", url, None, asked.file(path, 10), 10) as reply:
                await reply.read()

    ask(echo, work)


def test_an_answer_must_be_what_was_agreed() -> None:
    bodies = [b"<html>", b'{"a": "x"}', b"\xff", b"[" * 100_000, b" " * (MAX_ANSWER_BYTES + 1)]

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=bodies[-1])

    async def work(asked: Web, url: str) -> None:
        while bodies:
            with pytest.raises(TargetDown, match="an answer is"):
                async with asked.ask("GET", url) as reply:
                    await json_of(reply, dict[str, int])
            bodies.pop()

    ask(answer, work)


def test_an_answer_may_be_nested_as_deep_as_it_likes() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")

    async def work(asked: Web, url: str) -> None:
        for kind in (dict[str, Any], Linked):  # what is looked at, and what is left out
            with pytest.raises(TargetDown, match="an answer is"):
                async with asked.ask("GET", url) as reply:
                    await json_of(reply, kind)

    ask(answer, work)


@pytest.mark.parametrize(
    ("status", "found"), [(200, "hash"), (404, None), (410, None), (403, TargetDown), (500, NotNow)]
)
def test_what_is_read_back_is_hashed(status: int, found: Any) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=DATA)

    async def work(asked: Web, url: str) -> None:
        if isinstance(found, type):
            with pytest.raises(found):
                await asked.digest(url, len(DATA))
            return
        assert await asked.digest(url, len(DATA)) == (found and hashlib.sha256(DATA).hexdigest())
        assert await asked.digest(url, 10) != hashlib.sha256(DATA[:10]).hexdigest()

    ask(answer, work)


def test_redirects_are_not_followed_and_all_trouble_is_the_servers() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/drop":
            assert request.transport is not None
            request.transport.abort()
        raise web.HTTPFound("/elsewhere")

    async def work(asked: Web, url: str) -> None:
        async with asked.ask("GET", url) as reply:
            assert reply.status == 302
        for bad in (f"{url}/drop", "http://127.0.0.1:1/", "http://[::1", "gopher://x"):
            with pytest.raises(TargetDown):
                async with asked.ask("POST", bad):
                    pass

    ask(answer, work)


def test_a_proxy_is_asked_instead() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text=str(request.url))

    async def go() -> None:
        async with serving(answer) as proxy:
            asked = Web(Config("central", "http://dms.example/in", insecure=True, proxy=proxy), context())
            async with asked.ask("GET", "http://dms.example/in/7") as reply:
                assert await reply.text() == "http://dms.example/in/7"
            await asked.close()

    asyncio.run(go())


def test_a_secret_that_cannot_be_sent_is_named_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_text("a\tb", encoding="ascii")
    assert token(None) is None
    with pytest.raises(TargetDown, match=r"^password_file: "):
        token(str(path), "password_file")


def test_both_sides_show_certificates(tmp_path: Path) -> None:
    ours, theirs = Authority("city"), Authority("computing centre")
    files = {"ca": theirs.pem, "our-ca": ours.pem}
    files["cert"], files["key"] = ours.issue("rathaus")
    files["server"], files["server-key"] = theirs.issue("dms", x509.IPAddress(ip_address("127.0.0.1")))
    for name, data in files.items():
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_bytes(data)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "our-ca"))
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_cert_chain(tmp_path / "server", tmp_path / "server-key")
    client = {"client_cert_file": str(tmp_path / "cert"), "client_key_file": str(tmp_path / "key")}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"ca_file": str(tmp_path / "ca"), **client}, ""),
        ({"ca_file": str(tmp_path / "ca")}, "."),  # we show none
        ({"ca_file": str(tmp_path / "our-ca"), **client}, "its certificate is not trusted"),
        (client, "is its authority in ca_file"),
    ]

    async def go() -> None:
        async with serving(echo, server) as url:
            for n, (more, trouble) in enumerate(cases):
                asked = Web(Config("central", url, **more), context())
                with pytest.raises(TargetDown, match=trouble) if n else contextlib.nullcontext():
                    async with asked.ask("PUT", url, None, b"x") as reply:
                        assert await reply.read() == b"x"
                await asked.close()

    asyncio.run(go())


def test_what_kept_it_from_answering_is_said_in_words() -> None:
    given_up = asyncio.Event()

    async def hanging_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def silent(_: web.Request) -> web.StreamResponse:
        await given_up.wait()
        return web.Response()

    async def trouble(url: str, **more: Any) -> str:
        asked = Web(Config("central", url, **more), context())
        try:
            async with asked.ask("HEAD", url):
                return ""
        except TargetDown as error:
            return str(error)
        finally:
            await asked.close()

    async def go() -> None:
        async with serving(hanging_up) as url:
            assert await trouble(url) == "it cut the connection"
        assert await trouble(url) == "no connection: Connection refused"
        async with serving(silent) as url:
            assert await trouble(url, idle_s=0.05) == "no answer in time"
            given_up.set()
            assert (await trouble(url.replace("http:", "https:"))).startswith("no TLS with it: ")
        key: Any = None
        assert unreached(aiohttp.ClientConnectorDNSError(key, OSError())).startswith("no such host: ")
        assert unreached(aiohttp.ClientPayloadError()) == "ClientPayloadError"

    asyncio.run(go())
