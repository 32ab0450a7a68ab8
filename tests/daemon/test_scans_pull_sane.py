"""Scanners at this machine: SANE's own test device, and a program that behaves badly."""

from pathlib import Path

import pytest

from tests.daemon.pull_bench import PullBench, with_pull
from tests.peers import program
from torhaus.daemon.scans.pull.sane import SaneScanner
from torhaus.daemon.scans.stations import SaneStation

FEEDER = "Automatic Document Feeder"
needs_scanimage = pytest.mark.usefixtures("scanimage")


@pytest.fixture
def scanimage() -> str:
    return program("scanimage")


def station(**more: object) -> SaneStation:
    values = {"name": "desk", "target": "archive", "device": "test:0", "resolution_dpi": 50, **more}
    return SaneStation(**values)  # type: ignore[arg-type]


@needs_scanimage
def test_a_feeder_of_ten_pages(tmp_path: Path) -> None:
    async def work(b: PullBench) -> None:
        done = await b.pull()
        assert (done.state, done.files, done.said) == ("done", 10, "")
        scans = await b.scans()
        assert [(s.state.value, s.media_type, s.pages) for s in scans] == [("spooled", "image/tiff", 1)] * 10
        assert [s.name[-8:] for s in scans] == [b"%04d.tif" % n for n in range(1, 11)]

    with_pull(tmp_path, station(source=FEEDER), work)


@needs_scanimage
def test_the_glass_gives_one_page(tmp_path: Path) -> None:
    async def work(b: PullBench) -> None:
        assert (await b.pull()).files == 1

    with_pull(tmp_path, station(format="png"), work)


@needs_scanimage
def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    async def work(b: PullBench) -> None:
        done = await b.pull()
        assert (done.state, done.files) == ("refused", 0)
        assert "scanimage: open of device" in done.said

    with_pull(tmp_path, station(device="nosuch:0"), work)


def stand_in(tmp_path: Path, script: str) -> str:
    """What stands in for scanimage: `$DIR` is the job's folder."""
    path = tmp_path / "scanimage"
    path.write_text(
        f'#!/bin/sh\nfor a in "$@"; do case "$a" in --batch=*) DIR=$(dirname "${{a#--batch=}}");; esac; done\n{script}'
    )
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "state", "files", "said"),
    [
        (
            'printf a > "$DIR/0001.tif"; echo "$DIR/0001.tif"; printf ha > "$DIR/0002.tif"; exit 6',
            "trouble", 1, "paper jam",
        ),
        ('echo "scanimage: it jams" >&2; exit 6', "refused", 0, "paper jam: scanimage: it jams"),
        ("exit 0", "refused", 0, "no page came: no word"),
        ('printf a > "$DIR/0001.tif"; echo "$DIR/0001.tif"; exit 99', "trouble", 1, "scanimage ended with 99"),
        (
            'printf a > "$DIR/0001.tif"; echo "$DIR/0001.tif"; exec sleep 60',
            "trouble", 1, "no page within page_s (1 s)",
        ),
        (
            'printf a > "$DIR/0001.tif"; echo "$DIR/0001.tif"; sleep 60 & wait',
            "trouble", 1, "no page within page_s (1 s)",
        ),
        (
            'printf a > "$DIR/0001.tif"; echo "$DIR/0001.tif"; setsid sleep 2 & exit 0',
            "done", 1, "",
        ),
    ],
)  # fmt: skip
def test_only_whole_pages_are_taken(tmp_path: Path, script: str, state: str, files: int, said: str) -> None:
    async def work(b: PullBench) -> None:
        done = await b.pull()
        assert (done.state, done.files, done.said) == (state, files, said)
        held = await b.states()
        assert [s for s, _ in held] == ["quarantined"] * files  # "a" is no picture

    page_s = 1.0 if "sleep" in script else 30.0
    with_pull(tmp_path, station(program=stand_in(tmp_path, script), page_s=page_s, source=FEEDER), work)


def test_what_is_run() -> None:
    made = SaneScanner(station(source=FEEDER, mode="Gray", max_pages=7)).command(Path("/job"))
    assert made == [
        "/usr/bin/scanimage", "--device-name=test:0", "--format=tiff", "--batch=/job/%04d.tif", "--batch-print",
        "--batch-count=7", "--resolution=50", f"--source={FEEDER}", "--mode=Gray",
    ]  # fmt: skip
    assert "--batch-count=1" in SaneScanner(station()).command(Path("/job"))
