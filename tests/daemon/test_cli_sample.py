import argparse
import os
import tomllib

import pytest

from torhaus.daemon.cli import sample
from torhaus.daemon.config.sample import samples


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    sample.add(parser.add_subparsers())
    args = parser.parse_args(["sample", *arguments])
    code: int = args.run(args)
    return code


def test_the_main_file_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == os.EX_OK
    assert capsys.readouterr().out == samples()["torhaus"].read_text(encoding="utf-8")


def test_several_go_into_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("torhaus", "sml", "forwarders", "drivers/sml") == os.EX_OK
    data = tomllib.loads(capsys.readouterr().out)
    assert [d["type"] for d in data["driver"]] == ["semtech_udp", "sml"]
    assert {f["type"] for f in data["forwarder"]} >= {"file", "mqtt"}


def test_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list") == os.EX_OK
    assert capsys.readouterr().out.splitlines() == list(samples())


def test_what_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sml", "../../etc/passwd", "x") == os.EX_USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("torhaus sample: no sample ../../etc/passwd, x; there are: torhaus, ")
