"""`torhaus demo` as a newcomer runs it, without a terminal."""

import re
import subprocess
import sys

import pytest


@pytest.mark.timeout(90)
def test_the_demo_shows_every_kind_of_reading_and_a_document() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "torhaus", "demo", "--seconds", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    wanted = {"council-chamber", "market-square", "boiler-room", "electricity-meter", "fountain", "document delivered"}
    lines = []
    for line in process.stdout:
        lines.append(line)
        wanted -= {w for w in wanted if w in line}
        if not wanted:
            break
    process.terminate()
    rest, errors = process.communicate(timeout=20)
    assert not wanted, "".join(lines)
    assert re.search(r"metrics: http://127\.0\.0\.1:\d+/metrics", "".join(lines))
    assert re.search(r"\d+ readings arrived, \d+ documents were delivered", rest)
    assert "Traceback" not in errors, errors
    assert process.returncode == 0
