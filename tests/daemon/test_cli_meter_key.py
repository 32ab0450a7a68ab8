"""A key from a file or from the command line; what is wrong is said without it."""

import argparse
from pathlib import Path

import pytest

from torhaus.daemon.cli.meter_key import key_of, read_key_file

KEY = bytes(range(16))


def args(key: str | None = None, key_file: Path | None = None) -> argparse.Namespace:
    return argparse.Namespace(key=key, key_file=key_file)


def test_keys(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f" {KEY.hex(':')}\n")
    assert read_key_file(file) == key_of(args(key_file=file)) == key_of(args(KEY.hex())) == KEY
    assert key_of(args()) is None


@pytest.mark.parametrize("text", ["", "c0ffee", "zz" * 16, "00" * 17, "\xff" * 5000])
def test_no_keys(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text, encoding="latin-1")
    for given in (args(text), args(key_file=file)):
        with pytest.raises(ValueError, match="must have 32 hex digits") as caught:
            key_of(given)
        assert not text or text not in str(caught.value).replace(str(file), "")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_key_file(tmp_path / "none")
