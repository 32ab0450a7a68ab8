import asyncio
from pathlib import Path

from tests.daemon.page_scene import CHEAP, checked, home_of, visited
from torhaus.daemon.page.language import Language
from torhaus.daemon.page.users import Role, User, hashed
from torhaus.daemon.page.view import Ask, Moved, always, moved, never


def test_what_a_view_is_given(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            await visitor.get("/")
            site = visitor.app._sources()
            ask = Ask(site, Language("en"), csrf='to"ken')
            assert not ask.may(Role.VIEW)
            form = ask.button("/x", "Go", danger=True, number=7).text
            assert checked(form).tags == {"form", "input", "button"}
            assert '<input type="hidden" name="csrf" value="to&quot;ken">' in form
            assert '<input type="hidden" name="number" value="7">' in form
            ask.user = User("a", Role.OPERATE, hashed("x", cost=CHEAP))
            assert [ask.may(r) for r in Role] == [True, True, False]
            assert always(site)
            assert not never(site)
            assert (site.has_scans, site.orders is not None) == (False, True)
            assert set(site.devices) == {d.name for d in site.loaded.devices}

    asyncio.run(go())


def test_where_one_is_led() -> None:
    assert moved("/x", a=1, b=None) == Moved("/x?a=1")
    assert moved("/x", event="e", about={"n": 1}) == Moved("/x", "e", {"n": 1})
