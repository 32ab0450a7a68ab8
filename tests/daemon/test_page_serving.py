import asyncio
import re
import sqlite3
import ssl
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.home import Home
from tests.daemon.page_scene import PASSWORD, Visitor, checked, home_of, visited
from tests.peers import Certificates
from torhaus.daemon.page.layout import FILES


def with_visitor(folder: Path, body: Any, **config: str) -> None:
    async def go() -> None:
        async with visited(home_of(folder, **config)) as visitor:
            await body(visitor)

    asyncio.run(go())


def test_what_every_answer_says_to_the_browser(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        paths = ["/", "/nothing", "/static/x/torhaus.css", "/static/x/y", "/sign-in"]
        for path in paths:
            answer, _ = await visitor.answer(path)
            h = answer.headers
            policy = dict(p.split(" ", 1) for p in h["Content-Security-Policy"].split("; "))
            assert policy["default-src"] == "'none'"
            assert "unsafe" not in h["Content-Security-Policy"]
            assert "http" not in h["Content-Security-Policy"]
            assert (h["X-Frame-Options"], h["X-Content-Type-Options"]) == ("DENY", "nosniff")
            assert (h["Referrer-Policy"], h["Server"]) == ("same-origin", "torhaus")
            if not path.startswith("/static"):
                assert h["Cache-Control"] == "no-store"

    with_visitor(tmp_path, body)


def test_own_files_are_kept_by_browsers(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        _, page = await visitor.get("/")
        found = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
        assert {path.rpartition("/")[2] for path in found} == set(FILES)
        for path in found:
            answer, _ = await visitor.answer(path)
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
            again, text = await visitor.answer(path, If_None_Match=answer.headers["ETag"])
            assert (again.status, text) == (304, "")
            old, _ = await visitor.answer(re.sub(r"/static/\w+/", "/static/old/", path))
            assert (old.status, old.headers["Cache-Control"]) == (200, "no-cache")
        for path in ("/static", "/static/", "/static/..%2f..%2f..%2fstatus.py", "/static/x/../../layout.py"):
            assert (await visitor.get(path))[0] == 404

    with_visitor(tmp_path, body)


def test_a_name_that_is_not_ours(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        for host in ("evil.example", "127.0.0.1.evil.example:8680", "["):
            for path in ("/", "/devices", "/static/x/torhaus.css", "/sign-in"):
                status, text = await visitor.get(path, Host=host)
                assert status == 421
                assert "meter" not in text
            assert (await visitor.get("/healthz", Host=host))[0] == 403
        assert (await visitor.get("/", Host="tor.stadt.example"))[0] == 303  # ours, but it comes from elsewhere
        assert (await visitor.get("/metrics", Host="evil.example"))[0] == 200  # Prometheus calls us what it likes

    with_visitor(tmp_path, body, http='hosts = ["tor.stadt.example"]\n')


def test_other_sites_cannot_fetch_it(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        assert (await visitor.get("/devices", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors"))[0] == 403
        assert (await visitor.get("/healthz", Sec_Fetch_Site="cross-site"))[0] == 403
        assert (await visitor.get("/devices", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate"))[0] == 200

    with_visitor(tmp_path, body)


def test_languages(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        async def language(path: str = "/", **headers: str) -> str:
            found = re.search(r'<html lang="(\w+)"', (await visitor.get(path, **headers))[1])
            assert found is not None
            return found[1]

        assert await language() == "de"
        assert await language(Accept_Language="en-US,en;q=0.9") == "en"
        assert await language(Cookie="torhaus_lang=en") == "en"
        assert await language(Cookie="torhaus_lang=<b>", Accept_Language="en") == "en"
        assert await language("/?lang=<b>") == "de"
        answer, text = await visitor.answer("/devices?q=a%26b&lang=en&show=all")
        cookie = SimpleCookie(answer.headers["Set-Cookie"])["torhaus_lang"]
        assert (cookie.value, cookie["samesite"]) == ("en", "Lax")
        assert await language() == "en"  # from now on
        assert "/devices?lang=de&q=a%26b&show=all" in checked(text).links

    with_visitor(tmp_path, body)


def test_cookies_of_any_kind(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        odd = ("torhaus", "torhaus=", "=;;; ,", "torhaus=a b; torhaus=2", 'torhaus="a\\0b"', "torhaus=" + "x" * 5000,
               "torhaus_form=%00; torhaus_lang=\xff", "$Version=1; torhaus=<b>")  # fmt: skip
        for cookie in odd:
            for path in ("/", "/sign-in", "/devices"):
                assert (await visitor.get(path, Cookie=cookie))[0] == 200, cookie
            assert (await visitor.get("/", Cookie=cookie, X_Real_IP="192.0.2.1"))[0] == 303
        assert visitor.app.watch.defects == {}

    with_visitor(tmp_path, body)


def test_from_elsewhere_one_signs_in_first(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        for headers in ({"X-Forwarded-For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}):
            async with visitor.session.get(f"{visitor.base}/devices?q=a", headers=headers, allow_redirects=False) as a:
                assert (a.status, a.headers["Location"]) == (303, "/sign-in?next=%2Fdevices%3Fq%3Da")
            async with visitor.session.get(f"{visitor.base}/healthz", headers=headers) as a:
                assert a.status == 403
            part = headers | {"X-Torhaus-Part": "main"}
            async with visitor.session.get(f"{visitor.base}/devices", headers=part, allow_redirects=False) as a:
                assert a.status == 401
        assert (await visitor.get("/nothing", X_Real_IP="192.0.2.1"))[0] == 303  # nor what there is
        await visitor.sign_in("gast")
        assert (await visitor.get("/devices", X_Real_IP="192.0.2.1"))[0] == 200
        assert (await visitor.get("/healthz", X_Real_IP="192.0.2.1"))[0] == 200

    with_visitor(tmp_path, body)


def test_always_signing_in(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        assert (await visitor.get("/"))[0] == 303
        assert (await visitor.get("/healthz"))[0] == 403
        assert (await visitor.get("/livez"))[0] == (await visitor.get("/metrics"))[0] == 200
        answer = await visitor.sign_in("gast")
        assert answer.status == 303
        assert (await visitor.get("/"))[0] == 200

    with_visitor(tmp_path, body, http='sign_in = "always"\n')


def test_forms_need_their_token_and_the_role(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        assert (await visitor.post("/dead-letters", what="drop_all")).status == 303  # sign in first
        await visitor.sign_in("gast")
        token = await visitor.csrf("/")
        for form in ({}, {"csrf": "x"}, {"csrf": token[:-1]}, {"csrf": "ä" * 200}):
            answer = await visitor.post("/dead-letters", what="retry_all", **form)
            assert answer.status == 403
        assert (await visitor.post("/dead-letters", csrf=token, what="retry_all")).status == 403  # the role
        await visitor.post("/sign-out", csrf=token)
        await visitor.sign_in("technik")
        token = await visitor.csrf("/")
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await visitor.post("/dead-letters", headers, csrf=token, what="retry_all")).status == 403
        own = {"Origin": visitor.base, "Sec-Fetch-Site": "same-origin"}
        assert (await visitor.post("/dead-letters", own, csrf=token, what="retry_all")).status == 303
        assert (await visitor.post("/dead-letters", csrf=token, what="burn")).status == 409
        assert (await visitor.post("/dead-letters", csrf=token, what="drop", number="x")).status == 404
        assert (await visitor.post("/gateways", csrf=token)).status == 404  # nothing can be done there

    with_visitor(tmp_path, body)


def test_methods_and_bodies(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
            answer, _ = await visitor.answer("/", method)
            assert answer.status == 405
        answer, text = await visitor.answer("/", "HEAD")
        assert (answer.status, text) == (200, "")
        async with visitor.session.post(f"{visitor.base}/sign-in", json={"name": "x"}) as a:
            assert a.status == 415
        async with visitor.session.post(f"{visitor.base}/sign-in", data={"name": "x" * (1 << 17)}) as a:
            assert a.status == 413
        assert visitor.app.watch.defects == {}

    with_visitor(tmp_path, body)


def test_what_goes_wrong_is_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(visitor: Visitor) -> None:
        def fail(error: Exception) -> None:
            def status() -> None:
                raise error

            monkeypatch.setattr(visitor.app.survey, "status", status)

        fail(sqlite3.OperationalError("disk I/O <error>"))
        status, text = await visitor.get("/", Accept_Language="en")
        assert status == 503
        assert "disk I/O &lt;error&gt;" in text
        fail(ValueError("geheim"))
        status, text = await visitor.get("/", Accept_Language="en")
        assert status == 500
        assert "geheim" not in text
        checked(text)
        assert visitor.app.watch.defects == {"page": 1}
        assert (await visitor.get("/devices"))[0] == 200

    with_visitor(tmp_path, body)


def test_requests_are_counted_by_our_own_words(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        for path in ("/", "/devices/x", "/%3Cb%3E", "/wp-admin/x", "/static/x/y"):
            await visitor.get(path)
        await visitor.get("/", Host="evil.example")
        counts = {("overview", "200"): 1, ("devices", "404"): 1, ("other", "404"): 2, ("static", "404"): 1}
        assert visitor.app.survey.page.requests == counts | {("overview", "421"): 1}

    with_visitor(tmp_path, body)


def test_over_tls(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    certificate, key = Certificates(tmp_path / "tls").issue("box")
    context = ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.pem"))

    async def go(home: Home) -> None:
        async with visited(home, base="https://localhost:{}") as visitor:
            ask = visitor.session.get
            async with ask(visitor.base + "/sign-in", ssl=context) as answer:
                token = re.search(r'name="csrf" value="([^"]+)"', await answer.text())
                assert token is not None
            form = {"csrf": token[1], "name": "technik", "password": PASSWORD}
            async with visitor.session.post(
                visitor.base + "/sign-in", data=form, ssl=context, allow_redirects=False
            ) as a:
                cookies = SimpleCookie()
                for line in a.headers.getall("Set-Cookie"):
                    cookies.load(line)
            cookie = cookies["__Host-torhaus"]
            assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (
                True,
                True,
                "Strict",
                "/",
            )

    asyncio.run(go(home_of(tmp_path, http=f'cert_file = "{certificate}"\nkey_file = "{key}"\n')))
