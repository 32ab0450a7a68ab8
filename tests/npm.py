"""Peers that come from npm, installed into build/ under a version of their own; without their scripts."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

BUILD = Path(__file__).resolve().parents[1] / "build"


def node() -> str:
    """Its path. The test is skipped where it is not installed."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("needs node and npm")
    return found


def installed(folder: str, *packages: str) -> Path:
    """The folder in build/ that has `packages` (name@version) in `node_modules`. Skips without npm or its registry."""
    npm, place = shutil.which("npm"), BUILD / folder
    if npm is None:
        pytest.skip("needs node and npm")
    names = [package.rpartition("@")[0] for package in packages]
    if not all((place / "node_modules" / name / "package.json").exists() for name in names):
        place.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(place), *packages]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=100)
        except (subprocess.SubprocessError, OSError) as e:
            pytest.skip(f"npm cannot install {', '.join(names)} here: {type(e).__name__}")
    return place


@contextlib.asynccontextmanager
async def serving(script: Path, *words: str) -> AsyncIterator[int]:
    """A server in node while it runs; the port that it prints first."""
    server = await asyncio.create_subprocess_exec(
        node(), str(script), *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert server.stdout is not None
        yield int(await server.stdout.readline())
    finally:
        server.kill()
        await server.communicate()
