import argparse
import json

import pytest

from torhaus.daemon.cli import schema
from torhaus.daemon.config.schema import schema as built


def test_it_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    schema.add(parser.add_subparsers())
    args = parser.parse_args(["schema"])
    assert args.run(args) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(built()))
