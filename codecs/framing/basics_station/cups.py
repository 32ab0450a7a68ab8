"""CUPS: a station asks once a day whether it shall get other servers, credentials or firmware. CUPS protocol.

The question is JSON with what the station has, by CRC-32; the answer is binary, each part with its length in front:

    u8 n  CUPS URI | u8 n  LNS URI | u16 n  CUPS credentials | u16 n  LNS credentials
    u32 n  u32 CRC-32 of the key, signature | u32 n  firmware                       all little-endian, n = 0: no change

Credentials are three parts in a row, each in DER: the authority that the station trusts, its certificate, its key. An
absent part is four zero bytes. Without a certificate the key is a header line ("Authorization: …") as text.

A signature is ECDSA on prime256v1 over SHA-512 in DER; stations have the public key as `sig-0.key`: X and Y, 64 bytes.
"""

from struct import Struct
from typing import Annotated, Final
from zlib import crc32

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from torhaus.codecs.framing.basics_station.discovery import MAX_URI
from torhaus.codecs.framing.basics_station.id6 import parse_router
from torhaus.codecs.model import DecodeError, RejectReason

MAX_BYTES: Final = 8192
"""Of a question."""
MAX_CREDENTIALS: Final = 0xFFFF
MAX_SIGNATURE: Final = 128
MAX_FIRMWARE_BYTES: Final = (1 << 31) - 1
ABSENT: Final = bytes(4)
_KEY_BYTES: Final = 64
_SEQUENCE: Final = 0x30
_U16: Final = Struct("<H")
_U32: Final = Struct("<I")
_Crc = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]
_Word = Annotated[str, msgspec.Meta(max_length=256)]


class UpdateInfo(msgspec.Struct, rename="camel", gc=False):
    """A station's question: what it has. `keys`: CRC-32 of those it checks firmware with; `package`: its version."""

    router: str | int
    cups_uri: _Word | None = None
    tc_uri: _Word | None = None
    cups_cred_crc: _Crc = 0
    tc_cred_crc: _Crc = 0
    station: _Word | None = None
    model: _Word | None = None
    package: _Word | None = None
    keys: Annotated[list[_Crc], msgspec.Meta(max_length=32)] = []

    @property
    def eui(self) -> str:
        """Who asks. Raises DecodeError."""
        return parse_router(self.router)


_question: Final = msgspec.json.Decoder(UpdateInfo)


def parse_update_info(body: bytes) -> UpdateInfo:
    """The question. Raises DecodeError."""
    if len(body) > MAX_BYTES:
        raise DecodeError(RejectReason.LONG, f"a question of {len(body)} bytes")
    try:
        return _question.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as e:
        raise DecodeError(RejectReason.SYNTAX, f"not a station's update-info: {e}") from None


class Update(msgspec.Struct, frozen=True):
    """What a station gets; empty: no change. `key_crc` and `signature` go with firmware, which follows the answer."""

    cups_uri: str = ""
    tc_uri: str = ""
    cups_credentials: bytes = b""
    tc_credentials: bytes = b""
    key_crc: int = 0
    signature: bytes = b""
    firmware_bytes: int = 0


def head(update: Update) -> bytes:
    """The answer up to the firmware, whose `firmware_bytes` bytes must follow. Raises DecodeError(LONG)."""
    uris = []
    for uri in (update.cups_uri, update.tc_uri):
        if len(uri) > MAX_URI or not uri.isascii():
            raise DecodeError(RejectReason.LONG, f"a URI must have at most {MAX_URI} plain characters")
        uris.append(bytes((len(uri),)) + uri.encode("ascii"))
    parts = []
    for found in (update.cups_credentials, update.tc_credentials):
        if len(found) > MAX_CREDENTIALS:
            raise DecodeError(RejectReason.LONG, f"credentials of {len(found)} bytes, at most {MAX_CREDENTIALS}")
        parts.append(_U16.pack(len(found)) + found)
    if len(update.signature) > MAX_SIGNATURE or not 0 <= update.firmware_bytes <= MAX_FIRMWARE_BYTES:
        raise DecodeError(RejectReason.LONG, "a signature or firmware longer than the format allows")
    signature = _U32.pack(update.key_crc) + update.signature if update.signature else b""
    tail = _U32.pack(len(signature)) + signature + _U32.pack(update.firmware_bytes)
    return b"".join((*uris, *parts, tail))


