"""AES-128 as LoRaWAN uses it: CMAC (RFC 4493), single blocks in ECB, and the counter keystream of FRMPayload.

Contexts are costly to set up and cheap to use, so callers keep them: a CMAC context is copied for each message, one for
a keystream begins anew for each. None is finalised. A context belongs to one thread.
"""

from typing import Final, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from torhaus.codecs.model import DecodeError, RejectReason

KEY_BYTES: Final = 16
_MAX_XOR: Final = 256  # longer than any FRMPayload can be
_CTR: Final = modes.CTR(bytes(16))


class Mac(Protocol):
    """The part of a CMAC context that is used here."""

    def copy(self) -> "Mac":
        """A context in the same state."""
        ...

    def update(self, data: bytes) -> None:
        """Add to the message."""
        ...

    def finalize(self) -> bytes:
        """The 16 bytes; the context is spent."""
        ...


def check_key(key: bytes, name: str) -> bytes:
    """The key as given. DecodeError(KEY) unless it is 16 bytes; the text never contains the key."""
    if not isinstance(key, bytes) or len(key) != KEY_BYTES:
        raise DecodeError(RejectReason.KEY, f"{name} is not {KEY_BYTES} bytes")
    return key


def cmac_context(key: bytes) -> Mac:
    """An AES-CMAC context for this key, to be copied for each message."""
    return CMAC(algorithms.AES(key))


def cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC, 16 bytes."""
    context = CMAC(algorithms.AES(key))
    context.update(message)
    return context.finalize()


def ecb_context(key: bytes) -> CipherContext:
    """An AES-ECB encryptor for this key."""
    # The specification builds its own counter mode and key derivation from single blocks.
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305


def ecb_decrypt(key: bytes, blocks: bytes) -> bytes:
    """AES-ECB decryption of whole blocks."""
    return Cipher(algorithms.AES(key), modes.ECB()).decryptor().update(blocks)  # noqa: S305


def keystream_context(key: bytes) -> CipherContext:
    """What `xor_keystream` takes, for this key."""
    return Cipher(algorithms.AES(key), _CTR).encryptor()


def xor_keystream(context: CipherContext, first: bytes, data: bytes) -> bytes:
    """`data` XOR the keystream of blocks `first`, counted up in its last byte from 1 (LoRaWAN 1.1 section 4.3.3).

    `first` is block A_1, 16 bytes; the blocks are those of AES in counter mode, since the last byte does not overflow.
    Encrypts and decrypts. DecodeError(LONG) beyond 256 bytes.
    """
    if len(data) > _MAX_XOR:
        raise DecodeError(RejectReason.LONG, f"{len(data)} bytes of payload")
    context.reset_nonce(first)  # a kept context: half the time of single blocks and an XOR here
    return context.update(data)
