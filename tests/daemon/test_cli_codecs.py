import argparse
import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from torhaus.codecs.registry import names
from torhaus.daemon.cli import codecs
from torhaus.daemon.scripts import host, process
from torhaus.daemon.vectors import base

SCRIPTS = Path(__file__).parent / "scripts"
GOOD = {"codec": "cayenne_lpp", "hex": "01670110", "expect": {"temperature_1": {"value": 27.2, "unit": "Cel"}}}
NESTED = (
    "function decodeUplink(i) { return {data: {a: {deepValue: i.bytes[0]}, when: i.recvTime, list: [true, 1.5]}}; }"
)


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    codecs.add(parser.add_subparsers())
    args = parser.parse_args(["codecs", *arguments])
    code: int = args.run(args)
    return code


def check(folder: Path, lines: list[Any], *arguments: str) -> int:
    file = folder / "v.jsonl"
    file.write_text("\n\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return run("test", str(file), *arguments)


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(names())


def test_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without = {"bytes_hex": "01670110", "expected": {"temperature": {"1": 27.2000000001}}}
    refused = {"codec": "cayenne_lpp", "hex": "0167", "reject": "short"}
    assert check(tmp_path, [GOOD, without, refused], "--codec", "cayenne_lpp") == 0
    assert capsys.readouterr() == ("3 passed, 0 failed\n", "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GOOD | {"expect": {"temperature_1": 27.3}}, "temperature_1: got 27.2, expected 27.3"),
        (GOOD | {"expect": {"temperature_1": {"value": 27.2, "unit": "K"}}}, "expected 27.2 in K"),
        (GOOD | {"expect": {}}, "temperature_1: got 27.2, expected 'nothing'"),
        (GOOD | {"expect": {"temperature_1": 27.2, "x": "nothing"}}, "x: got 'nothing', expected 'nothing'"),
        (GOOD | {"reject": "short"}, "decoded, but must be refused as short"),
        (GOOD | {"hex": "0167"}, "refused: short: "),
        (GOOD | {"hex": "0167", "reject": "crc"}, "refused: short: "),
        (GOOD | {"hex": "xyz"}, "unusable line: "),
        (GOOD | {"codec": "nonsense"}, "no codec 'nonsense'"),
        ({"hex": "00"}, "no codec: neither in the line nor given"),
        ({"bytes_hex": "00", "upstream_path": "lib/x.ex"}, "no codec: neither"),
        ({"hex": "00", "codec": "none.js"}, "unusable line: [Errno 2]"),
        ({"bytes_hex": "00", "codec": "elsys", "expected": 5}, ""),
        ("{", "unusable line: "),
        ({"id": "x1", "vendor": "acme", "model": "one", "bytes_hex": "00"}, " x1: no native codec for acme/one"),
        ({"id": "x2", "direction": "downlink-encode"}, " x2: unusable line: "),
    ],
)
def test_what_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str], line: Any, said: str) -> None:
    assert check(tmp_path, [GOOD, line]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == "1 passed, 1 failed"
    assert out[0].startswith(f"{tmp_path}/v.jsonl:3: ")
    assert said in out[0]


def test_other_names_are_told_before_the_last_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = {"vendor": "milesight-iot", "model": "em300-mcs", "bytes_hex": "060001", "expected": {"door": "open"}}
    assert check(tmp_path, [GOOD, line]) == 0
    told, last = capsys.readouterr().out.splitlines()
    assert told.startswith("1 of those passed")
    assert last == "2 passed, 0 failed"


def test_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("test", str(tmp_path / "none")) == os.EX_NOINPUT
    assert "No such file" in capsys.readouterr().err


def test_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "SCRIPTS_KEPT", 2)
    names = [f"{n}.js" for n in range(4)]
    for name in names:
        (tmp_path / name).write_text(NESTED)
    (tmp_path / "no.js").write_text("function decodeUplink() { return {errors: ['no']}; }")
    expected = {"a": {"deepValue": 5}, "when": "2026-01-02T03:04:05.000Z", "list": [True, 1.5]}
    line = {
        "bytes_hex": "05",
        "fport": 1,
        "recv_time": "2026-01-02T03:04:05.000Z",
        "licence": "MIT",
        "expected": expected,
    }
    whole = line | {"upstream_path": "0.js", "expected": {"data": expected}, "expected_is_whole_return": True}
    lines = [line | {"upstream_path": name} for name in names * 2]
    lines += [whole, {"bytes_hex": "", "upstream_path": "no.js", "expected": {}, "expected_errors": ["no"]}]
    assert check(tmp_path, lines, "--base", str(tmp_path)) == 0, capsys.readouterr().out
    assert capsys.readouterr().out == "10 passed, 0 failed\n"
    wrong = [
        lines[0] | {"expected": {"a": 1}},
        lines[0] | {"expected_errors": ["x"]},
        lines[-1] | {"expected_errors": []},
    ]
    assert check(tmp_path, wrong, "--base", str(tmp_path)) == 1
    out = capsys.readouterr().out
    assert "a_deep_value: got 5, expected 'nothing'" in out
    assert "decoded, but must be refused" in out
    assert "refused: script_error: no.js: no" in out


