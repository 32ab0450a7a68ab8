"""Requests that no browser sends: each gets its answer, nothing of it is a defect of ours, and nothing is logged."""

import asyncio
import contextlib
import logging
from pathlib import Path

import pytest

from tests.daemon.page_scene import home_of, visited
from torhaus.daemon import httpd
from torhaus.daemon.page import serving

FORM = b"application/x-www-form-urlencoded"
REST = b"Connection: close\r\n\r\n"


def form(body: bytes, kind: bytes = FORM, more: bytes = b"") -> bytes:
    head = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: torhaus_form=abc\r\nContent-Type: " + kind
    return head + b"\r\nContent-Length: %d\r\n" % len(body) + more + REST + body


def get(path: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join((b"GET " + path + b" HTTP/1.1", b"Host: 127.0.0.1", *fields, REST))


REQUESTS: list[tuple[bytes, set[int]]] = [
    (form(b"csrf=\xff"), {400}),
    *((form(b"csrf=\\ud800+2AA-&name=a", FORM + b"; charset=" + name), {415})
      for name in (b"bogus", b"unicode_escape", b"utf-7", b"idna", b"hex", b"zlib", b"utf-16")),
    (form(b"csrf=%ed%a0%80&name=%ff", FORM + b"; charset=UTF-8"), {403}),
    (form(b"csrf=%ed%a0%80%00", FORM + b'; charset="utf-8"'), {403}),
    *((form(b"zz", more=b"Content-Encoding: " + how + b"\r\n"), {400}) for how in (b"gzip", b"deflate", b"br")),
    (form(b"a" * 70_000), {413}),
    (form(b"a=1&" * 15_000), {413}),
    (form(b"--x\r\n\r\n", b"multipart/form-data; boundary=x"), {415}),
    (form(b"csrf=a", more=b"Origin: http://[\r\n"), {403}),
    (form(b"csrf=a", more=b"Origin: http://\xff\r\n"), {403}),
    (get(b"/", b"Cookie: torhaus=\xff\xfe; torhaus_lang=\xff; torhaus_form=\xff"), {200}),
    (get(b"/sign-in", b'Cookie: torhaus_form=\xff"\\;x'), {200}),
    (get(b"/?lang=%ff", b"Accept-Language: \xff,de;q=1.1.1"), {200}),
    (get(b"/%ff/%ed%a0%80?id=%ff%00&stream=page"), {404}),
    (get(b"/devices/%ff%00%0d%0aX:%20y"), {404}),
    (get(b"/devices/\xff\xfe"), {400}),
    (get(b"//evil.example/devices"), {404}),
    (get(b"/", b"X: " + b"a" * 20_000), {400}),
    (get(b"/static/x/torhaus.css", b"If-None-Match: \xff"), {200}),
    (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n" + REST, {400}),
    (b"CONNECT a:1 HTTP/1.1\r\nHost: 127.0.0.1\r\n" + REST, {404}),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {400}),
]  # fmt: skip


async def ask(port: int, request: bytes) -> int:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            line = await reader.readline()
            return int(line.split(b" ")[1])
        finally:
            writer.transport.abort()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"", b""), (b"GET / HTTP/1.1\r\nHost: 127", b""), (form(b"csrf=x")[:-1], b"408"),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
    ],
)  # fmt: skip
def test_who_stops_talking_is_cut_off(
    tmp_path: Path, said: bytes, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpd, "IDLE_S", 0.5)
    monkeypatch.setattr(httpd, "LINGER_S", 0.1)
    monkeypatch.setattr(serving, "FORM_S", 0.05)

    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor, asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", visitor.app.http_port)
            answer = b""
            try:
                writer.write(said)
                with contextlib.suppress(
                    ConnectionError
                ):  # on a busy machine it may be cut off before it has said that
                    answer = await reader.read()  # to its end
            finally:
                writer.transport.abort()
            assert answer[9:12] in {expected, b""}

    asyncio.run(go())


def test_strange_requests(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            for request, expected in REQUESTS:
                with caplog.at_level(logging.WARNING):
                    assert await ask(visitor.app.http_port, request) in expected, request[:200]
                assert visitor.app.watch.defects == {}, request[:200]
            assert (await visitor.get("/"))[0] == 200
            assert [r.getMessage() for r in caplog.records if r.name.startswith("aiohttp")] == []

    asyncio.run(go())
