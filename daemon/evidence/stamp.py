"""Time stamps of RFC 3161 as they lie beside a root: what they are about, and when they say it was.

Only the standard library: this file is part of what `torhaus evidence verifier` prints for other machines. It reads and
compares; whether a stamp's signature leads to an authority that is trusted needs more (`tsa.py`, or `openssl ts`).
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import NamedTuple

SEQUENCE, OCTETS, INTEGER, OID, TIME = 0x30, 0x04, 0x02, 0x06, 0x18
EXPLICIT_0 = 0xA0
TST_INFO = bytes.fromhex("2a864886f70d0109100104")  # id-ct-TSTInfo, RFC 3161 section 2.4.2
SHA256_OID = bytes.fromhex("608648016503040201")  # RFC 5754 section 2.2


class Said(NamedTuple):
    """What a stamp says: the SHA-256 (hex) of what it is about, and its time (ns since the epoch, whole seconds)."""

    imprint: str
    at: int


class Node(NamedTuple):
    """One DER element: its tag, where it begins, and where its content is."""

    tag: int
    start: int
    first: int
    end: int


def read_stamp(response: bytes) -> Said:
    """Of a TimeStampResp (RFC 3161 section 2.4.2) in DER. Raises ValueError."""
    signed = _signed_data(response)
    kind, content = _inside(response, signed[2])[:2]
    if _bytes(response, kind, OID) != TST_INFO:
        raise ValueError("no time stamp is in it")
    (octets,) = _inside(response, content, EXPLICIT_0)
    info = _bytes(response, octets, OCTETS)
    _, _, imprint, _, at = _inside(info, _node(info, 0, len(info)))[:5]
    algorithm, digest = _inside(info, imprint)
    if _bytes(info, _inside(info, algorithm)[0], OID) != SHA256_OID:
        raise ValueError("it is not about a SHA-256")
    return Said(_bytes(info, digest, OCTETS).hex(), _time(_bytes(info, at, TIME)))


def with_certificates_in_order(response: bytes) -> bytes:
    """The same with its certificates sorted as DER wants a SET, which OpenSSL does not do. Raises ValueError.

    No signature is over that set.
    """
    for node in _signed_data(response):
        if node.tag == EXPLICIT_0:
            each = sorted(response[n.start : n.end] for n in _inside(response, node, EXPLICIT_0))
            return response[: node.first] + b"".join(each) + response[node.end :]
    return response


def _signed_data(response: bytes) -> list[Node]:
    """The members of the SignedData (RFC 5652 section 5.1): version, algorithms, content, certificates and so on."""
    whole = _node(response, 0, len(response))
    if whole.end != len(response):
        raise ValueError("something lies behind it")
    members = _inside(response, whole)
    if len(members) < 2:
        raise ValueError("no time stamp is in it")
    token = _inside(response, members[1])
    if len(token) != 2:
        raise ValueError("no time stamp is in it")
    (signed,) = _inside(response, token[1], EXPLICIT_0)
    members = _inside(response, signed)
    if len(members) < 4:
        raise ValueError("no signed data")
    return members


def _node(data: bytes, start: int, end: int) -> Node:
    if end - start < 2:
        raise ValueError("it is cut short")
    tag, size, at = data[start], data[start + 1], start + 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or end - at < count:
            raise ValueError("a length that is none in DER")
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    if size > end - at:
        raise ValueError("it is cut short")
    return Node(tag, start, at, at + size)


def _inside(data: bytes, node: Node, tag: int = SEQUENCE) -> list[Node]:
    if node.tag != tag:
        raise ValueError(f"type {node.tag:02x} where {tag:02x} belongs")
    found, at = [], node.first
    while at < node.end:
        found.append(_node(data, at, node.end))
        at = found[-1].end
    return found


def _bytes(data: bytes, node: Node, tag: int) -> bytes:
    if node.tag != tag:
        raise ValueError(f"type {node.tag:02x} where {tag:02x} belongs")
    return data[node.first : node.end]


def _time(text: bytes) -> int:
    """GeneralizedTime as RFC 3161 section 2.4.2 restricts it: UTC, with seconds; parts of them are left out."""
    said = datetime.strptime(text[:14].decode("ascii") + "Z", "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)  # noqa: UP017 - Python 3.9
    if not text.endswith(b"Z"):
        raise ValueError("its time is not UTC")
    return int(said.timestamp()) * 10**9