def test_no_process_is_an_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host.ScriptHost.__init__, "__defaults__", (None, None, ("/nonexistent/python",), None))
    monkeypatch.setattr(process, "BACKOFF_S", 0.0)
    (tmp_path / "x.js").write_text(NESTED)
    lines = [{"hex": "00", "codec": "x.js"}] * 2
    assert check(tmp_path, lines, "--base", str(tmp_path)) == 1
    assert capsys.readouterr().out.count("no script process could be started") == 2


def test_progress_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    err = io.StringIO()
    monkeypatch.setattr(err, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", err)
    assert check(tmp_path, [GOOD] * 2) == 0
    assert err.getvalue() == ""
    now = iter(range(0, 100, 2))
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    assert check(tmp_path, [GOOD] * 2) == 0
    assert err.getvalue() == "\r1/3\r3/3\n"


def test_encode(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    script = str(SCRIPTS / "downlinks.js")
    assert run("encode", "--codec", script, "--fport", "9", '{"level": 10}') == 0
    assert json.loads(capsys.readouterr().out) == {"fport": 9, "hex": "010a", "warnings": ["loud"]}
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"raw": [1, 2]}'))
    assert run("encode", "--codec", script, "--fport", "3", "-") == 0
    assert json.loads(capsys.readouterr().out) == {"fport": 3, "hex": "0102", "warnings": []}


@pytest.mark.parametrize(
    ("codec", "data", "status", "said"),
    [
        ("downlinks.js", '"refuse"', os.EX_DATAERR, "refused: script_error: downlinks.js: no such command"),
        ("downlinks.js", "{", os.EX_USAGE, "not JSON"),
        ("none.js", "1", os.EX_NOINPUT, "none.js: No such file"),
        ("comtac_cm4", "1", os.EX_USAGE, "comtac_cm4 cannot encode downlinks"),
        ("downlinks.js", '"' + "x" * 20_000 + '"', os.EX_NOINPUT, "at most 16384"),
    ],
)
def test_encode_refusals(capsys: pytest.CaptureFixture[str], codec: str, data: str, status: int, said: str) -> None:
    assert run("encode", "--codec", str(SCRIPTS / codec), data) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


def test_encode_without_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--config", str(tmp_path / "torhaus.toml")]
    for codec in ("milesight:em300-th", "milesight/em300-th"):  # a codec, and the profile that ships with torhaus
        assert run("encode", "--codec", codec, '{"report_interval": 600}', *where) == 0
        assert json.loads(capsys.readouterr().out) == {"fport": 85, "hex": "ff035802", "warnings": []}
    assert run("encode", "--codec", "dragino:lht65", "--fport", "5", '{"reboot": "yes"}', *where) == 0
    assert json.loads(capsys.readouterr().out) == {"fport": 5, "hex": "04ff", "warnings": []}
    assert run("encode", "--codec", "dragino:lht65", '{"transmit_interval": 0}', *where) == os.EX_DATAERR
    assert "refused: range: transmit_interval: 0, must be a whole number" in capsys.readouterr().err


def test_encode_by_a_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    decoders = tmp_path / "decoders"
    (decoders / "profiles" / "boke").mkdir(parents=True)
    (decoders / "down.js").write_bytes((SCRIPTS / "downlinks.js").read_bytes())
    (decoders / "up.js").write_bytes((SCRIPTS / "climate.js").read_bytes())
    profile = decoders / "profiles" / "boke" / "valve.toml"
    where = ["--config", str(tmp_path / "torhaus.toml")]
    profile.write_text('codec = "up.js"\nencoder = "down.js"\n')
    assert run("encode", "--codec", "boke/valve", '{"level": 10}', *where) == 0
    assert json.loads(capsys.readouterr().out) == {"fport": 7, "hex": "010a", "warnings": ["loud"]}
    profile.write_text('codec = "down.js"\n')
    assert run("encode", "--codec", "boke/valve", '{"level": 10}', *where) == 0
    for text, said in (('codec = "comtac_cm4"\n', "comtac_cm4 cannot encode"), ("codec = 5\n", "valve.toml:1")):
        profile.write_text(text)
        assert run("encode", "--codec", "boke/valve", "1", *where) == os.EX_USAGE
        assert said in capsys.readouterr().err
    assert run("encode", "--codec", "boke/none", "1", *where) == os.EX_USAGE
    assert "there is no such profile" in capsys.readouterr().err
