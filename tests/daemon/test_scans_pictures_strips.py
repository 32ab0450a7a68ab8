import io
import random
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image

from tests.daemon.pictures import page, saved
from torhaus.daemon.scans.checker import Limits, Verdict, examine
from torhaus.daemon.scans.pictures.strips import are_whole, strips_of
from torhaus.daemon.scans.states import Reason

SIZE = (400, 300)
KINDS: dict[str, tuple[str, dict[int, int]]] = {
    "group4": ("1", {278: 300}), "group4 in strips": ("1", {278: 64}), "group3": ("1", {278: 300}),
    "group3 in strips": ("1", {278: 50}), "group3 two-dimensional": ("1", {278: 300, 292: 1}),
    "jpeg": ("RGB", {278: 300}),
}  # fmt: skip


def tiff(kind: str) -> bytes:
    mode, tags = KINDS[kind]
    image = page(SIZE).convert(mode)
    return saved(image, "TIFF", compression=kind.partition(" ")[0], tiffinfo=tags)


def tags_of(data: bytes) -> Any:
    with Image.open(io.BytesIO(data)) as image:
        return dict(image.tag_v2)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS)
def test_whole_strips_pass_and_none_that_was_cut_off(kind: str) -> None:
    data = tiff(kind)
    assert examine(io.BytesIO(data), Limits()) == Verdict("image/tiff", None, 1)
    strips = strips_of(tags_of(data))
    assert strips is not None
    assert are_whole(io.BytesIO(data), strips)
    rng = random.Random(kind)
    for _ in range(12):
        number = rng.randrange(len(strips.counts))
        counts = list(strips.counts)
        counts[number] = rng.randrange(counts[number] - 8)
        cut = replace(strips, counts=tuple(counts))
        try:
            assert not are_whole(io.BytesIO(data), cut)
        except OSError:
            continue


def test_the_check_looks_at_them() -> None:
    data = tiff("group4")
    at = data.index(b"\x17\x01\x04\x00") + 8  # StripByteCounts, LONG
    count = int.from_bytes(data[at : at + 4], "little")
    short = data[:at] + (count // 2).to_bytes(4, "little") + data[at + 4 :]
    assert examine(io.BytesIO(short), Limits()).reason is Reason.DAMAGED
    assert examine(io.BytesIO(data), Limits(cpu_s=0)).flags == ("images_unchecked",)


def test_bits_in_the_other_order() -> None:
    data = tiff("group4")
    strips = strips_of(tags_of(data))
    assert strips is not None
    turned = bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)
    other = replace(strips, is_turned=True)
    assert are_whole(io.BytesIO(turned), other)
    assert not are_whole(io.BytesIO(turned[: len(turned) // 2]), other)


def test_codings_that_miss_nothing_and_odd_directories() -> None:
    assert strips_of({259: 5, 256: 1, 257: 1, 273: (8,), 279: (9,)}) is None
    assert strips_of({259: 4, 256: 1, 257: 1, 273: (8,), 279: ()}) is None
    found = strips_of({259: 4, 256: 8, 257: 3, 278: 0xFFFFFFFF, 273: (8,), 279: (9,)})
    assert found is not None
    assert list(found.pieces) == [(8, 9, 3)]
