import argparse

import pytest

from torhaus.daemon.cli import lora


def test_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    lora.add(parser.add_subparsers())
    with pytest.raises(SystemExit):
        parser.parse_args(["lora", "--help"])
    assert "decode" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        parser.parse_args(["lora"])
