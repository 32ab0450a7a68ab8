"""Lines of downlinks: what is encoded, what is decoded, and what a script must refuse."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from torhaus.daemon.vectors.base import Scripts, Tools
from torhaus.daemon.vectors.downlink import check

SCRIPT = Path(__file__).parent / "scripts" / "downlinks.js"
ENCODE: dict[str, Any] = {"direction": "downlink-encode", "codec_path": "js/d.js"}
DECODE: dict[str, Any] = {"direction": "downlink-decode", "codec_path": "js/d.js"}


def told(base: Path, *lines: dict[str, Any]) -> list[str | None]:
    (base / "js").mkdir()
    shutil.copy(SCRIPT, base / "js/d.js")

    async def run() -> list[str | None]:
        async with asyncio.TaskGroup() as group:
            tools = Tools(base, None, Scripts(base, group))
            faults = [await check(line, tools) for line in lines]
            tools.scripts.close()
        return faults

    return asyncio.run(run())


def test_right_lines(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [
        ENCODE | {"input": {"data": {"level": 5}}, "expected": {"bytes": [1, 5], "fPort": 7}},
        ENCODE | {"input": {"data": {"level": 5}, "fPort": 9}, "expected": {"bytes": "0105", "port": "9"}},
        ENCODE | {"input": {"data": {"level": 10}}, "expected": {"bytes": [1, 10], "warnings": ["loud"], "errors": []}},
        ENCODE | {"input": {"data": "refuse"}, "expected": {"errors": ["no such command"]}},
        DECODE | {"input": {"bytes": [1, 5], "fPort": 7}, "expected": {"data": {"level": 5, "port": 7}}},
        DECODE | {"input": {"bytes": "0105", "fPort": 7, "time": "x"}, "expected": {"level": 5, "port": 7}},
    ]
    assert told(tmp_path, *lines) == [None] * len(lines)


def test_wrong_lines(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [
        ENCODE | {"input": {"data": {"level": 10}}, "expected": {"bytes": [1, 5], "fPort": 8}},
        ENCODE | {"input": {"data": {"level": 5}}, "expected": {"errors": ["x"]}},
        ENCODE | {"input": {"data": "refuse"}, "expected": {"errors": ["x"]}},
        ENCODE | {"input": {"data": "refuse"}, "expected": {"bytes": [1]}},
        DECODE | {"input": {"bytes": [1, 5], "fPort": 7}, "expected": {"data": {"level": 6, "port": 7}}},
        ENCODE | {"codec_path": "js/none.js", "input": {"data": 1}, "expected": {}},
        ENCODE | {"codec_path": "", "codec": "comtac_cm4", "input": {"data": 1}, "expected": {}},
        {
            "direction": "downlink-encode",
            "vendor": "dragino",
            "model": "lht65",
            "input": {"data": {"reboot": 1}},
            "expected": {"bytes": [4]},
        },
        {"direction": "downlink-encode", "codec": "dragino:lht65", "input": {"data": {"blink": 1}}, "expected": {}},
        {"direction": "downlink-encode", "input": {"data": 1}, "expected": {}},
    ]
    said = told(tmp_path, *lines)
    for fault, part in zip(
        said,
        [
            "bytes: got 010a, expected 0105; fPort: got 7, expected 8; warnings: got ['loud'], expected []",
            "made a result, but must say the error 'x'",
            "errors: got ",
            "refused: script_error: d.js: no such command; second",
            "level: got 5, expected 6",
            "no script js/none.js below the base",
            "comtac_cm4 has no such downlinks",
            "bytes: got 04ff, expected 04",
            "refused: unsupported: 'blink' is not known",
            "no codec: neither in the line nor given",
        ],
        strict=True,
    ):
        assert fault is not None
        assert part in fault


@pytest.mark.parametrize(
    "line",
    [
        {"direction": "downlink-sideways", "input": {}, "expected": {}},
        DECODE | {"input": {"bytes": [300]}, "expected": {"data": {}}},
        DECODE | {"input": {}, "expected": {"data": {}}},
        ENCODE | {"input": {"data": "x" * 20_000}, "expected": {}},
    ],
)
def test_unusable_lines(tmp_path: Path, line: dict[str, Any]) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        told(tmp_path, line)
    assert caught.group_contains(ValueError)
