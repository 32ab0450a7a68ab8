"""Header fields of the tus resumable upload protocol 1.0.0, parsed strictly, every length bounded.

Core protocol and the extensions creation, checksum and concatenation (https://tus.io/protocols/resumable-upload).
"""

import base64
import binascii
import hashlib
import re
from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, RejectReason

VERSION: Final = "1.0.0"
EXTENSIONS: Final = (
    "creation", "creation-with-upload", "creation-defer-length", "checksum", "expiration", "termination",
    "concatenation",
)  # fmt: skip
ALGORITHMS: Final = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}
"""Of Upload-Checksum. tus demands sha1: it is good against a bad line, and proves nothing against anybody."""
MAX_FIELD: Final = 8192
"""Characters of any field: what HTTP servers take in one header line."""
MAX_KEYS: Final = 64
MAX_PARTS: Final = 200
"""Of one concatenation; clients send four to ten in parallel."""
MAX_LENGTH: Final = (1 << 62) - 1
_KEY: Final = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,256}")
_NUMBER: Final = re.compile(r"[0-9]{1,19}")


class Checksum(msgspec.Struct, frozen=True, gc=False):
    """What the bytes of one request must have: `algorithm` is one of ALGORITHMS."""

    algorithm: str
    digest: bytes


class Concat(msgspec.Struct, frozen=True):
    """Upload-Concat: one of the parts, or the whole of these parts (URLs as they were sent)."""

    parts: tuple[str, ...] | None = None

    @property
    def is_partial(self) -> bool:
        """Whether this upload is one of the parts."""
        return self.parts is None


def parse_number(field: str) -> int:
    """Upload-Length or Upload-Offset: a count of bytes. Raises DecodeError (syntax, range)."""
    if _NUMBER.fullmatch(field) is None:
        raise DecodeError(RejectReason.SYNTAX, "must be a whole number of bytes")
    if int(field) > MAX_LENGTH:
        raise DecodeError(RejectReason.RANGE, "is more than any disk has")
    return int(field)


def parse_metadata(field: str) -> dict[str, bytes]:
    """Upload-Metadata: keys with their values, b"" where there is none. Raises DecodeError (long, syntax)."""
    if len(field) > MAX_FIELD:
        raise DecodeError(RejectReason.LONG, "Upload-Metadata is too long")
    found: dict[str, bytes] = {}
    for pair in field.split(",") if field.strip() else ():
        key, _, value = pair.strip().partition(" ")
        if _KEY.fullmatch(key) is None or key in found:
            raise DecodeError(RejectReason.SYNTAX, "Upload-Metadata: a key is empty, not ASCII or there twice")
        found[key] = _base64(value.strip(), "Upload-Metadata: a value")
        if len(found) > MAX_KEYS:
            raise DecodeError(RejectReason.LONG, "Upload-Metadata has too many keys")
    return found


def parse_checksum(field: str) -> Checksum:
    """Upload-Checksum: `sha1 <base64>`. Raises DecodeError (long, unsupported, syntax)."""
    if len(field) > MAX_FIELD:
        raise DecodeError(RejectReason.LONG, "Upload-Checksum is too long")
    algorithm, _, value = field.strip().partition(" ")
    make = ALGORITHMS.get(algorithm)
    if make is None:
        raise DecodeError(RejectReason.UNSUPPORTED, f"Upload-Checksum: known are {', '.join(ALGORITHMS)}")
    digest = _base64(value.strip(), "Upload-Checksum")
    if len(digest) != make(usedforsecurity=False).digest_size:
        raise DecodeError(RejectReason.SYNTAX, "Upload-Checksum has another length than its algorithm's")
    return Checksum(algorithm, digest)


def parse_concat(field: str) -> Concat:
    """Upload-Concat: `partial` or `final;<url> <url>`. Raises DecodeError (long, syntax)."""
    if len(field) > MAX_FIELD:
        raise DecodeError(RejectReason.LONG, "Upload-Concat is too long")
    if field.strip() == "partial":
        return Concat()
    word, semicolon, urls = field.strip().partition(";")
    parts = tuple(urls.split())
    if word != "final" or not semicolon or not parts:
        raise DecodeError(RejectReason.SYNTAX, "Upload-Concat must be partial, or final; and the URLs of the parts")
    if len(parts) > MAX_PARTS:
        raise DecodeError(RejectReason.LONG, f"Upload-Concat: at most {MAX_PARTS} parts")
    return Concat(parts)


def parse_sha256(value: bytes) -> str:
    """The metadata key `sha256`: the whole file's hash in hex, or as its 32 bytes. In hex. Raises DecodeError."""
    if len(value) == 32:
        return value.hex()
    if re.fullmatch(rb"[0-9A-Fa-f]{64}", value) is None:
        raise DecodeError(RejectReason.SYNTAX, "Upload-Metadata: sha256 must be 64 hex digits")
    return value.decode().lower()


def _base64(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        raise DecodeError(RejectReason.SYNTAX, f"{what} is no base64") from None
