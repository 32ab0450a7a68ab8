"""Signed receipts: the word of a receiver that it has a document, which it cannot take back later.

Field `Torhaus-Receipt: <id> <SHA-256 hex> <base64 of an Ed25519 signature>`; signed is the text of `signed_text`, so
that the signature is good for nothing else. Pure.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FIELD: Final = "Torhaus-Receipt"
MAX_CHARS: Final = 512
ReceiptKey = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""An Ed25519 public key, hex."""


def signed_text(scan_id: str, sha256: str) -> bytes:
    """What a receiver signs."""
    return f"torhaus receipt 1\n{scan_id}\n{sha256}\n".encode()


def receipt(scan_id: str, sha256: str, sign: Callable[[bytes], bytes]) -> str:
    """The field's value."""
    return f"{scan_id} {sha256} {base64.b64encode(sign(signed_text(scan_id, sha256))).decode()}"


def is_signed_for(field: str, key_hex: str, scan_id: str, sha256: str) -> bool:
    """Whether this is the receipt of the key's owner for exactly this document. Anything else is none."""
    parts = field.split(" ")
    if len(field) > MAX_CHARS or parts[:2] != [scan_id, sha256] or len(parts) != 3:
        return False
    try:
        signature = base64.b64decode(parts[2], validate=True)
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key_hex)).verify(signature, signed_text(scan_id, sha256))
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True
