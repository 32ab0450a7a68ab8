"""Virtual environments in build/ for what the bench compares with or looks through: never torhaus's own."""

import subprocess
import sys
from pathlib import Path

from bench.processes import BUILD, ROOT
from bench.scenario import NotMeasured


def installed(name: str) -> Path:
    """The environment with what bench/requirements-<name>.txt pins, made when needed. Raises NotMeasured."""
    wanted = ROOT / "bench" / f"requirements-{name}.txt"
    place = BUILD / f"{name}-venv"
    proof = place / "installed.txt"
    if proof.exists() and proof.read_text() == wanted.read_text():
        return place
    pip = [str(place / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(place)],
        [*pip, "--no-deps", "--require-hashes", "-r", str(wanted)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise NotMeasured(f"{wanted.name} cannot be installed: {last}")
    proof.write_text(wanted.read_text())
    return place
