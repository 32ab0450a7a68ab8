from pathlib import Path

from tests.daemon.scans_fakes import FaultyDisk
from torhaus.daemon.scans.targets.writing import copy, read_piece


def test_pieces_and_copies(tmp_path: Path) -> None:
    path, data = tmp_path / "a", bytes(range(256)) * 10_000
    path.write_bytes(data)
    assert read_piece(path, 100, 50) == data[100:150]
    assert read_piece(path, len(data) - 1, 50) == data[-1:]
    assert read_piece(path, len(data), 50) == b""
    with (tmp_path / "b").open("wb") as file:
        copy(FaultyDisk(), path, file.fileno())
    assert (tmp_path / "b").read_bytes() == data
