"""A keys file encrypted at rest: text that only a passphrase opens.

AES-256-GCM (NIST SP 800-38D) under a key that scrypt (RFC 7914) makes of the passphrase. The first line says how, and
is authenticated with the rest; nonce and ciphertext follow in base64. Salt and nonce are new each time.
"""

import secrets
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from textwrap import wrap
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC: Final = "torhaus-sealed-1"
MIN_PASSPHRASE: Final = 12
"""Characters. A long random one is best: nobody has to type it."""
_LOG_N: Final = 15
"""32 MiB and some 100 ms for each try."""
_MAX_LOG_N: Final = 20
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


class SealError(ValueError):
    """It cannot be opened. The text shows nothing of what is inside."""


def is_sealed(text: str) -> bool:
    """Whether a file's text is sealed."""
    return text.startswith(f"{MAGIC} ")


def seal(text: str, passphrase: str) -> str:
    """The text, sealed. Raises SealError for a passphrase that is too short."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise SealError(f"the passphrase is too short, must have at least {MIN_PASSPHRASE} characters")
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    head = f"{MAGIC} scrypt {_LOG_N} {b64encode(salt).decode()}"
    data = AESGCM(_key(passphrase, salt, _LOG_N)).encrypt(nonce, text.encode(), head.encode())
    return "\n".join((head, *wrap(b64encode(nonce + data).decode(), 76), ""))


def unseal(sealed: str, passphrase: str) -> str:
    """The text again. Raises SealError: not sealed, changed, or sealed with another passphrase."""
    head, _, body = sealed.partition("\n")
    words = head.strip().split(" ")
    if len(words) != 4 or words[:2] != [MAGIC, "scrypt"] or not (words[2].isascii() and words[2].isdecimal()):
        raise SealError("is not sealed in a way that is known here")
    log_n = int(words[2][:3])
    if not 1 <= log_n <= _MAX_LOG_N:
        raise SealError(f"asks for too much memory: scrypt {log_n}")
    try:
        salt = b64decode(words[3], validate=True)
        data = b64decode("".join(body.split()), validate=True)
    except (NotBase64, ValueError):
        raise SealError("is damaged: not base64") from None
    if len(salt) != _SALT_BYTES or len(data) < _NONCE_BYTES + _TAG_BYTES:
        raise SealError("is damaged: too short")
    nonce, rest = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
    try:
        return AESGCM(_key(passphrase, salt, log_n)).decrypt(nonce, rest, head.strip().encode()).decode()
    except (InvalidTag, UnicodeDecodeError):
        raise SealError("cannot be opened: another passphrase, or it was changed") from None


def _key(passphrase: str, salt: bytes, log_n: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=1 << log_n, r=8, p=1).derive(passphrase.encode())
