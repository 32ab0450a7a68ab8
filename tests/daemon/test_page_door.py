import asyncio
import subprocess
import sys
from pathlib import Path

from tests.daemon.page_scene import home_of, visited


def test_all_behind_it_is_loaded_with_the_first_look() -> None:
    code = (
        "import sys, torhaus.daemon.app as a; print([m for m in sys.modules if m.startswith('torhaus.daemon.page.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.replace("'", "").strip("[]\n").split(", "))
    assert "torhaus.daemon.page.door" in loaded
    assert not {m for m in loaded if "views" in m or m.endswith((".serving", ".sources", ".html", ".signing"))}


def test_it_is_made_once(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            made = []
            sources = visitor.app._sources
            visitor.app._sources = lambda: made.append(1) or sources()  # type: ignore[func-returns-value, method-assign]
            for path in ("/", "/devices", "/healthz"):
                assert (await visitor.get(path))[0] == 200
            assert len(made) <= 1

    asyncio.run(go())
