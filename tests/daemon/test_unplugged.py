"""A cable that is pulled and put back fifty times: each time the driver is back, and the log has one line a change."""

import asyncio
from pathlib import Path

import pytest

from tests.daemon.far_ends import Cellar, drivers, log_lines, names
from tests.drivers.fakes import run
from torhaus.daemon.supervise import LONGEST_S

PULLS = 50
NAMES = names()


@pytest.mark.parametrize("name", NAMES)
def test_pulled_fifty_times(name: str, tmp_path: Path) -> None:
    make, far = drivers(tmp_path)[name]

    async def main() -> None:
        cellar = Cellar(tmp_path, make, far())
        running = cellar.start()
        with log_lines() as lines:
            for n in range(PULLS):
                cellar.plug()
                frames = len(cellar.frames)
                within_s = min(LONGEST_S, 0.5 * 2.0 ** min(cellar.backoff.tries, 30)) + 2
                await cellar.until(lambda frames=frames: len(cellar.frames) > frames, within_s)  # type: ignore[misc]
                assert cellar.watch.drivers["bus"].up
                cellar.pull()
                await cellar.until(lambda: not cellar.watch.drivers["bus"].up, 5)
                wanted = [("driver", True), ("driver", False)]
                told = [entry for entry in lines if entry[0] == "driver"]
                assert told == wanted * (n + 1), n
        asked = [entry for entry in lines if entry[0] != "driver"]
        assert asked in ([], [("device", True)]), "a device that never fell silent is told of once"
        assert cellar.watch.defects == {}
        running.cancel()
        await asyncio.wait([running])

    run(main())
