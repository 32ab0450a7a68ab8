"""Digest fields of HTTP (RFC 9530): `Repr-Digest: sha-256=:<base64>:`, a structured dictionary (RFC 8941 §3.2)."""

import base64
import binascii
import re
from typing import Final

MAX_FIELD_CHARS: Final = 2048
"""A digest field with every registered algorithm has under 400 characters."""

WANT_SHA256: Final = "sha-256=10"
WANT_EITHER: Final = "sha-256=10, sha-512=5"
SIZES: Final = {"sha-256": 32, "sha-512": 64}
"""Bytes of the digests that we know; both are registered as active (RFC 9530 §7.2)."""
_MEMBER: Final = re.compile(r"\s*([a-z*][a-z0-9_\-.*]*)=:([A-Za-z0-9+/=]*):\s*")


def digest_field(sha256: str) -> str:
    """The field's value for a SHA-256 in hex."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"


def digests_of(values: list[str]) -> dict[str, bytes] | None:
    """What a digest field says in sha-256 and sha-512; other algorithms are left out. None: the field is malformed."""
    joined = ",".join(values)
    if len(joined) > MAX_FIELD_CHARS:
        return None
    found: dict[str, bytes] = {}
    for part in joined.split(",") if values else ():
        member = _MEMBER.fullmatch(part)
        if member is None:
            return None
        try:
            digest = base64.b64decode(member[2], validate=True)
        except binascii.Error:
            return None
        size = SIZES.get(member[1])
        if size is not None and len(digest) != size:
            return None
        if size is not None:
            found[member[1]] = digest
    return found


def sha256_of(values: list[str]) -> str | None:
    """SHA-256 (hex) from the values of a digest field; None when there is none, or when the field is malformed."""
    joined = ",".join(values)
    if not values or len(joined) > MAX_FIELD_CHARS:
        return None
    found: str | None = None
    for part in joined.split(","):
        member = _MEMBER.fullmatch(part)
        if member is None:
            return None  # RFC 8941 §4.2: a field that does not parse is ignored as a whole
        if member[1] == "sha-256":
            try:
                digest = base64.b64decode(member[2], validate=True)
            except binascii.Error:
                return None
            found = digest.hex() if len(digest) == 32 else None
    return found
