"""A tus 1.0.0 server: documents in pieces, which survive a cut line and a crash. https://tus.io/protocols, 1.0.0.

Extensions: those of codecs/tus.py. Beyond the protocol: `sha256` in Upload-Metadata is what the whole document must
have, or it is refused with 460 and never a scan; an offset equal to the length is only told when the document is a scan
(or a complete part), committed; the answer that ends an upload has its digest and the scan's id.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Final

import msgspec
from aiohttp import web

from torhaus.codecs.model import DecodeError
from torhaus.codecs.tus import (
    ALGORITHMS,
    EXTENSIONS,
    VERSION,
    Concat,
    parse_concat,
    parse_metadata,
    parse_number,
    parse_sha256,
)
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.uploads import ledger
from torhaus.daemon.scans.uploads.config import HttpStation
from torhaus.daemon.scans.uploads.ledger import Upload
from torhaus.daemon.scans.uploads.pieces import CONTENT_TYPE, Pieces
from torhaus.daemon.scans.uploads.plain import MAX_NAME_BYTES, NO_NAME, proof
from torhaus.daemon.scans.uploads.problem import Problem
from torhaus.daemon.scans.uploads.sites import Sites

Answer = Callable[[web.Request, HttpStation], Awaitable[web.Response]]
METHODS: Final = ("POST", "HEAD", "PATCH", "DELETE", "OPTIONS")
_RESUMABLE: Final = {"Tus-Resumable": VERSION}
_NO_STORE: Final = {"Cache-Control": "no-store"}


class Tus:
    """Answers for stations that were let in."""

    def __init__(self, pieces: Pieces, sites: Sites) -> None:
        self._pieces = pieces
        self._sites = sites
        self._taking = pieces.taking

    async def answer(self, request: web.Request, station: HttpStation) -> web.Response:
        """Any request below /tus/{station}/. Raises Problem."""
        method = request.headers.get("X-HTTP-Method-Override", request.method) if request.method == "POST" else ""
        method = (method or request.method).upper()
        if method == "OPTIONS":
            return self._options(station)
        if request.headers.get("Tus-Resumable") != VERSION:
            raise Problem(412, f"Tus-Resumable: {VERSION} is wanted", {"Tus-Version": VERSION, **_RESUMABLE})
        upload_id = request.match_info.get("upload", "")
        answers: dict[str, Answer] = {"POST": self._create} if not upload_id else {
            "HEAD": self._head, "PATCH": self._patch, "DELETE": self._delete,
        }  # fmt: skip
        if method not in answers:
            raise Problem(405, "not for this address", {"Allow": ", ".join([*answers, "OPTIONS"]), **_RESUMABLE})
        try:
            response = await answers[method](request, station)
        except Problem as problem:
            raise Problem(problem.status, problem.detail, {**problem.headers, **_RESUMABLE}) from problem
        except DecodeError as error:
            raise Problem(400, error.detail, _RESUMABLE) from error
        except sqlite3.Error as error:
            raise self._taking.trouble(station, error) from error
        response.headers.update(_RESUMABLE)
        return response

    def _options(self, station: HttpStation) -> web.Response:
        headers = {
            "Tus-Version": VERSION, "Tus-Extension": ",".join(EXTENSIONS), "Tus-Max-Size": str(station.max_bytes),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        }  # fmt: skip
        return web.Response(status=204, headers={**headers, **_RESUMABLE})

    async def _create(self, request: web.Request, station: HttpStation) -> web.Response:
        field = request.headers.get("Upload-Concat")
        concat = parse_concat(field) if field is not None else None
        metadata = request.headers.get("Upload-Metadata", "")
        said = parse_metadata(metadata)
        name = said.get("filename") or said.get("name") or NO_NAME
        if len(name) > MAX_NAME_BYTES:
            raise Problem(400, f"Upload-Metadata: filename has at most {MAX_NAME_BYTES} bytes")
        sha256 = parse_sha256(said["sha256"]) if "sha256" in said else None
        self._sites.by_metadata(station, said)  # better now than with the last byte
        kind: ledger.Kind = "whole" if concat is None else "partial" if concat.is_partial else "final"
        length = None if kind == "final" else self._length(request)
        upload = Upload(
            ledger.new_id(), station.name, kind, "open", length, 0, name, metadata, field or "", sha256,
            self._pieces.expires_ns(station),
        )  # fmt: skip
        if concat is not None and not concat.is_partial:
            return await self._concatenate(request, station, upload, concat)
        await self._taking.check_quota(station, length or 0)
        await self._pieces.begin(station, upload)
        if request.content_type == CONTENT_TYPE and request.body_exists:
            try:
                with self._pieces.claimed(upload.id, request):
                    upload = await self._pieces.receive(request, station, upload)
            except Problem as problem:
                where = {"Location": _location(upload), **problem.headers}
                raise Problem(problem.status, problem.detail, where) from problem
        return await self._told(upload, 201, {"Location": _location(upload)})

    def _length(self, request: web.Request) -> int | None:
        length, later = _number(request, "Upload-Length"), request.headers.get("Upload-Defer-Length")
        if (length is None) == (later is None) or later not in {None, "1"}:
            raise Problem(400, "needs Upload-Length, or Upload-Defer-Length: 1")
        if length == 0:
            raise Problem(400, "Upload-Length: an empty document is none")
        return length

    async def _concatenate(
        self, request: web.Request, station: HttpStation, upload: Upload, concat: Concat
    ) -> web.Response:
        if request.headers.get("Upload-Length") is not None or request.body_exists:
            raise Problem(400, "a concatenation has neither Upload-Length nor a body")
        assert concat.parts is not None
        upload = await self._pieces.concatenate(station, upload, [_id(url, station) for url in concat.parts])
        return await self._told(upload, 201, {"Location": _location(upload)})

    async def _head(self, request: web.Request, station: HttpStation) -> web.Response:
        async with self._pieces.hold(station, request, take_over=True) as held:
            upload = held
            if upload.kind == "whole" and upload.state == "open" and upload.is_whole:
                upload = await self._pieces.finish(station, upload)
        headers = {"Upload-Metadata": upload.metadata} if upload.metadata else {}
        if upload.concat:
            headers["Upload-Concat"] = upload.concat
        headers |= {"Upload-Length": str(upload.length)} if upload.length is not None else {"Upload-Defer-Length": "1"}
        return await self._told(upload, 200, {**headers, **_NO_STORE})

    async def _patch(self, request: web.Request, station: HttpStation) -> web.Response:
        if request.content_type != CONTENT_TYPE:
            raise Problem(415, f"Content-Type: {CONTENT_TYPE} is wanted")
        offset = _offset(request)
        async with self._pieces.hold(station, request) as held:
            upload = held
            if upload.kind == "final":
                raise Problem(403, "a concatenation takes no more bytes")
            if offset != upload.offset:
                raise Problem(409, f"Upload-Offset is {upload.offset}", {"Upload-Offset": str(upload.offset)})
            length = _number(request, "Upload-Length")
            if length is not None and length != upload.length:
                if upload.length is not None or length < upload.offset:
                    raise Problem(400, "Upload-Length was said before, or is less than what came")
                await self._taking.check_quota(station, length)
                upload = msgspec.structs.replace(upload, length=length)
            if upload.state == "open":
                upload = await self._pieces.receive(request, station, upload)
        return await self._told(upload, 204, {})

    async def _delete(self, request: web.Request, station: HttpStation) -> web.Response:
        async with self._pieces.hold(station, request, take_over=True) as upload:
            await self._pieces.drop([upload.id])
        return web.Response(status=204)

    async def _told(self, upload: Upload, status: int, more: dict[str, str]) -> web.Response:
        headers = {"Upload-Offset": str(upload.offset), "Upload-Expires": http_date(upload.expires_ns), **more}
        if upload.scan is not None:
            seq = upload.scan

            def work(tx: Tx) -> dict[str, str]:
                scan = tx.get(seq)
                return {**proof(scan), **self._sites.receipt(tx, scan)}

            headers |= await self._taking.db.run(work)
        return web.Response(status=status, headers=headers)


def http_date(at_ns: int) -> str:
    """A point in time as HTTP writes it (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`."""
    return formatdate(at_ns / 1e9, usegmt=True)


def _number(request: web.Request, field: str) -> int | None:
    """A count of bytes from a header field. Raises DecodeError."""
    text = request.headers.get(field)
    return parse_number(text) if text is not None else None


def _offset(request: web.Request) -> int:
    """Upload-Offset. Raises DecodeError, Problem."""
    offset = _number(request, "Upload-Offset")
    if offset is None:
        raise Problem(400, "Upload-Offset is missing")
    return offset


def _location(upload: Upload) -> str:
    return f"/tus/{upload.station}/{upload.id}"


def _id(url: str, station: HttpStation) -> str:
    """Of an upload of the same station, by its URL, whole or only its path."""
    head, _, upload_id = url.rpartition("/")
    if not head.endswith(f"/tus/{station.name}"):
        raise Problem(400, "Upload-Concat names an upload that is none of this station's")
    return upload_id
