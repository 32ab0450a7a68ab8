import hashlib
import random
from pathlib import Path

import pytest

from tests.daemon.tsa import Authority, needs_openssl
from torhaus.daemon.evidence.stamp import read_stamp, with_certificates_in_order

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def stamp(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    good = Authority(tmp_path_factory.mktemp("tsa") / "good")
    return good.answer(good.question(b"about this"))


def test_what_it_says(stamp: bytes) -> None:
    said = read_stamp(stamp)
    assert said.imprint == hashlib.sha256(b"about this").hexdigest()
    assert said.at % 10**9 == 0
    assert said.at > 1_700_000_000 * 10**9


def test_only_its_certificates_are_put_in_order(stamp: bytes) -> None:
    ordered = with_certificates_in_order(stamp)
    assert len(ordered) == len(stamp)
    assert sorted(ordered) == sorted(stamp)
    assert with_certificates_in_order(ordered) == ordered
    assert read_stamp(ordered) == read_stamp(stamp)


def test_hostile_bytes_are_refused(stamp: bytes) -> None:
    for end in range(len(stamp)):
        with pytest.raises(ValueError, match=r"."):
            read_stamp(stamp[:end])
    with pytest.raises(ValueError, match="behind"):
        read_stamp(stamp + b"\0")
    rng = random.Random(3)
    for n in range(6_000):
        data = bytearray(stamp if n % 2 else rng.randbytes(rng.randrange(200)))
        for _ in range(rng.randrange(1, 4)):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        for read in (read_stamp, with_certificates_in_order):
            try:
                read(bytes(data))
            except ValueError:
                continue


def test_algorithms_and_times_that_are_not_ours(tmp_path: Path, stamp: bytes) -> None:
    sha512 = bytes.fromhex("0609608648016503040203")
    with pytest.raises(ValueError, match="SHA-256"):
        read_stamp(stamp.replace(bytes.fromhex("0609608648016503040201"), sha512))
    at = stamp.index(b"\x18\x0f20")
    with pytest.raises(ValueError, match="UTC"):
        read_stamp(stamp[: at + 16] + b"+" + stamp[at + 17 :])
