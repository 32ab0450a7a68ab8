"""The evidence journal: an append-only hash chain of everything that happened to every scan.

An entry's canonical bytes are JSON with sorted keys and no spaces (integers, strings, booleans and null only):
`{"at":ns,"data":{…},"event":"spooled","prev":"<hex>","scan":"<id>","seq":n}`. Its hash is SHA-256 of those bytes, and
`prev` is the hash of the entry before, 64 zeros for the first. Documents' names are never in it.

A chain that only this box holds proves little against its root: the head (number and hash of the last entry) is
signed (Ed25519, RFC 8032), kept beside the database and sent with each upload.
"""

import contextlib
import hashlib
import sqlite3
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from torhaus.daemon.scans.disk import Disk

Data = dict[str, str | int | bool | None]
ZERO: Final = bytes(32)
MAX_FAULTS: Final = 100
"""Faults that `verify` lists: after a break nearly everything may be wrong, and the first ones say it."""


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


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong: entry number and what: changed, gap, chain, syntax, tail, head, signature, state."""

    seq: int
    what: str


class Verified(msgspec.Struct, frozen=True):
    """Result of a verification. `entries` counts what was read; good when `faults` is empty."""

    entries: int
    last_hash: str
    faults: list[Fault]


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


def verify(conn: sqlite3.Connection, head: Head | None = None) -> Verified:
    """Walk the whole chain. `head` is one recorded earlier: the chain must still contain it. Reads only.

    Also compares each scan's state with the last state the journal has for it, so that neither can be cut alone.
    """
    faults: list[Fault] = []
    states: dict[str, str] = {}
    seq, prev, seen = 0, ZERO, head is None
    for row_seq, raw, stored in conn.execute("SELECT seq, entry, hash FROM evidence ORDER BY seq"):
        seq += 1
        if row_seq != seq:
            faults.append(Fault(seq, "gap"))
            seq = row_seq
        entry = _entry(raw)
        actual = hashlib.sha256(raw).digest()
        if entry is None:
            faults.append(Fault(seq, "syntax"))
        elif entry.seq != seq or entry.prev != prev.hex():
            faults.append(Fault(seq, "chain"))
        elif entry.scan is not None and "state" in entry.data:
            states[entry.scan] = str(entry.data["state"])
        if actual != stored:
            faults.append(Fault(seq, "changed"))
        if head is not None and head.seq == seq:
            seen = True
            if actual.hex() != head.hash:
                faults.append(Fault(seq, "head"))
        prev = actual
        if len(faults) >= MAX_FAULTS:
            break
    if not seen and head is not None and head.seq > 0:
        faults.append(Fault(seq, "tail"))
    if not faults:
        faults = [
            Fault(seq, "state")
            for scan, state in conn.execute("SELECT id, state FROM scan ORDER BY seq")
            if states.pop(scan, None) != state
        ]
        faults += [Fault(seq, "state") for _scan in states]
    return Verified(seq, prev.hex(), faults[:MAX_FAULTS])


def _entry(raw: bytes) -> Entry | None:
    """The entry, or None unless the bytes are canonical."""
    try:
        entry = msgspec.json.decode(raw, type=Entry)
        return entry if msgspec.json.encode(entry, order="sorted") == raw else None
    except (msgspec.DecodeError, UnicodeError):
        return None


class Signer:
    """Holds the box's own key (`evidence.key`, 0600, made at first use) and keeps the last signed head on disk."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        self._key = self._load()

    def _load(self) -> Ed25519PrivateKey:
        path = self._folder / "evidence.key"
        with contextlib.suppress(FileNotFoundError):
            return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        key = Ed25519PrivateKey.generate()
        self._disk.keep(path, key.private_bytes_raw())
        return key

    @property
    def public(self) -> str:
        """Our public key, hex."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, head: Head) -> Head:
        """The head with our key and signature."""
        head = msgspec.structs.replace(head, key=self.public, signature="")
        return msgspec.structs.replace(head, signature=self._key.sign(_signed_bytes(head)).hex())

    def record(self, head: Head) -> None:
        """Sign and keep as `evidence.head`. Blocks; raises OSError."""
        self._disk.keep(self._folder / "evidence.head", msgspec.json.encode(self.sign(head), order="sorted"))

    def recorded(self) -> Head | None:
        """The head kept last. Raises ValueError when the file is no head."""
        try:
            return msgspec.json.decode((self._folder / "evidence.head").read_bytes(), type=Head)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise ValueError("evidence.head is not a head") from error


def signature_good(head: Head, key: str | None = None) -> bool:
    """Whether the signature is right, by `key` (hex, learned elsewhere) or else by the key the head itself names."""
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key or head.key))
        public.verify(bytes.fromhex(head.signature), _signed_bytes(head))
    except (InvalidSignature, ValueError):
        return False
    return True


def _signed_bytes(head: Head) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(head, signature=""), order="sorted")
