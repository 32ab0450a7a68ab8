import argparse
import io
import json
import os
import sys
from pathlib import Path

import pytest

from tests.codecs.wmbus_fakes import KEY, Meter
from torhaus.daemon.cli import decode

SCRIPTS = Path(__file__).parent / "scripts"


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    decode.add(parser.add_subparsers())
    args = parser.parse_args(["decode", *arguments])
    code: int = args.run(args)
    return code


@pytest.mark.parametrize("text", ["01670110", "0x01670110", " 01 67 01 10\n"])
def test_a_payload(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--codec", "cayenne_lpp", text) == os.EX_OK
    assert json.loads(capsys.readouterr().out) == {"temperature_1": {"value": 27.2, "unit": "Cel"}}


def test_from_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("01670110\n"))
    assert run("--codec", "cayenne_lpp", "-") == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("00" * (1 << 20)))
    assert run("--codec", "cayenne_lpp", "-") == 64  # not cut off silently
    assert "more than" in capsys.readouterr().err


def test_with_a_script(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("--codec", str(SCRIPTS / "ttn2.js"), "--fport", "7", "0102") == 0
    assert json.loads(capsys.readouterr().out) == {"port": {"value": 7}, "sum": {"value": 3}}
    big = tmp_path / "big.js"
    big.write_bytes(b"/" * ((1 << 20) + 1))
    assert run("--codec", str(big), "00") == os.EX_NOINPUT
    assert "larger than" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--codec", "elsys", "xyz"), os.EX_USAGE, "not hexadecimal: "),
        (("--codec", "elsys", "123"), os.EX_USAGE, "not hexadecimal: "),
        (("--codec", "th", "00"), os.EX_USAGE, "no codec 'th', but milesight:"),
        (("--codec", "elsis", "00"), os.EX_USAGE, "no codec 'elsis', but elsys; "),
        (("--codec", "", "00"), os.EX_USAGE, "no codec ''; "),
        (("--codec", "nonsense", "00"), os.EX_USAGE, "no codec 'nonsense'; `torhaus codecs list`"),
        (("--codec", "cayenne_lpp", "0167"), os.EX_DATAERR, "refused: short: "),
        (("--codec", "/nonexistent/x.js", "00"), os.EX_NOINPUT, "/nonexistent/x.js: No such file or directory\n"),
    ],
)
def test_what_cannot_be_decoded(
    arguments: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)


@pytest.mark.parametrize("codec", ["elsys", "script"])
def test_which_bytes_a_value_comes_from(codec: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    script = tmp_path / "level.js"
    script.write_text(
        "function decodeUplink(i) { return {data: {temperature: (i.bytes[1] << 8 | i.bytes[2]) / 10, port: 5}}; }"
    )
    assert run("--codec", str(script) if codec == "script" else codec, "--explain", "0100e2") == 0
    lines = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
    assert lines[1][0] == "1"
    assert lines[1][1].startswith("00 e2")
    assert "temperature = 22.6" in lines[1][1]
    assert lines[0][1].split(None, 1) == ["01", "not used here" if codec == "script" else "decides what follows"]
    assert len(lines) == (3 if codec == "script" else 2)  # the port is in no byte


def test_too_long_to_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--codec", str(SCRIPTS / "ttn2.js"), "--explain", "00" * 300) == os.EX_NOINPUT
    assert "at most 256" in capsys.readouterr().err


def test_a_meters_telegram_with_its_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sealed = Meter().mode_5().hex()
    assert run("--codec", "wmbus", sealed) == 65
    assert "refused: key" in capsys.readouterr().err
    file = tmp_path / "key"
    file.write_text(f"{KEY.hex()}\n")
    for how in (("--key", KEY.hex()), ("--key", KEY.hex(" ")), ("--key-file", str(file))):
        assert run("--codec", "wmbus", *how, sealed) == 0
        assert json.loads(capsys.readouterr().out)["volume"]["value"] == 12345.678
    assert run("--codec", "wmbus", "--key", "00" * 16, sealed) == 65


def test_keys_that_are_none_or_of_no_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--codec", "wmbus", "--key", "c0ffee", "00") == 64
    assert "c0ffee" not in capsys.readouterr().err
    assert run("--codec", "wmbus", "--key-file", str(tmp_path / "none"), "00") == 66
    assert run("--codec", "elsys", "--key", KEY.hex(), "00") == 64
    assert "elsys takes no key, wmbus does" in capsys.readouterr().err
    assert run("--codec", "wmbus", "--explain", "--key", KEY.hex(), "00") == 64
    assert "in clear" in capsys.readouterr().err