def credentials(trust: bytes, certificate: bytes, key: bytes) -> bytes:
    """The three files, as PEM or DER and empty where there is none, in the form for the wire. Raises DecodeError.

    A key without a certificate is a header line: a token.
    """
    if not (trust or certificate or key):
        return b""
    if not trust:
        raise DecodeError(RejectReason.SYNTAX, "the authority that the station is to trust is missing (.trust)")
    if certificate and not key:
        raise DecodeError(RejectReason.SYNTAX, "there is a certificate, but no key (.key)")
    if certificate:
        return _certificate(trust, ".trust") + _certificate(certificate, ".crt") + _private_key(key)
    return _certificate(trust, ".trust") + ABSENT + (_header(key) if key else ABSENT)


def crcs(trust: bytes, certificate: bytes, key: bytes) -> frozenset[int]:
    """What a station says that has these files: as it got them from here, or as somebody copied them onto it."""
    copied = b"".join(part or ABSENT for part in (trust, certificate, key))
    return frozenset((crc32(copied), crc32(credentials(trust, certificate, key))))


class FirmwareKey:
    """The public key that firmware must be signed for. `crc` is how stations name it."""

    def __init__(self, pem: bytes) -> None:
        """Raises DecodeError when it is not a public key on prime256v1 in PEM."""
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as e:
            raise DecodeError(RejectReason.SYNTAX, f"not a public key in PEM: {e}") from None
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise DecodeError(RejectReason.SYNTAX, "not a key on the curve prime256v1, which stations check with")
        self._key = key
        raw = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.crc = crc32(raw[-_KEY_BYTES:])

    def is_signed(self, digest: bytes, signature: bytes) -> bool:
        """Whether this is a signature over firmware with this SHA-512."""
        try:
            self._key.verify(signature, digest, ec.ECDSA(Prehashed(SHA512())))
        except (InvalidSignature, ValueError):
            return False
        return True


def _certificate(data: bytes, what: str) -> bytes:
    """One certificate in DER: a station takes neither two nor a chain (sys_credComplete)."""
    try:
        if not data.startswith(bytes((_SEQUENCE,))):
            found = x509.load_pem_x509_certificates(data)
            if len(found) != 1:
                raise DecodeError(RejectReason.SYNTAX, f"{what} has {len(found)} certificates, stations take one")
            data = found[0].public_bytes(Encoding.DER)
        else:
            data = x509.load_der_x509_certificate(data).public_bytes(Encoding.DER)
    except ValueError as e:
        raise DecodeError(RejectReason.SYNTAX, f"{what} is no certificate: {e}") from None
    return _measurable(data, what)


def _private_key(data: bytes) -> bytes:
    """A key in DER. Elliptic ones in SEC 1: in PKCS #8 they are of a length that stations misread."""
    if data.startswith(bytes((_SEQUENCE,))):
        return _measurable(data, ".key")
    try:
        key = load_pem_private_key(data, password=None)
        made = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise DecodeError(RejectReason.SYNTAX, ".key is no private key in PEM, without a password") from None
    return _measurable(made, ".key")


def _measurable(data: bytes, what: str) -> bytes:
    """Stations read the length of DER from one byte or from two behind a mark, whatever the mark says."""
    if len(data) < 4 or (data[1] & 0x80 and data[1] != 0x82):
        raise DecodeError(RejectReason.UNSUPPORTED, f"{what} has a length that stations misread: {len(data)} bytes")
    return data


def _header(data: bytes) -> bytes:
    try:
        text = data.decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    name, colon, value = text.partition(": ")
    if not (name and colon and value) or "\n" in text or not name.replace("-", "").isalnum():
        raise DecodeError(RejectReason.SYNTAX, ".key without .crt must be one line such as Authorization: Bearer TOKEN")
    return text.encode("ascii") + b"\r\n"
