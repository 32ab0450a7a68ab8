import asyncio
import logging
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.page_scene import EVIL, PASSWORD, Visitor, checked, home_of, visited
from torhaus.daemon.page import signing
from torhaus.daemon.page.access import Access
from torhaus.daemon.page.limit import BY_ADDRESS
from torhaus.daemon.page.signing import local
from torhaus.daemon.page.users import MAX_PASSWORD, write_users


def with_visitor(folder: Path, body: Any, **config: str) -> None:
    async def go() -> None:
        async with visited(home_of(folder, **config)) as visitor:
            await body(visitor)

    asyncio.run(go())


def test_in_and_out(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        answer = await visitor.sign_in()
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        cookies: SimpleCookie = SimpleCookie()
        for line in answer.headers.getall("Set-Cookie"):
            cookies.load(line)
        it = cookies["torhaus"]
        assert (it["httponly"], it["samesite"], it["path"], it["secure"]) == (True, "Strict", "/", "")
        assert "technik" in (await visitor.get("/"))[1]
        assert visitor.app.survey.page.sessions == 1
        answer = await visitor.do("/sign-out")
        assert answer.status == 303
        assert "technik" not in (await visitor.get("/"))[1]
        async with visitor.session.get(visitor.base, cookies={"torhaus": it.value}) as again:
            assert "technik" not in await again.text()  # the cookie is worth nothing any more
        assert visitor.app.survey.page.sign_ins == {"ok": 1}

    with_visitor(tmp_path, body)


def test_a_wrong_password_says_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("torhaus"), "propagate", True)

    async def body(visitor: Visitor) -> None:
        texts = set()
        for name, password in (("technik", "wrong"), ("nobody", PASSWORD), ("", ""), (EVIL, EVIL)):
            token = await visitor.csrf()
            form = {"csrf": token, "name": name, "password": password}
            async with visitor.session.post(f"{visitor.base}/sign-in", data=form) as answer:
                assert answer.status == 403
                text = await answer.text()
            checked(text)
            assert "Name oder Passwort stimmt nicht" in text
            assert "&lt;img" not in text  # nor is what was typed shown
            texts.add(len(text))
        assert len(texts) == 1
        assert visitor.app.survey.page.sign_ins == {"wrong": 4}

    with_visitor(tmp_path, body)
    said = " ".join(f"{r.getMessage()} {r.__dict__}" for r in caplog.records)
    assert "technik" not in said
    assert "onerror" not in said


def test_only_so_many_are_tried(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        for _ in range(BY_ADDRESS):
            assert (await visitor.sign_in(password="x")).status == 403
        answer = await visitor.sign_in()
        assert answer.status == 429  # even the right one
        assert visitor.app.survey.page.sign_ins == {"wrong": BY_ADDRESS, "limited": 1}
        assert visitor.app.watch.defects == {}

    with_visitor(tmp_path, body)


def test_the_form_belongs_to_the_browser(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        token = await visitor.csrf()
        for odd in ("", "x", token[:-1], "ä"):
            answer = await visitor.post("/sign-in", csrf=odd, name="technik", password=PASSWORD)
            assert answer.status == 403
        visitor.session.cookie_jar.clear()
        assert (await visitor.post("/sign-in", csrf=token, name="technik", password=PASSWORD)).status == 403
        token = await visitor.csrf()
        headers = {"Origin": "http://evil.example"}
        assert (await visitor.post("/sign-in", headers, csrf=token, name="technik", password=PASSWORD)).status == 403
        long = "x" * (MAX_PASSWORD + 1)
        assert (await visitor.post("/sign-in", csrf=token, name="technik", password=long)).status == 429

    with_visitor(tmp_path, body)


def test_afterwards_one_is_where_one_wanted_to_be(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        text = (await visitor.get("/sign-in?next=%2Fdevices%3Fq%3Da"))[1]
        assert 'name="next" value="/devices?q=a"' in text
        for wanted, there in (("/scans", "/scans"), ("//evil.example", "/"), ("https://evil.example", "/")):
            answer = await visitor.post(
                "/sign-in", csrf=await visitor.csrf(), name="gast", password=PASSWORD, next=wanted
            )
            assert answer.headers["Location"] == there
            await visitor.do("/sign-out")

    with_visitor(tmp_path, body)


@pytest.mark.parametrize(
    "odd", ["", "x", "//x", "/\\x", "https://x", "/sign-in", "/sign-out", "/a\nb", "/ä", "javascript:alert(1)"]
)
def test_ways_out_of_here_lead_to_the_first_page(odd: str) -> None:
    assert local(odd) == "/"


def test_nobody_is_told_how_to_begin(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        path = tmp_path / "page.users.toml"
        write_users(path, {})
        assert "torhaus page add-user NAME" in (await visitor.get("/sign-in"))[1]
        path.write_text("x")
        text = (await visitor.get("/sign-in"))[1]
        assert "nicht brauchbar" in text
        assert str(tmp_path) not in text
        path.unlink()
        assert (await visitor.sign_in()).status == 403

    with_visitor(tmp_path, body)


def test_no_password_is_taken_in_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Access, "may_sign_in", lambda _, __: False)

    async def body(visitor: Visitor) -> None:
        text = (await visitor.get("/sign-in"))[1]
        checked(text)
        assert "nicht verschlüsselt" in text
        assert "password" not in text
        monkeypatch.undo()
        token = await visitor.csrf()
        monkeypatch.setattr(Access, "may_sign_in", lambda _, __: False)
        assert (await visitor.post("/sign-in", csrf=token, name="technik", password=PASSWORD)).status == 403

    with_visitor(tmp_path, body)


def test_a_crowd_is_sent_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "MAX_WAITING", 0)

    async def body(visitor: Visitor) -> None:
        assert (await visitor.sign_in()).status == 429
        assert visitor.app.survey.page.sign_ins == {"limited": 1}

    with_visitor(tmp_path, body)


def test_who_signs_in_again_has_one_session(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        await visitor.sign_in("technik")
        await visitor.sign_in("gast")
        text = (await visitor.get("/"))[1]
        assert "gast" in text
        assert "technik" not in text
        assert visitor.app.survey.page.sessions == 1

    with_visitor(tmp_path, body)


def test_a_removed_user_is_out_at_once(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        await visitor.sign_in()
        assert (await visitor.get("/"))[0] == 200
        write_users(tmp_path / "page.users.toml", {})
        assert (await visitor.get("/"))[0] == 303

    with_visitor(tmp_path, body, http='sign_in = "always"\n')
