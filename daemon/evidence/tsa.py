"""A time-stamping authority's answers, judged (RFC 3161 section 2): asked with nonce and for its certificate.

Signature and chain are checked by rfc3161-client (extra `stamps`) at the time that the stamp names. What the library
raises on bytes from outside is no closed list: all of it means that there is no good stamp.
"""

import hashlib
import ssl
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
from cryptography.x509 import Certificate, load_pem_x509_certificates

from torhaus.daemon.evidence.stamp import Said, read_stamp, with_certificates_in_order
from torhaus.daemon.evidence.stamped import Judge

MAX_BYTES: Final = 65_536
"""Of an answer. With certificates it has 2 to 8 KB."""
TOLERANCE_NS: Final = 300 * 10**9
"""How far a stamp's time may be from a clock that is synchronised."""
_GRANTED: Final = 0


class Why(StrEnum):
    """Why there is no stamp."""

    UNREACHABLE = "unreachable"
    SLOW = "slow"
    HTTP = "http"  # another status than 200
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    REFUSED = "refused"  # the authority says so
    IMPRINT = "imprint"  # it is about something else
    NONCE = "nonce"  # it answers another question
    UNTRUSTED = "untrusted"  # signature, chain, or what its certificate is for
    TIME = "time"  # far from our clock
    NO_CA = "no_ca"  # tsa_ca_file cannot be read


class NoStamp(Exception):  # noqa: N818 - a fact about an answer
    """With the reason, and a word more for a person."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(f"{why.value}: {detail}" if detail else why.value)
        self.why = why


class Question(msgspec.Struct, frozen=True):
    """The request in DER, what it is about, and its nonce."""

    request: bytes
    imprint: str
    nonce: int


def ask(about: bytes) -> Question:
    """A question about these bytes."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    request = TimestampRequestBuilder().data(about).hash_algorithm(HashAlgorithm.SHA256).build()
    assert request.nonce is not None, "it is asked for by default"
    return Question(request.as_bytes(), hashlib.sha256(about).hexdigest(), request.nonce)


def read_roots(path: Path) -> list[Certificate]:
    """The certificates that are trusted, PEM. Raises NoStamp."""
    try:
        found = load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError, ssl.SSLError) as error:
        raise NoStamp(Why.NO_CA, f"{path}: {error}") from None
    return found


def judge_by(ca_file: Path) -> Judge:
    """For whoever verifies a journal. Raises NoStamp when the file cannot be read."""
    roots = read_roots(ca_file)

    def judged(response: bytes, imprint: str) -> str | None:
        try:
            judge(response, imprint, roots)
        except NoStamp as error:
            return str(error)
        return None

    return judged


def judge(
    response: bytes, imprint: str, roots: list[Certificate], nonce: int | None = None, now_ns: int | None = None
) -> Said:
    """What a stamp says, if it is a good one of these. Raises NoStamp.

    `nonce`: that of the question; none for a stamp that lies there already. `now_ns`: only of a clock that is right.
    """
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    if len(response) > MAX_BYTES:
        raise NoStamp(Why.TOO_LARGE)
    try:
        ordered = with_certificates_in_order(response)
    except (ValueError, IndexError):
        ordered = response  # a refusal has none
    try:
        parsed = decode_timestamp_response(ordered)
        status, texts = parsed.status, parsed.status_string
    except Exception as error:  # noqa: BLE001 - see the module's text
        raise NoStamp(Why.UNREADABLE, type(error).__name__) from None
    if status != _GRANTED:
        text = " ".join(" ".join(texts).split())[:80]
        raise NoStamp(Why.REFUSED, "".join(c for c in text if c.isprintable()) or f"status {status}")
    try:
        said = read_stamp(response)
        answered = parsed.tst_info.nonce
    except Exception as error:  # noqa: BLE001 - see the module's text
        raise NoStamp(Why.UNREADABLE, type(error).__name__) from None
    if said.imprint != imprint:
        raise NoStamp(Why.IMPRINT)
    if nonce is not None and answered != nonce:
        raise NoStamp(Why.NONCE)
    try:
        VerifierBuilder(roots=list(roots)).build().verify(parsed, bytes.fromhex(imprint))
    except VerificationError as error:
        raise NoStamp(Why.UNTRUSTED, str(error).partition(": ErrorStack")[0][:120]) from None
    except Exception as error:  # noqa: BLE001 - see the module's text
        raise NoStamp(Why.UNREADABLE, type(error).__name__) from None
    if now_ns is not None and abs(said.at - now_ns) > TOLERANCE_NS:
        raise NoStamp(Why.TIME, f"{(said.at - now_ns) / 1e9:+.0f} s")
    return said
