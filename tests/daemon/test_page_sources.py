import asyncio
from pathlib import Path

from tests.daemon.page_scene import home_of, visited


def test_what_the_views_look_at(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            app = visitor.app
            site = app._sources()
            assert (site.outbox, site.survey, site.watch) == (app.outbox, app.survey, app.watch)
            assert site.frames is app.frames.log
            assert site.scans() is None
            assert not site.has_scans
            assert site.orders is not None
            assert site.now().boot_ns > 0

    asyncio.run(go())
