"""How we prove to a NATS server who we are: user and password, token, nkey, or the credentials file of an account.

Source: NATS documentation, "NKeys" and "JWT authentication"; nkeys: a type's prefix, 32 bytes and a CRC-16 (XMODEM,
little endian), in base32 without padding. What is signed is the nonce of the server's INFO, with Ed25519. Pure.
"""

import base64
import binascii
import re
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_SEED: Final = 18 << 3
_USER: Final = 20 << 3
_SEED_BYTES: Final = 2 + 32 + 2
_BLOCK: Final = r"-+BEGIN {}-+\s+([A-Za-z0-9_.=-]+)\s+-+END {}-+"
_JWT: Final = re.compile(_BLOCK.format("NATS USER JWT", "NATS USER JWT"))
_NKEY: Final = re.compile(_BLOCK.format("USER NKEY SEED", "USER NKEY SEED"))


class CredentialsError(ValueError):
    """A seed or credentials file is none. The text never holds its content."""


class Nkey:
    """A user's key."""

    def __init__(self, seed: str) -> None:
        """`seed`: the text that begins with SU. Raises CredentialsError."""
        try:
            raw = base64.b32decode(seed.strip() + "=" * (-len(seed.strip()) % 8))
        except (binascii.Error, ValueError):
            raise CredentialsError("is no nkey seed: that begins with SU and has 58 letters and digits") from None
        if len(raw) != _SEED_BYTES or binascii.crc_hqx(raw[:-2], 0) != int.from_bytes(raw[-2:], "little"):
            raise CredentialsError("is no nkey seed: length or check sum are wrong")
        kind = (raw[0] & 0x07) << 5 | raw[1] >> 3
        if raw[0] & 0xF8 != _SEED or kind != _USER:
            raise CredentialsError("is no seed of a user: that begins with SU")
        self._key = Ed25519PrivateKey.from_private_bytes(raw[2:34])
        body = bytes((_USER,)) + self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        crc = binascii.crc_hqx(body, 0).to_bytes(2, "little")
        self.public = base64.b32encode(body + crc).decode().rstrip("=")

    def sign(self, nonce: str) -> str:
        """The signature as CONNECT carries it."""
        return base64.urlsafe_b64encode(self._key.sign(nonce.encode())).decode().rstrip("=")

    def __repr__(self) -> str:
        return f"Nkey({self.public})"  # never the seed


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What is proved, one of these ways; nothing at all where the server asks for nothing."""

    username: str | None = None
    password: str | None = None
    token: str | None = None
    nkey: Nkey | None = None
    jwt: str | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"

    def answer(self, nonce: str) -> dict[str, Any]:
        """The keys of CONNECT. Raises CredentialsError where the server gave nothing to sign."""
        if self.nkey is not None:
            if not nonce:
                raise CredentialsError("the server asks for no nkey: it sent no nonce")
            who = {"nkey": self.nkey.public} if self.jwt is None else {"jwt": self.jwt}
            return who | {"sig": self.nkey.sign(nonce)}
        if self.token is not None:
            return {"auth_token": self.token}
        named = {"user": self.username, "pass": self.password}
        return {key: value for key, value in named.items() if value is not None}


def parse_creds(text: str) -> Credentials:
    """A credentials file, as `nsc generate creds` writes it. Raises CredentialsError."""
    jwt, seed = _JWT.search(text), _NKEY.search(text)
    if jwt is None or seed is None:
        raise CredentialsError("is no credentials file: it has no NATS USER JWT, or no USER NKEY SEED")
    return Credentials(jwt=jwt[1], nkey=Nkey(seed[1]))
