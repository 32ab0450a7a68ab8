"""Hash trees as RFC 6962 section 2.1 has them, and Ed25519 signatures as RFC 8032 section 5.1 does, to be checked.

Only the standard library: this file is part of what `torhaus evidence verifier` prints for other machines.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()


def canonical(value: object) -> bytes:
    """JSON as it is hashed and signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_hash(entry: bytes) -> bytes:
    """Of one entry in a tree."""
    return hashlib.sha256(b"\0" + entry).digest()


def tree_root(leaves: list[bytes]) -> bytes:
    """Of leaf hashes, RFC 6962 section 2.1: pairs from the left; what has no partner goes up as it is."""
    level = leaves or [hashlib.sha256().digest()]
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\1" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) & ~1 :]
    return level[0]


def path_to(index: int, leaves: list[bytes]) -> list[bytes]:
    """What leads from leaf `index` to the root: the other half of each pair on the way, from below."""
    level, path = leaves, []
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        pairs = [hashlib.sha256(b"\1" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) & ~1 :]
        index //= 2
    return path


def root_by_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root to which this path leads from leaf `index` of `size`; None if it is not a path for that place."""
    here, rest, last = leaf, list(path), size - 1
    if not 0 <= index <= last:
        return None
    while last:
        if index % 2 or index < last:
            if not rest:
                return None
            other = rest.pop(0)
            pair = other + here if index % 2 else here + other
            here = hashlib.sha256(b"\1" + pair).digest()
        index, last = index // 2, last // 2
    return None if rest else here


# -- Ed25519, RFC 8032 section 5.1, verification only ------------------------------------------------------------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
Point = tuple[int, int, int, int]


def _add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    g, h = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    return (f - e) * (h - g) % _P, (h + g) * (f + e) % _P, (h - g) * (h + g) % _P, (f - e) * (f + e) % _P


def _times(n: int, point: Point) -> Point:
    out: Point = (0, 1, 1, 0)
    while n:
        if n & 1:
            out = _add(out, point)
        point, n = _add(point, point), n >> 1
    return out


def _point(data: bytes) -> Point | None:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


def ed25519_good(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is right."""
    if len(key) != 32 or len(signature) != 64:
        return False
    base = _point((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))
    a, r, s = _point(key), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if base is None or a is None or r is None or s >= _L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % _L
    left, right = _times(s, base), _add(r, _times(h, a))
    return not ((left[0] * right[2] - right[0] * left[2]) % _P or (left[1] * right[2] - right[1] * left[2]) % _P)


def signature_good(signed: dict[str, Any], key: str) -> bool:
    """Whether a head or a root is signed with this key (hex)."""
    try:
        public, signature = bytes.fromhex(key), bytes.fromhex(signed["signature"])
        text = canonical({**signed, "signature": ""})
    except (KeyError, TypeError, ValueError):
        return False
    return signed.get("key") == key and ed25519_good(public, text, signature)
