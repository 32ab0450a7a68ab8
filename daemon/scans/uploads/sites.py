"""Documents from other torhaus boxes, the central side of their targets: `PUT /sites/{station}/{scan id there}`.

Verified are the SHA-256 that the box says, against the bytes, and the head of its journal, against all heads that came
before (heads.py). The answer is given when the document is flushed to disk and committed; it has a receipt signed with
the key of our own journal (targets/receipts.py). Nothing is ever replaced. The same by tus, with the fields of the box
in Upload-Metadata.
"""

import asyncio
import io
from collections.abc import Mapping
from email.errors import MessageError
from email.message import Message
from typing import Final

from aiohttp import web

from torhaus.codecs.model import DecodeError
from torhaus.daemon.evidence.desk import EvidenceDesk
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.disk import CHUNK_BYTES
from torhaus.daemon.scans.events import SiteJournalBroken
from torhaus.daemon.scans.sealed import Unreadable
from torhaus.daemon.scans.targets.receipts import FIELD, receipt
from torhaus.daemon.scans.threads import to_end
from torhaus.daemon.scans.uploads.config import HttpStation, SiteStation
from torhaus.daemon.scans.uploads.heads import (
    Broken,
    Origin,
    enter_head,
    enter_origin,
    id_there,
    parse_origin,
    scan_from,
)
from torhaus.daemon.scans.uploads.plain import MAX_NAME_BYTES, NO_NAME, Plain, proof, stored
from torhaus.daemon.scans.uploads.problem import Problem, retry_later
from torhaus.daemon.scans.uploads.taking import Taking

ID: Final = "/sites/{station}/{site}/{store}/{number}"


class Coming:
    """One document on its way in: what has to be known and entered in the transaction that takes it."""

    def __init__(self, origin: Origin, station: SiteStation, at_ns: int) -> None:
        self.origin = origin
        self._station = station
        self._at_ns = at_ns
        self.broken: Broken | None = None

    def known(self, tx: Tx) -> Scan | None:
        """What came under this id before. Its head counts all the same."""
        scan = scan_from(tx, self._station.name, self.origin.id)
        if scan is not None:
            self.broken = enter_head(tx, self._station.name, self.origin, self._at_ns) or self.broken
        return scan

    def enter(self, tx: Tx, scan: Scan) -> None:
        """It is new."""
        enter_origin(tx, scan, self.origin, self._at_ns)
        self.broken = enter_head(tx, self._station.name, self.origin, self._at_ns) or self.broken


class Sites:
    """Answers for sites that were let in."""

    def __init__(self, plain: Plain, taking: Taking, evidence: EvidenceDesk) -> None:
        self._plain = plain
        self._taking = taking
        self._evidence = evidence

    def coming(self, station: SiteStation, id_: str, there: str, head: str) -> Coming:
        """A document with what its box says of it. Raises Problem (400)."""
        try:
            origin = parse_origin(id_, there, head, station.sender)
        except DecodeError as error:
            raise Problem(400, error.detail) from error
        return Coming(origin, station, self._taking.clock.wall_ns())

    def by_metadata(self, station: HttpStation, said: Mapping[str, bytes]) -> Coming | None:
        """The same by tus; None for a station that is no site. Raises Problem (400)."""
        if not isinstance(station, SiteStation):
            return None
        fields = ("torhaus-id", "torhaus-station", "torhaus-evidence-head")
        if "sha256" not in said:
            raise Problem(400, "Upload-Metadata needs sha256")
        return self.coming(station, *(said.get(field, b"").decode("ascii", "replace") for field in fields))

    def tell(self, station: HttpStation, coming: Coming) -> None:
        """Report what is wrong with its journal, once it is committed."""
        if coming.broken is not None:
            self._taking.report(SiteJournalBroken(station.name, coming.broken, coming.origin.head.seq))

    def receipt(self, tx: Tx, scan: Scan) -> dict[str, str]:
        """The header field for a document from another box; none for others."""
        there = id_there(tx, scan)
        return {} if there is None else self._receipt(there, scan)

    def _receipt(self, there: str, scan: Scan) -> dict[str, str]:
        return {FIELD: receipt(there, scan.sha256, self._evidence.signer.sign_text)}

    async def put(self, request: web.Request, station: HttpStation) -> web.Response:
        """A document under its id. 201 when it is new, 200 when it is here already, 412 when other bytes are."""
        fields = request.headers
        coming = self.coming(
            _site(station), _id(request), fields.get("Torhaus-Station", ""), fields.get("Torhaus-Evidence-Head", "")
        )
        name = _name(fields.get("Content-Disposition", ""))
        draft = await self._plain.body(request, station, must_say=True)
        scan, is_new = await self._taking.take(station, name, draft, coming.known, coming.enter)
        self.tell(station, coming)
        if scan.sha256 != draft.sha256:
            self._taking.leave(station, "other_bytes")
            raise Problem(412, "other bytes are here under this id")
        answer = stored(scan, is_new=is_new)
        answer.headers.update(self._receipt(coming.origin.id, scan))
        return answer

    async def here(self, _request: web.Request, station: HttpStation) -> web.Response:
        """204 for the site itself: it may deliver."""
        return web.Response(status=204, headers={"Torhaus-Station": _site(station).name})

    async def get(self, request: web.Request, station: HttpStation) -> web.StreamResponse:
        """What is here under an id: its digest and receipt, and for GET its bytes while they are in the spool."""
        there = _id(request)
        scan = await self._taking.db.run(lambda tx: scan_from(tx, _site(station).name, there))
        if scan is None:
            raise Problem(404, "there is no document with this id")
        headers = {**proof(scan), **self._receipt(there, scan)}
        if request.method == "HEAD":
            return web.Response(headers={**headers, "Content-Length": str(scan.size_bytes)})
        try:
            file = await to_end(self._open, scan.sha256, undo=io.BufferedReader.close)
        except FileNotFoundError:
            raise Problem(410, "it was handed on, and is no longer here", headers) from None
        except (Unreadable, OSError) as error:
            raise retry_later(f"it cannot be read: {type(error).__name__}") from error
        answer = web.StreamResponse(headers={**headers, "Content-Type": "application/octet-stream"})
        answer.content_length = scan.size_bytes
        with file:
            await answer.prepare(request)
            while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
                await answer.write(piece)
        await answer.write_eof()
        return answer

    def _open(self, sha256: str) -> io.BufferedReader:
        return self._taking.spool.content(sha256).open("rb")


def _site(station: HttpStation) -> SiteStation:
    if not isinstance(station, SiteStation):
        raise Problem(404, 'this station is not of type "site"')
    return station


def _id(request: web.Request) -> str:
    return "/".join(request.match_info[part] for part in ("site", "store", "number"))


def _name(field: str) -> bytes:
    """The file name of Content-Disposition (RFC 6266)."""
    message = Message()
    try:
        message["Content-Disposition"] = field
        name = message.get_filename() or ""
        return name.encode("utf-8", "surrogateescape")[:MAX_NAME_BYTES] or NO_NAME
    except (MessageError, ValueError, LookupError, TypeError):  # TypeError: parts of which not all are numbered
        return NO_NAME
