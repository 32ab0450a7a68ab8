"""What `[store]` says is what the outbox does."""

import asyncio
from pathlib import Path

from tests.daemon.home import Home, running
from torhaus.daemon.outbox.store import MAIN, Limits

STORE = """
max_bytes = "32 MiB"
max_records = 80000
max_age_s = 3600
when_full = "{}"
strangers_max_bytes = "2 MiB"
commit_window_s = 0.5
state_interval_s = 30
"""


def parts(home: Home) -> set[str]:
    found: set[str] = set()

    async def go() -> None:
        async with running(home.app({})) as app:
            found.update(task.get_name() for task in asyncio.all_tasks())
            assert app.outbox.limits == Limits(
                max_bytes=32 << 20,
                max_age_s=3600,
                max_records=80_000,
                strangers_max_bytes=2 << 20,
                commit_window_s=0.5,
                state_interval_s=30,
            )
            limit = app.outbox.logs[MAIN].limit
            assert (limit.max_bytes, limit.max_age_ns, limit.max_records) == (32 << 20, 3600 * 10**9, 80_000)
            assert app.outbox.state_interval_s == 30

    asyncio.run(go())
    return found


def test_limits_and_thinning(tmp_path: Path) -> None:
    home = Home(tmp_path)
    plain = home.config.read_text()
    for when_full in ("thin", "drop_oldest"):
        home.config.write_text(plain.replace("[store]\n", "[store]" + STORE.format(when_full)))
        assert ("thinning" in parts(home)) == (when_full == "thin")
