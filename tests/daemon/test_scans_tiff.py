"""A TIFF's directories: counted, and all that they speak of is there."""

import io
import random
import struct
import warnings

import pytest

from tests.daemon.pixel_limit import pixel_limit  # noqa: F401 - used for each test
from tests.daemon.scans_fakes import make_image
from tests.daemon.test_checker_truncated import FILLER, KINDS
from torhaus.daemon.scans.checker import Limits, examine
from torhaus.daemon.scans.tiff import Cut, directories

TIFFS = [kind for kind in KINDS if kind.startswith("tiff")]


def count(data: bytes, limit: int = 5000) -> int:
    return directories(io.BytesIO(data), len(data), limit)


@pytest.mark.parametrize("kind", TIFFS)
def test_pages_are_counted(kind: str) -> None:
    assert count(KINDS[kind]()) == (2 if "big" in kind else 3)
    assert count(KINDS[kind](), limit=1) == 2


@pytest.mark.parametrize("kind", TIFFS)
def test_every_cut_is_seen(kind: str) -> None:
    data = KINDS[kind]()
    whole = len(data) - FILLER
    for end in [*range(60), *range(60, whole, len(data) // 300), *range(whole - 30, whole)]:
        with pytest.raises(Cut):
            count(data[:end])


def test_a_file_cut_after_its_first_page_is_no_document_of_one_page() -> None:
    warnings.simplefilter("ignore")
    data = KINDS["tiff, fax group 4"]()
    passed = [n for n in range(5000, 5400) if examine(io.BytesIO(data[:n]), Limits()).reason is None]
    assert passed == []


@pytest.mark.parametrize(
    "data",
    [
        b"II*\0\0\0\0\0",
        b"II*\0\x08\0\0\0\0\0" + bytes(20),
        b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 256, 3, 1, 1, 8),  # its next one is itself
        b"MM\0*\0\0\0\x08" + struct.pack(">HHHIII", 1, 273, 4, 5_000_000, 8, 0) + bytes(30_000_000),
    ],
    ids=["none", "empty", "loop", "parts without end"],
)
def test_directories_that_are_none(data: bytes) -> None:
    with pytest.raises(Cut):
        count(data)


def test_big_endian_and_hostile_bytes() -> None:
    good = make_image("TIFF")
    rng = random.Random(9)
    for _ in range(2000):
        data = bytearray(good[-400:] if rng.random() < 0.1 else good)
        for _ in range(rng.randrange(1, 5)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        data[:4] = rng.choice([b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"])
        try:
            assert count(bytes(data)) >= 1
        except Cut:
            continue
