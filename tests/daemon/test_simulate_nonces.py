from pathlib import Path

import pytest

from torhaus.daemon.simulate.nonces import NONCES, Nonces


def test_what_was_used_is_kept(tmp_path: Path) -> None:
    it = Nonces(tmp_path / NONCES)
    assert it.read() == {}
    it.write({"a": (1, -1), "b": (2, 5)})
    it.write({"b": (3, 6)})
    assert it.read() == {"a": (1, -1), "b": (3, 6)}
    assert [p.name for p in tmp_path.iterdir()] == [NONCES]


def test_without_a_file_nothing_is_kept() -> None:
    Nonces(None).write({"a": (1, 1)})
    assert Nonces(None).read() == {}


def test_another_file(tmp_path: Path) -> None:
    (tmp_path / NONCES).write_text("[1]")
    with pytest.raises(ValueError, match="object"):
        Nonces(tmp_path / NONCES).read()
