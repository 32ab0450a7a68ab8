from pathlib import Path

import pytest

from tests.daemon.release_scene import DAY_S, Scene, with_scene
from torhaus.daemon.scans.release.config import Release, ReleaseRule
from torhaus.daemon.scans.release.papers import Waits, quality_of


@pytest.mark.parametrize(
    ("seen", "want"),
    [
        ([(1, None), (0, None)], Waits.QUALITY),
        ([(1, "ok"), (0, None)], None),
        ([(0, None)], None),
        ([(1, "ok"), (0, "bad")], None),
        ([(1, "ok"), (0, "bad"), (0, None)], Waits.QUALITY_FAILED),
        ([(1, "rescan"), (0, "ok")], None),
        ([(None, None)], None),
    ],
)
def test_what_stands_against_a_lot(seen: list[tuple[int | None, str | None]], want: Waits | None) -> None:
    assert quality_of(seen) == want


def test_the_delay_begins_with_the_later_of_delivery_and_closing(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(1)
        closed = s.clock.wall_ns()
        await s.look_at_sample(lot)
        [paper] = await s.papers(lot)
        assert paper.verified_ns is not None
        assert paper.verified_ns < closed
        assert paper.free_from_ns == closed + int(7 * DAY_S * 1e9)

    with_scene(tmp_path, work, Release(rule=(ReleaseRule(station="counter", delay_days=7),)))
