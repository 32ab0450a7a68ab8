"""The steps of an uplink are all taken, and what is measured of them is there."""

from pathlib import Path

import pytest

from bench import frames
from bench.scenario import BenchError
from bench.scenarios import steps


def test_every_step_has_its_share(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(frames, "FOLDER", tmp_path)
    figures = steps.steps(600, 50)
    assert figures.keys() == {"cpu_us", "parse_us", "accept_us", "pack_us", "told_us", "send_us", "unpack_us"}
    assert all(value > 0 for value in figures.values())
    parts = sum(value for step, value in figures.items() if step not in {"cpu_us", "unpack_us"})
    assert figures["cpu_us"] == pytest.approx(parts)


def test_uplinks_that_get_lost_are_no_figure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(frames, "FOLDER", tmp_path)
    monkeypatch.setattr(steps, "load", lambda _: lambda *_: 1 / 0)
    with pytest.raises(BenchError):
        steps.steps(64, 10)
