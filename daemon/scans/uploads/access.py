"""Who may upload for which station: by a token, of which only a hash is kept, or by a client certificate.

A token has 256 random bits, so a plain SHA-256 of it is as good as any slow hash: there is nothing to guess. Nobody is
told whether a station exists before he has shown that he is one.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.evidence.log import FaultLog
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.events import LoginRefused, Report
from torhaus.daemon.scans.uploads.config import HttpStation
from torhaus.daemon.scans.uploads.problem import Problem

MAX_CREDENTIALS: Final = 1024
"""Characters of an Authorization field. A token of ours has 43."""
MAX_FAILED: Final = 10
FAILED_NS: Final = 60 * 10**9
"""So many wrong logins an address may try in so long; then it is told to wait. A right one is always let in."""
MAX_ADDRESSES: Final = 4096
"""Addresses that are counted apart; the oldest is forgotten for a new one."""
MAX_TOKENS: Final = 32
"""Of one station: a device each, and some that are about to be replaced."""
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="torhaus", Basic realm="torhaus"'}


class Token(msgspec.Struct, frozen=True, gc=False):
    """What is known of a token: not the token."""

    id: str
    station: str
    made_ns: int
    revoked_ns: int | None = None


def add_token(tx: Tx, station: str, at_ns: int, account: str) -> tuple[Token, str]:
    """A station's new token, and its text, which is nowhere else. Who made it is in the journal. Raises ValueError."""
    good = "SELECT count(*) FROM token WHERE station = ? AND revoked_ns IS NULL"
    if tx.conn.execute(good, (station,)).fetchone()[0] >= MAX_TOKENS:
        raise ValueError(f"{station} has {MAX_TOKENS} tokens: revoke one first")
    text, token = secrets.token_urlsafe(32), Token(secrets.token_hex(4), station, at_ns)
    tx.conn.execute(
        "INSERT INTO token (id, station, hash, made_ns) VALUES (?, ?, ?, ?)", (token.id, station, _hash(text), at_ns)
    )
    tx.enter("rights.token_added", at_ns, account=account, station=station, token=token.id)
    return token, text


def revoke_token(tx: Tx, station: str, token_id: str, at_ns: int, account: str) -> bool:
    """From now on it is good for nothing. False: there is none, or it was revoked before."""
    sql = "UPDATE token SET revoked_ns = ? WHERE id = ? AND station = ? AND revoked_ns IS NULL"
    if tx.conn.execute(sql, (at_ns, token_id, station)).rowcount != 1:
        return False
    tx.enter("rights.token_revoked", at_ns, account=account, station=station, token=token_id)
    return True


def tokens(tx: Tx, station: str | None = None) -> list[Token]:
    """Of one station or of all, oldest first."""
    sql = "SELECT id, station, made_ns, revoked_ns FROM token WHERE ? IN (station, '') ORDER BY made_ns, id"
    return [Token(*row) for row in tx.conn.execute(sql, (station or "",))]


class Access:
    """The logins that are good at present."""

    def __init__(self, stations: Iterable[HttpStation], clock: Clock, report: Report, faults: FaultLog) -> None:
        self._stations = {s.name: s for s in stations}
        self._by_certificate = {s.certificate_name.lower(): s.name for s in stations if s.certificate_name}
        self._clock = clock
        self._report = report
        self._good: list[tuple[str, bytes]] = []
        self._failed: dict[str, list[int]] = {}
        self._faults = faults  # BSI TR-03138 V1.5, A.SC.11 d

    def load(self, tx: Tx) -> None:
        """Take over which tokens are good. To be called after each change."""
        rows = tx.conn.execute("SELECT station, hash FROM token WHERE revoked_ns IS NULL").fetchall()
        self._good = [(station, digest) for station, digest in rows if station in self._stations]

    def admit(
        self, station: str, authorization: str | None, certificate: Mapping[str, Any] | None, address: str
    ) -> HttpStation:
        """The station, if it is the one that logs in. Raises Problem (401, 403, 429)."""
        token = _token(authorization)
        who = self._by_token(token) if token is not None else None
        names = _names(certificate)
        if who is None:
            who = next((self._by_certificate[n] for n in names if n in self._by_certificate), None)
        if who is None:
            if token is None and not names and authorization is None:
                raise Problem(401, "needs a token (Authorization: Bearer …) or a client certificate", _CHALLENGE)
            self._refuse(station, "certificate" if token is None and names else "token", address)
            raise Problem(401, "this token or certificate is none of a station's", _CHALLENGE)
        if who != station:
            self._refuse(who, "station", address)
            raise Problem(403, "this token or certificate is for another station")
        return self._stations[station]

    def _by_token(self, token: str) -> str | None:
        given, who = _hash(token), None
        for station, digest in self._good:  # all of them: how long it takes says nothing
            if hmac.compare_digest(given, digest):
                who = station
        return who

    def _refuse(self, station: str, kind: str, address: str) -> None:
        station = station if station in self._stations else ""
        now, key = self._clock.boot_ns(), _network(address)
        times = [t for t in self._failed.pop(key, []) if now - t < FAILED_NS]
        is_over = len(times) >= MAX_FAILED
        self._failed[key] = times if is_over else [*times, now]
        if len(self._failed) > MAX_ADDRESSES:
            del self._failed[next(iter(self._failed))]
        self._faults.add(f"login_{kind}", station)
        if is_over:
            wait_s = max(1, (FAILED_NS - now + times[0]) // 10**9)
            raise Problem(429, "too many wrong logins from this address", {"Retry-After": str(wait_s)})
        self._report(LoginRefused(station, kind))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _token(authorization: str | None) -> str | None:
    """Bearer (RFC 6750 §2.1), or the password of Basic (RFC 7617), which is all that many scan programs have."""
    if authorization is None or len(authorization) > MAX_CREDENTIALS:
        return None
    scheme, _, value = authorization.strip().partition(" ")
    value = value.strip()
    match scheme.lower():
        case "bearer":
            return value
        case "basic":
            try:
                _, colon, password = base64.b64decode(value, validate=True).decode("latin-1").partition(":")
            except (binascii.Error, ValueError):
                return None
            return password if colon else None
    return None


def _names(certificate: Mapping[str, Any] | None) -> list[str]:
    """The DNS names of a client's certificate, or where it has none its common name: `ssl.SSLSocket.getpeercert()`."""
    if not certificate:
        return []
    found = [value.lower() for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
    if found:
        return found
    return [v.lower() for name in certificate.get("subject", ()) for key, v in name if key == "commonName"]


def _network(address: str) -> str:
    """What is counted as one: an IPv4 address, or the 64 bits of an IPv6 network, in which everybody has many."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped) if parsed.ipv4_mapped else parsed.packed[:8].hex()
    return str(parsed)
