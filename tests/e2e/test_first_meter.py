"""The how-to "your first meter in ten minutes", followed to the letter: what it says is run and seen."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.site import wait_for
from tests.peers import free_port

PAGE = Path(__file__).parents[2] / "docs/how-to/first-meter.md"
TEXT = PAGE.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def shell(folder: Path, text: str) -> str:
    """What a terminal shows."""
    search = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", text], cwd=folder, env=os.environ | {"PATH": search}, check=True, capture_output=True
    )
    return done.stdout.decode()


@pytest.mark.timeout(120)
def test_followed_to_the_letter(tmp_path: Path) -> None:
    make, run, look = (block.replace("127.0.0.1:8681", f"127.0.0.1:{free_port()}") for block in blocks("sh"))
    assert f"`{shell(tmp_path, make).strip()}`" in TEXT
    folder = tmp_path / "first-meter"
    program = [str(Path(sys.executable).with_name("torhaus")), *run.split()[1:]]
    with subprocess.Popen(program, cwd=folder, stderr=subprocess.DEVNULL) as daemon:
        try:
            lines = folder / "readings.jsonl"
            wait_for(lambda: lines.exists() and lines.read_text(encoding="utf-8").count("\n") >= 2, "two readings")
            shown = shell(folder, look)
        finally:
            daemon.send_signal(signal.SIGINT)
        assert daemon.wait(30) == 0
    assert "electricity" in shown
    assert "main-meter" in shown
    readings = [json.loads(line) for line in shown.splitlines() if line.startswith('{"')]
    (wanted,) = (json.loads(block) for block in blocks("json"))
    (found,) = (r for r in readings if wanted["fields"].items() <= r["fields"].items())
    assert {name: found[name] for name in ("device", "codec")} == {name: wanted[name] for name in ("device", "codec")}


def test_the_steps_with_a_meter_are_a_configuration(tmp_path: Path) -> None:
    make = blocks("sh")[0]
    link, counters = blocks("toml")
    folder = tmp_path / "first-meter"
    make = make.replace('link = "replay:meter.cap"\n', link).replace('codec = "sml"\n', f'codec = "sml"\n{counters}')
    assert f"`{shell(tmp_path, make).strip()}`" in TEXT
    assert folder.is_dir()
