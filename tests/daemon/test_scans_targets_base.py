import asyncio

import pytest

from torhaus.daemon.scans.targets.base import Progress, TargetConfig


def test_progress_is_kept_once_and_before_it_counts() -> None:
    kept: list[str] = []

    async def go() -> None:
        async def keep(text: str) -> None:
            assert progress.text == "a"
            kept.append(text)

        progress = Progress("a", keep)
        for text in ("a", "b", "b"):
            await progress.save(text)
        assert progress.text == "b"

    asyncio.run(go())
    assert kept == ["b"]


def test_hours_that_are_none_are_refused() -> None:
    assert TargetConfig("x", windows=("22:00-06:00",)).local_folder is None
    with pytest.raises(ValueError, match="late"):
        TargetConfig("x", windows=("late",))
