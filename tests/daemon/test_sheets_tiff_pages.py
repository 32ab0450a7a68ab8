"""Pages of TIFFs: the same strips and tags, byte for byte."""

import io
import random
import struct

import pytest
from PIL import Image

from torhaus.daemon.scans.sheets.tiff_pages import tiff_of
from torhaus.daemon.scans.tiff import Cut, directories


def make(frames: int, mode: str = "L", **save: object) -> bytes:
    rng = random.Random(2)
    size = (64, 48)
    step = {"L": 1, "RGB": 3}
    images = [
        Image.frombytes("L", size, rng.randbytes(64 * 48)).convert("1")
        if mode == "1"
        else Image.frombytes(mode, size, rng.randbytes(64 * 48 * step[mode]))
        for _ in range(frames)
    ]
    out = io.BytesIO()
    images[0].save(out, "TIFF", save_all=True, append_images=images[1:], **save)
    return out.getvalue()


def cut(data: bytes, first: int, count: int) -> bytes:
    return tiff_of(io.BytesIO(data), len(data), range(first, first + count), 5000)


def pages(data: bytes) -> list[tuple[bytes, dict[int, object]]]:
    """Pixels and tags, without those that say where strips lie."""
    found = []
    with Image.open(io.BytesIO(data)) as image:
        for n in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(n)
            tags = {k: v for k, v in dict(image.tag_v2).items() if k != 273}  # type: ignore[attr-defined]
            found.append((image.tobytes(), tags))
    return found


@pytest.mark.parametrize(
    ("mode", "save"),
    [
        ("L", {}),
        ("RGB", {"compression": "jpeg", "dpi": (300, 300)}),
        ("1", {"compression": "group4", "description": "Deckblatt und Akte, lang genug für einen eigenen Platz"}),
        ("RGB", {"compression": "tiff_lzw"}),
        ("L", {"big_tiff": True}),
    ],
)
def test_the_same_pixels_and_tags(mode: str, save: dict[str, object]) -> None:
    whole = make(4, mode, **save)
    made = cut(whole, 1, 2)
    assert pages(made) == pages(whole)[1:3]
    assert directories(io.BytesIO(made), len(made), 10) == 2
    assert len(made) < len(whole)
    assert cut(whole, 1, 2) == made


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack(">HHII", tag, kind, count, value)


def by_hand(*entries: bytes, rest: bytes = b"") -> bytes:
    return b"MM\0*" + struct.pack(">IH", 8, len(entries)) + b"".join(entries) + bytes(4) + rest


PLAIN = (entry(273, 4, 1, 38), entry(279, 4, 1, 4))


def test_the_byte_order_stays() -> None:
    made = cut(by_hand(*PLAIN, rest=b"abcd"), 0, 1)
    assert (made[:4], made[8:12]) == (b"MM\0*", b"abcd")


@pytest.mark.parametrize(
    "more",
    [
        (entry(330, 4, 1, 8),),  # sub-images
        (entry(34665, 4, 1, 8),),  # Exif
        (entry(259, 3, 1, 6 << 16),),  # JPEG, the old way
        (entry(279, 4, 1, 4),),  # a tag twice
        (entry(700, 99, 1, 1),),  # a type that nobody knows
        (entry(700, 13, 1, 8),),  # a type for directories
        (entry(700, 1, 900, 8),),  # more than there is
        (entry(700, 1, 2**32 - 1, 8),),
    ],
)
def test_what_cannot_be_copied_whole_is_not_taken(more: tuple[bytes, ...]) -> None:
    with pytest.raises(Cut):
        cut(by_hand(*PLAIN, *more, rest=b"abcd" * 4), 0, 1)


@pytest.mark.parametrize(
    "entries",
    [
        (entry(256, 3, 1, 1),),  # no strips
        (entry(273, 4, 1, 38),),  # no lengths
        (entry(273, 4, 2, 0), entry(279, 4, 1, 4)),
        (entry(273, 4, 1, 900), entry(279, 4, 1, 4)),
        (entry(273, 2, 1, 0), entry(279, 4, 1, 4)),
    ],
)
def test_strips_that_are_none(entries: tuple[bytes, ...]) -> None:
    with pytest.raises(Cut):
        cut(by_hand(*entries, rest=b"abcd"), 0, 1)


def test_cut_off_anywhere() -> None:
    whole = make(2)
    for end in range(0, len(whole), 97):
        with pytest.raises(Cut):
            cut(whole[:end], 0, 2)


def test_directories_in_a_ring_end() -> None:
    data = bytearray(by_hand(*PLAIN, rest=b"abcd"))
    struct.pack_into(">I", data, 34, 8)
    assert directories(io.BytesIO(cut(bytes(data), 0, 3)), 1 << 20, 10) == 3
    with pytest.raises(Cut):
        tiff_of(io.BytesIO(bytes(data)), len(data), range(9, 10), 5)
