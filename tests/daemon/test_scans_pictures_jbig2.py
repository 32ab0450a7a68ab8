import random
from contextlib import suppress

import pytest

from tests.daemon.pictures import segment
from torhaus.daemon.scans.pictures.jbig2 import Cut, is_symbol_coded, segments

PAGE = segment(0, 48, bytes(19))
REGION = segment(1, 38, bytes(18) + bytes(range(50)))
END = segment(2, 49, b"")
ENDLESS = segment(1, 38, bytes(17) + b"\0" + b"123\xff\xac\0\0\0\x09", length=0xFFFFFFFF)


def test_segments_of_a_lossless_picture() -> None:
    assert list(segments(PAGE + REGION + END)) == [48, 38, 49]
    assert not is_symbol_coded(PAGE + REGION)
    assert not is_symbol_coded(PAGE + REGION + b"\r\n")


def test_a_region_that_does_not_say_its_length() -> None:
    assert list(segments(PAGE + ENDLESS + END)) == [48, 38, 49]
    for data in (ENDLESS[:-1], ENDLESS[:-5], ENDLESS.replace(b"\x26", b"\x24", 1)):
        with pytest.raises(Cut):
            list(segments(data))


def test_symbols() -> None:
    text = (3).to_bytes(4, "big") + bytes([6, 1 << 5, 2, 1]) + (4).to_bytes(4, "big") + bytes(4)
    assert list(segments(PAGE + segment(2, 0, bytes(7)) + text)) == [48, 0, 6]
    assert is_symbol_coded(PAGE + segment(2, 0, bytes(7)) + text)


def test_long_headers() -> None:
    referred = b"".join(n.to_bytes(2, "big") for n in range(9))
    many = (300).to_bytes(4, "big") + bytes([38 | 0x40]) + (7 << 29 | 9).to_bytes(4, "big") + bytes(2) + referred
    data = many + (1).to_bytes(4, "big") + (3).to_bytes(4, "big") + bytes(3)
    assert list(segments(data + REGION)) == [38, 38]


@pytest.mark.parametrize("data", [b"", b"x", PAGE, PAGE + END, PAGE + REGION + b"\0\0\0\x05\x26", bytes(30)])
def test_no_picture(data: bytes) -> None:
    with pytest.raises(Cut):
        is_symbol_coded(data)


def test_cut_anywhere_and_changed_anywhere() -> None:
    data = PAGE + REGION
    for end in range(len(data)):
        with pytest.raises(Cut):
            is_symbol_coded(data[:end])
    rng = random.Random(2)
    for _ in range(500):
        changed = bytearray(data + ENDLESS)
        for _ in range(4):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        with suppress(Cut):
            is_symbol_coded(bytes(changed))
