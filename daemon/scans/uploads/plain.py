"""Whole documents in one request: `PUT /scans/{station}/{name}` and `POST /scans/{station}`.

Digest fields by RFC 9530: what the sender says of its bytes is checked, and the answer says what is stored. It is given
when that is flushed to disk and committed. The same bytes again under the same name (PUT), or with the same
Idempotency-Key, are the same scan.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Iterable
from contextlib import aclosing
from typing import Final
from urllib.parse import quote, unquote_to_bytes

import msgspec
from aiohttp import web

from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.digests import WANT_EITHER, digest_field, digests_of
from torhaus.daemon.scans.sealed import Sealer
from torhaus.daemon.scans.spool import Draft
from torhaus.daemon.scans.threads import to_end
from torhaus.daemon.scans.uploads.body import Cut, TooLong, batches, is_coded, let_come
from torhaus.daemon.scans.uploads.config import HttpStation
from torhaus.daemon.scans.uploads.part import Part
from torhaus.daemon.scans.uploads.problem import Problem
from torhaus.daemon.scans.uploads.taking import Taking

MAX_NAME_BYTES: Final = 1024
MAX_KEY_CHARS: Final = 255
KEYS_KEPT_NS: Final = 7 * 86_400 * 10**9
"""So long a repeat is recognised by its Idempotency-Key."""
NO_NAME: Final = b"upload"
_FORMS: Final = ("multipart/", "application/x-www-form-urlencoded")


class Stored(msgspec.Struct, frozen=True):
    """What a sender gets to know of its scan."""

    id: str
    state: str
    reason: str | None
    sha256: str
    size_bytes: int
    pages: int
    media_type: str
    duplicate_of: str | None


def stored(scan: Scan, *, is_new: bool) -> web.Response:
    """The answer for a scan that is taken in."""
    reason = scan.reason.value if scan.reason else None
    body = Stored(
        scan.id, scan.state.value, reason, scan.sha256, scan.size_bytes, scan.pages, scan.media_type, scan.duplicate_of
    )
    headers = {"Location": f"/scans/{scan.station}?id={quote(scan.id, safe='')}", **proof(scan)}
    return web.Response(
        status=201 if is_new else 200, body=msgspec.json.encode(body), headers=headers, content_type="application/json"
    )


def proof(scan: Scan) -> dict[str, str]:
    """Header fields that say what is stored, and as what."""
    return {"Repr-Digest": digest_field(scan.sha256), "Torhaus-Scan": scan.id, "Torhaus-State": scan.state.value}


class Plain:
    """Answers for stations that were let in."""

    def __init__(self, taking: Taking, idle_s: float) -> None:
        self._taking = taking
        self._idle_s = idle_s

    async def put(self, request: web.Request, station: HttpStation) -> web.Response:
        """A document under a name. Nothing is ever replaced: other bytes under the same name are another scan."""
        name = unquote_to_bytes(request.rel_url.raw_name)
        if not name or len(name) > MAX_NAME_BYTES:
            raise Problem(400, f"the name must have 1 to {MAX_NAME_BYTES} bytes")
        return await self._receive(request, station, name, by_name=True)

    async def post(self, request: web.Request, station: HttpStation) -> web.Response:
        """A document, its name in the query (`?name=`) if it has one."""
        name = request.query.get("name", "").encode("utf-8", "surrogateescape") or NO_NAME
        if len(name) > MAX_NAME_BYTES:
            raise Problem(400, f"name: at most {MAX_NAME_BYTES} bytes")
        return await self._receive(request, station, name, by_name=False)

    async def show(self, request: web.Request, station: HttpStation) -> web.Response:
        """What has become of a scan of this station."""
        scan_id = request.query.get("id", "")
        found = await self._taking.db.run(lambda tx: tx.find("id = ? AND station = ?", (scan_id, station.name), 1))
        if not found:
            raise Problem(404, "this station has brought no such scan")
        return stored(found[0], is_new=False)

    async def _receive(self, request: web.Request, station: HttpStation, name: bytes, *, by_name: bool) -> web.Response:
        key = request.headers.get("Idempotency-Key")
        if key is not None and not 0 < len(key) <= MAX_KEY_CHARS:
            raise Problem(400, f"Idempotency-Key: 1 to {MAX_KEY_CHARS} characters")
        draft = await self.body(request, station)
        hashed = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest() if key is not None else None

        def known(tx: Tx) -> Scan | None:
            found = _by_key(tx, station.name, hashed) if hashed is not None else None
            return found or (_by_name(tx, station.name, name, draft.sha256) if by_name else None)

        def also(tx: Tx, scan: Scan) -> None:
            if hashed is not None:
                sql = "INSERT INTO upload_key (station, key, scan, at_ns) VALUES (?, ?, ?, ?)"
                tx.conn.execute(sql, (station.name, hashed, scan.seq, self._taking.clock.wall_ns()))

        scan, is_new = await self._taking.take(station, name, draft, known, also)
        if scan.sha256 != draft.sha256:
            self._taking.leave(station, "key_reused")
            raise Problem(422, "this Idempotency-Key came with other bytes before")
        return stored(scan, is_new=is_new)

    async def body(self, request: web.Request, station: HttpStation, *, must_say: bool = False) -> Draft:
        """The document's bytes, flushed to disk, and what the sender says of them. `must_say`: a SHA-256, at least.

        Raises Problem.
        """
        wanted = _wanted(request)
        if must_say and "sha-256" not in wanted:
            raise Problem(400, "needs Repr-Digest with sha-256", _WANT)
        if is_coded(request) or request.content_type.startswith(_FORMS):
            raise Problem(415, "send the document's own bytes: neither compressed nor in a form")
        await self._taking.check_quota(station, request.content_length or 0)
        await let_come(request)
        draft, digests = await self._spooled(request, station, wanted)
        try:
            self._check(station, draft, wanted, digests)
        except Problem:
            await asyncio.to_thread(self._taking.spool.discard, draft)
            raise
        return draft

    async def _spooled(
        self, request: web.Request, station: HttpStation, wanted: dict[str, bytes]
    ) -> tuple[Draft, dict[str, bytes]]:
        """The body as a draft, flushed to disk, and its digests in the algorithms that were asked for."""
        spool = self._taking.spool
        sha512 = hashlib.sha512() if "sha-512" in wanted else None
        path = spool.new_path()

        def write(part: Part | Sealer, pieces: Iterable[bytes], size: int) -> None:
            spool.check_room(size)
            if sha512 is not None:
                for piece in pieces:
                    sha512.update(piece)
            part.append(pieces)

        part: Part | Sealer | None = None
        is_whole = False
        try:
            part = await to_end(spool.writer, path, undo=lambda made: made.close())
            async with aclosing(batches(request, station.max_bytes, self._idle_s, self._taking.clock)) as found:
                async for pieces in found:
                    await to_end(write, part, pieces, sum(map(len, pieces)))
            await to_end(part.sync)
            is_whole = True
        except (Cut, TooLong, OSError) as error:
            if isinstance(error, OSError):
                raise self._taking.trouble(station, error) from error
            if isinstance(error, TooLong):
                self._taking.leave(station, "too_large")
                raise Problem(413, f"a document of this station has at most {station.max_bytes} bytes") from error
            raise Problem(408, "the body ended too early, or came too slowly") from error
        finally:
            if part is not None:
                part.close()
            if not is_whole:
                await asyncio.to_thread(spool.discard, Draft(path, "", 0))
        digests = {"sha-256": bytes.fromhex(part.sha256)}
        if sha512 is not None:
            digests["sha-512"] = sha512.digest()
        return spool.drafted(path, part), digests

    def _check(self, station: HttpStation, draft: Draft, wanted: dict[str, bytes], digests: dict[str, bytes]) -> None:
        if draft.size_bytes == 0:
            raise Problem(400, "the body is empty")
        if not all(hmac.compare_digest(digests[algorithm], digest) for algorithm, digest in wanted.items()):
            self._taking.leave(station, "digest")
            raise Problem(400, "the bytes that came have another digest: send them again", _WANT)


_WANT: Final = {"Want-Repr-Digest": WANT_EITHER}


def _wanted(request: web.Request) -> dict[str, bytes]:
    """What the bytes must have. Nothing is coded on the way, so content and representation are the same bytes.

    Without an algorithm that we know there is nothing to check, and no harm: the answer says what is stored.
    """
    found: dict[str, bytes] = {}
    for field in ("Repr-Digest", "Content-Digest"):
        said = digests_of(request.headers.getall(field, []))
        if said is None or any(found.get(algorithm, digest) != digest for algorithm, digest in said.items()):
            raise Problem(400, f"{field} must be such as sha-256=:<base64>:, and both fields the same", _WANT)
        found |= said
    return found


def _by_key(tx: Tx, station: str, key: bytes) -> Scan | None:
    row = tx.conn.execute("SELECT scan FROM upload_key WHERE station = ? AND key = ?", (station, key)).fetchone()
    return tx.get(row[0]) if row is not None else None


def _by_name(tx: Tx, station: str, name: bytes, sha256: str) -> Scan | None:
    where = "sha256 = ? AND station = ? AND hex(name) = ? ORDER BY seq"
    found = tx.find(where, (sha256, station, name.hex().upper()), 1)
    return found[0] if found else None


def forget_keys(tx: Tx, at_ns: int) -> None:
    """Those that are too old to be repeated."""
    tx.conn.execute("DELETE FROM upload_key WHERE at_ns < ?", (at_ns - KEYS_KEPT_NS,))
