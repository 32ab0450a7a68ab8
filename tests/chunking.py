"""One check for every framer: what it yields must not depend on how the stream was cut up, nor on junk around it."""

import random
from collections.abc import Callable

from torhaus.codecs.framing.base import Framer
from torhaus.codecs.model import Reject

JUNK = (b"\x00\xff\x00", b"junk without meaning", bytes(range(0x80, 0x90)))


def run(make_framer: Callable[[], Framer], pieces: list[bytes]) -> list[bytes | Reject]:
    """Everything a fresh framer returns for these pieces, the rest at the end included."""
    framer = make_framer()
    out: list[bytes | Reject] = []
    for piece in pieces:
        out += framer.feed(piece)
    out += framer.reset()
    assert framer.reset() == [], "reset leaves something behind"
    return out


def telegrams(out: list[bytes | Reject]) -> list[bytes]:
    """The accepted telegrams alone."""
    return [item for item in out if isinstance(item, bytes)]


def splits(stream: bytes, seed: int, n: int = 20) -> list[list[bytes]]:
    """`n` ways to cut the stream into pieces, some of them empty; the same for the same seed."""
    rng = random.Random(seed)
    ways: list[list[bytes]] = []
    for _ in range(n):
        cuts = sorted(rng.randint(0, len(stream)) for _ in range(rng.randint(1, 12)))
        ways.append([stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)])
    return ways


def assert_any_chunking(
    make_framer: Callable[[], Framer], stream: bytes, *, junk: tuple[bytes, ...] = JUNK, seed: int = 1
) -> list[bytes | Reject]:
    """Feed the stream whole, byte by byte, in random pieces, and with junk before and after it: same telegrams.

    Without junk the refused stretches must be the same too. Give other `junk` where the default could be part of a
    telegram. Returns what the framer yields for the whole stream.
    """
    whole = run(make_framer, [stream])
    assert run(make_framer, [stream[i : i + 1] for i in range(len(stream))]) == whole, "byte by byte"
    for pieces in splits(stream, seed):
        assert run(make_framer, pieces) == whole, [len(piece) for piece in pieces]
    want = telegrams(whole)
    for noise in junk:
        assert telegrams(run(make_framer, [noise, stream])) == want, f"junk before: {noise.hex()}"
        assert telegrams(run(make_framer, [stream, noise])) == want, f"junk after: {noise.hex()}"
        assert telegrams(run(make_framer, [noise + stream + noise])) == want, f"junk around: {noise.hex()}"
    return whole
