"""Devices with bad manners on serial ports of the kernel: what is good comes through, and nothing else does."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.daemon.far_ends import Cellar, Manner, drivers, log_lines, names, wrong_rate
from tests.drivers.fakes import run

NAMES = names()
NOISE = random.Random(5).randbytes(40)
NO_CHECKSUM = {"barcode", "line", "wmbus lines"}
"""Lines without a checksum: half a line and a whole one may look like one."""


def echo(asked: bytes, answer: bytes) -> list[bytes]:
    return [asked + answer]


def half(_: bytes, answer: bytes) -> list[bytes]:
    return [answer[: max(1, len(answer) // 2)]]


def noise(_: bytes, answer: bytes) -> list[bytes]:
    return [NOISE, answer, NOISE]


def garbled(_: bytes, answer: bytes) -> list[bytes]:
    return [wrong_rate(answer)]


def pulled(_: bytes, answer: bytes) -> list[bytes]:
    return [answer[: len(answer) // 2], b""]


class Late:
    """An answer that comes when it is asked again, before the answer to that."""

    def __init__(self) -> None:
        self.kept = b""

    def keep(self, _: bytes, answer: bytes) -> list[bytes]:
        self.kept = answer
        return []

    def give(self, _: bytes, answer: bytes) -> list[bytes]:
        return [self.kept, answer]


def manners(name: str) -> list[Manner]:
    late = Late()
    found: dict[str, list[Manner]] = {
        "echo": [echo] * 9,
        "late": [late.keep, late.give],
        "half": [half] * 2,
        "noise": [noise] * 9,
        "garbled": [garbled],
        "pulled": [pulled],
    }
    return found[name]


async def frames_of(
    folder: Path, name: str, manner: str, good: set[bytes]
) -> tuple[set[bytes], Cellar, list[tuple[str, object]]]:
    """What a driver delivers until there is a good frame; any will do when none is known yet."""
    make, far = drivers(folder)[name]
    cellar = Cellar(folder, make, far())
    cellar.far.manners = manners(manner) if manner else []
    running = cellar.start()

    def is_over() -> bool:
        heard = {frame.data for frame in cellar.frames}
        return bool(heard & good if good else heard)

    with log_lines() as lines:
        cellar.plug()
        await cellar.until(lambda: is_over() or not cellar.is_plugged, 30)
        if not cellar.is_plugged:
            await cellar.until(lambda: not cellar.watch.drivers["bus"].up, 5)
            cellar.plug()
            await cellar.until(is_over, 30)
    running.cancel()
    await asyncio.wait([running])
    cellar.pull()
    assert cellar.watch.defects == {}
    return {frame.data for frame in cellar.frames}, cellar, lines


def combinations() -> list[tuple[str, str]]:
    """Who is not asked has no echo and is never late."""
    asked = {"iec62056", "mbus", "modbus"}
    return [
        (name, manner)
        for name in NAMES
        for manner in ("echo", "late", "half", "noise", "garbled", "pulled")
        if name in asked or manner not in {"echo", "late"}
    ]


@pytest.fixture(scope="module")
def good_frames(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[bytes]]:
    """What each device says with good manners."""
    return {name: run(frames_of(tmp_path_factory.mktemp("good"), name, "", set()))[0] for name in NAMES}


@pytest.mark.parametrize(("name", "manner"), combinations())
def test_good_frames_come_through(name: str, manner: str, tmp_path: Path, good_frames: dict[str, set[bytes]]) -> None:
    good = good_frames[name]
    frames, cellar, lines = run(frames_of(tmp_path, name, manner, good))
    if name not in NO_CHECKSUM:
        assert frames == good
    assert [up for event, up in lines if event == "driver"] == ([True, False, True] if manner == "pulled" else [True])
    assert cellar.watch.drivers["bus"].silent == {}
