"""Header fields of tus: good ones to values, all others to DecodeError."""

import hashlib

import pytest

from tests.daemon.upload_fakes import b64
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.tus import (
    MAX_LENGTH,
    Checksum,
    Concat,
    parse_checksum,
    parse_concat,
    parse_metadata,
    parse_number,
    parse_sha256,
)


def test_metadata() -> None:
    assert parse_metadata("") == {}
    assert parse_metadata(" ") == {}
    field = f"filename {b64(b'a.pdf')},is_confidential, sha256 {b64(b'x')}"
    assert parse_metadata(field) == {"filename": b"a.pdf", "is_confidential": b"", "sha256": b"x"}


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (",", RejectReason.SYNTAX),
        ("a b c", RejectReason.SYNTAX),
        ("a YQ==,a YQ==", RejectReason.SYNTAX),
        ("ä YQ==", RejectReason.SYNTAX),
        ("a YQ", RejectReason.SYNTAX),
        ("a ä", RejectReason.SYNTAX),
        ("a" * 257, RejectReason.SYNTAX),
        ("a " + "A" * 8192, RejectReason.LONG),
        (",".join(f"k{n}" for n in range(65)), RejectReason.LONG),
    ],
)
def test_bad_metadata(field: str, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_metadata(field)
    assert caught.value.reason is reason


def test_numbers() -> None:
    assert [parse_number("0"), parse_number("007"), parse_number(str(MAX_LENGTH))] == [0, 7, MAX_LENGTH]
    for bad in ("", "-1", "+1", "1.0", "1e3", "\u0661", " 1", str(MAX_LENGTH + 1), "9" * 30):
        with pytest.raises(DecodeError):
            parse_number(bad)


def test_checksums() -> None:
    digest = hashlib.sha1(b"x", usedforsecurity=False).digest()
    assert parse_checksum(f"sha1 {b64(digest)}") == Checksum("sha1", digest)
    for bad in ("", "sha1", f"md5 {b64(bytes(16))}", f"sha256 {b64(digest)}", "sha1 !!!!", "sha1 " + "A" * 9000):
        with pytest.raises(DecodeError):
            parse_checksum(bad)


def test_concatenations() -> None:
    assert parse_concat("partial") == Concat()
    assert parse_concat("partial").is_partial
    assert parse_concat("final;/a /b") == Concat(("/a", "/b"))
    assert not parse_concat("final;/a").is_partial
    for bad in ("", "final", "final;", "half;/a", "final;" + "/a " * 201, "x" * 9000):
        with pytest.raises(DecodeError):
            parse_concat(bad)


def test_the_hash_of_the_whole() -> None:
    digest = hashlib.sha256(b"x").digest()
    assert parse_sha256(digest) == digest.hex()
    assert parse_sha256(digest.hex().upper().encode()) == digest.hex()
    for bad in (b"", b"x" * 64, digest[:-1], digest.hex().encode() + b"\n"):
        with pytest.raises(DecodeError):
            parse_sha256(bad)
