"""The evidence journal: an append-only hash chain of everything that happened to every scan.

An entry's canonical bytes are JSON with sorted keys and no spaces (integers, strings, booleans and null only):
`{"at":ns,"data":{…},"event":"spooled","prev":"<hex>","scan":"<id>","seq":n}`. Its hash is SHA-256 of those bytes, and
`prev` is the hash of the entry before, 64 zeros for the first. Documents' names are never in it.

A chain that only this box holds proves little against its root: the head (number and hash of the last entry) is
signed (Ed25519, RFC 8032), kept beside the database and sent with each upload. `daemon/evidence/` has the rest: roots
over each day's entries, the classes of the log, notes, exports, and what checks all that.
"""

import contextlib
import hashlib
import re
import sqlite3
import threading
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from torhaus.daemon.scans.disk import Disk
from torhaus.drivers.secret import SecretError, read_secret

Data = dict[str, str | int | bool | None]
ZERO: Final = bytes(32)
KEY_BYTES: Final = 32


class KeyUnusable(OSError):  # noqa: N818 - a fact about a file
    """The signing key cannot be read or is none. The text names the file, never a content."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry, as its canonical bytes say it. `at` is ns since the Unix epoch."""

    seq: int
    at: int
    scan: str | None
    event: str
    data: Data
    prev: str


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the chain stood: enough to notice that its tail was cut off or its past rewritten."""

    store: str
    seq: int
    hash: str
    at: int
    key: str = ""  # Ed25519 public key, hex
    signature: str = ""  # over the canonical bytes of this head with an empty signature, hex


class Root(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The root of the hash tree over entries `first` to `last`; entry `seq` says it, too."""

    store: str
    seq: int
    day: str  # on which the first of them was written, UTC
    first: int
    last: int
    hash: str
    at: int
    key: str = ""
    signature: str = ""


Signed = TypeVar("Signed", Head, Root)


def append(conn: sqlite3.Connection, at_ns: int, scan: str | None, event: str, data: Data) -> None:
    """Add an entry, inside the caller's transaction."""
    seq, prev = last(conn)
    entry = msgspec.json.encode(Entry(seq + 1, at_ns, scan, event, data, prev.hex()), order="sorted")
    conn.execute(
        "INSERT INTO evidence (seq, entry, hash, scan) VALUES (?, ?, ?, ?)",
        (seq + 1, entry, hashlib.sha256(entry).digest(), scan),
    )


def last(conn: sqlite3.Connection) -> tuple[int, bytes]:
    """Number and hash of the last entry; (0, zeros) when there is none."""
    row = conn.execute("SELECT seq, hash FROM evidence ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, ZERO) if row is None else (row[0], row[1])


class Signer:
    """Holds the box's own key and keeps the last signed head on disk.

    The key is that of `key_file` (64 hex digits, or PEM of `openssl genpkey -algorithm ed25519`), a path or
    `credential:NAME`; without one it is `evidence.key` (0600), made at first use. Raises OSError, KeyUnusable.
    """

    def __init__(self, folder: Path, disk: Disk, key_file: str | None = None) -> None:
        self._folder = folder
        self._disk = disk
        self._recording = threading.Lock()
        self._recorded = 0
        self._key = self._load() if key_file is None else _read_key(key_file)

    def _load(self) -> Ed25519PrivateKey:
        path = self._folder / "evidence.key"
        with contextlib.suppress(FileNotFoundError):
            data = path.read_bytes()
            if len(data) != KEY_BYTES:
                raise KeyUnusable(f"{path}: is no key")
            return Ed25519PrivateKey.from_private_bytes(data)
        key = Ed25519PrivateKey.generate()
        self._disk.keep(path, key.private_bytes_raw())
        return key

    @property
    def public(self) -> str:
        """Our public key, hex."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, what: Signed) -> Signed:
        """The head or root with our key and signature."""
        what = msgspec.structs.replace(what, key=self.public, signature="")
        return msgspec.structs.replace(what, signature=self._key.sign(_signed_bytes(what)).hex())

    def sign_text(self, text: bytes) -> bytes:
        """A signature over something of another kind, which says in itself what it is."""
        return self._key.sign(text)

    def record(self, head: Head) -> None:
        """Sign and keep as `evidence.head`, unless a later one is there. Blocks; raises OSError."""
        with self._recording:  # who was cancelled may still be at it
            if head.seq >= self._recorded:
                self._disk.keep(self._folder / "evidence.head", msgspec.json.encode(self.sign(head), order="sorted"))
                self._recorded = head.seq

    def recorded(self) -> Head | None:
        """The head kept last. Raises ValueError when the file is no head."""
        return recorded_head(self._folder)


def recorded_head(folder: Path) -> Head | None:
    """What a signer kept last in this folder. Raises OSError, and ValueError when the file is no head."""
    try:
        return msgspec.json.decode((folder / "evidence.head").read_bytes(), type=Head)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise ValueError("evidence.head is not a head") from error


def signature_good(signed: Head | Root, key: str | None = None) -> bool:
    """Whether the signature is right, by `key` (hex, learned elsewhere) or else by the key that it names itself."""
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key or signed.key))
        public.verify(bytes.fromhex(signed.signature), _signed_bytes(signed))
    except (InvalidSignature, ValueError):
        return False
    return True


def _signed_bytes(signed: Head | Root) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(signed, signature=""), order="sorted")


def _read_key(spec: str) -> Ed25519PrivateKey:
    try:
        text = read_secret(spec)
        if re.fullmatch("[0-9a-fA-F]{64}", text):
            return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))
        key = load_pem_private_key(text.encode(), None)
    except (SecretError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"[scan.evidence] key_file: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable("[scan.evidence] key_file: is not an Ed25519 key")
    return key
