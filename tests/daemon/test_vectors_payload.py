"""What decodes a line: what it names, a script that is there, or the model's native codec."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from torhaus.daemon.vectors.base import Scripts, Tools
from torhaus.daemon.vectors.payload import check

SCRIPT = "function decodeUplink(i) { return {data: {first: i.bytes[0]}}; }"


def told(base: Path, line: dict[str, Any], codec: str | None = None) -> str | None:
    async def run() -> str | None:
        async with asyncio.TaskGroup() as group:
            tools = Tools(base, codec, Scripts(base, group))
            fault = await check(line, tools)
            tools.scripts.close()
        return fault

    return asyncio.run(run())


def test_vendor_and_model_pick_the_native_codec(tmp_path: Path) -> None:
    line = {"vendor": "elsys", "model": "ers", "codec_path": "js/none.js", "bytes_hex": "0100e2", "fport": 5}
    assert told(tmp_path, line | {"expected": {"temperature": 22.6}}) is None
    assert told(tmp_path, line | {"expected": {"temperature": 22.7}}) == "temperature: got 22.6, expected 22.7"


def test_an_earlier_decoders_names_are_right_too(tmp_path: Path) -> None:
    line = {"vendor": "milesight-iot", "model": "em300-mcs", "bytes_hex": "060001"}
    assert told(tmp_path, line | {"expected": {"magnet_status": "open"}}) is None
    assert told(tmp_path, line | {"expected": {"door": "open"}}) is None
    both = {"magnet_status": "open", "door": "open"}
    assert told(tmp_path, line | {"expected": both}) == "door: got 'nothing', expected 'open'"
    assert told(tmp_path, line | {"expected": {"door": "open"}}, "milesight:em300-mcs") is not None, "one is named"


def test_other_names_are_counted(tmp_path: Path) -> None:
    async def run() -> int:
        async with asyncio.TaskGroup() as group:
            tools = Tools(tmp_path, None, Scripts(tmp_path, group))
            for expected in ({"magnet_status": "open"}, {"door": "open"}, {"none": 1}):
                line = {"vendor": "milesight-iot", "model": "em300-mcs", "bytes_hex": "060001", "expected": expected}
                await check(line, tools)
            tools.scripts.close()
        return tools.other_names

    assert asyncio.run(run()) == 1


def test_a_script_that_is_there_is_what_the_line_means(tmp_path: Path) -> None:
    (tmp_path / "js").mkdir()
    (tmp_path / "js/is.js").write_text(SCRIPT)
    line = {"vendor": "elsys", "model": "ers", "codec_path": "js/is.js", "bytes_hex": "0100e2", "fport": 5}
    assert told(tmp_path, line | {"expected": {"first": 1}}) is None


def test_an_unknown_model(tmp_path: Path) -> None:
    line = {"vendor": "acme", "model": "one", "codec_path": "js/none.js", "bytes_hex": "00"}
    assert told(tmp_path, line) == "no native codec for acme/one"


@pytest.mark.parametrize("expected_errors", [None, ["too short"]])
def test_a_native_codec_refuses_what_a_script_calls_an_error(tmp_path: Path, expected_errors: list[str] | None) -> None:
    line: dict[str, Any] = {"vendor": "elsys", "model": "ers", "bytes_hex": "01", "expected": {}}
    line["expected_errors"] = expected_errors
    fault = told(tmp_path, line)
    assert (fault is None) is bool(expected_errors)


def test_what_else_a_script_is_given(tmp_path: Path) -> None:
    (tmp_path / "s.js").write_text(
        "function decodeUplink(i) { return {data: {key: i.thing.key, seen: context.length, none: undefined}}; }"
    )
    line = {"codec": "s.js", "bytes_hex": "00", "input_extra": {"thing": {"key": "k"}, "context": [{}]}}
    assert told(tmp_path, line | {"expected": {"key": "k", "seen": 1, "none": None}}) is None
    assert told(tmp_path, line | {"expected": {"key": "k", "seen": 1, "some": 2}}) == "some: got 'nothing', expected 2"
