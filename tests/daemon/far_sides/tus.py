"""A strict tus 1.0 server, with or without checksums, that gives uploads back."""

import base64
import hashlib
from typing import Any

from aiohttp import web

from tests.daemon.far_sides.manners import FarSide
from torhaus.daemon.scans.digests import digest_field
from torhaus.daemon.scans.targets.tus import Config


class TusServer(FarSide):
    def __init__(self, algorithms: str = "sha1,sha256", **more: Any) -> None:
        super().__init__(**more)
        self.algorithms = algorithms
        self.uploads: dict[str, bytearray] = {}
        self.lengths: dict[str, int] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self.proves = False
        self.gives_back = True
        self.patches = 0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.options("/files/", self._options),
            web.post("/files/", self._create),
            web.head("/files/{id}", self._head),
            web.patch("/files/{id}", self._patch),
            web.get("/files/{id}", self._get, allow_head=False),
        ]

    def hands_over(self, request: web.Request) -> bool:
        return request.method == "PATCH"

    def config(self, _root: Any, **more: Any) -> Config:
        return Config("tus", f"{self.url}/files/", chunk_bytes=more.pop("chunk_bytes", 4096), **more)

    def keep_only(self, good: set[bytes]) -> None:
        """A damaged upload is left behind; it is none of ours any more."""

    def documents(self) -> list[bytes]:
        """Uploads that are whole; of one document only the last one counts, as its receiver would take it."""
        whole = {
            self.metadata[name]["torhaus-id"]: bytes(data)
            for name, data in self.uploads.items()
            if len(data) == self.lengths[name]
        }
        return list(whole.values())

    def _check(self, request: web.Request) -> None:
        if request.headers.get("Tus-Resumable") != "1.0.0":
            self.fault("Tus-Resumable")
            raise web.HTTPPreconditionFailed

    async def _options(self, _: web.Request) -> web.Response:
        headers = {"Tus-Version": "1.0.0,0.2.2", "Tus-Extension": "creation,termination", "Tus-Max-Size": "1000000"}
        if self.algorithms:
            headers["Tus-Extension"] += ",checksum"
            headers["Tus-Checksum-Algorithm"] = self.algorithms
        return web.Response(status=204, headers=headers)

    async def _create(self, request: web.Request) -> web.Response:
        self._check(request)
        name = str(len(self.lengths))
        pairs = (pair.split(" ") for pair in request.headers["Upload-Metadata"].split(","))
        self.metadata[name] = {key: base64.b64decode(value).decode() for key, value in pairs}
        self.lengths[name] = int(request.headers["Upload-Length"])
        self.uploads[name] = bytearray()
        return web.Response(status=201, headers={"Location": f"/files/{name}"})

    async def _head(self, request: web.Request) -> web.Response:
        self._check(request)
        name = request.match_info["id"]
        if name not in self.uploads:
            return web.Response(status=404)
        headers = {"Upload-Offset": str(len(self.uploads[name])), "Upload-Length": str(self.lengths[name])}
        if self.proves and request.headers.get("Want-Repr-Digest"):
            headers["Repr-Digest"] = digest_field(hashlib.sha256(self.uploads[name]).hexdigest())
        return web.Response(headers=headers)

    async def _patch(self, request: web.Request) -> web.Response:
        self._check(request)
        name, body = request.match_info["id"], await request.read()
        self.patches += 1
        if request.content_type != "application/offset+octet-stream":
            self.fault("content type")
            return web.Response(status=415)
        if name not in self.uploads:
            return web.Response(status=404)
        if int(request.headers["Upload-Offset"]) != len(self.uploads[name]):
            return web.Response(status=409)
        algorithm, _, digest = request.headers.get("Upload-Checksum", "").partition(" ")
        if bool(algorithm) != bool(self.algorithms) or (algorithm and algorithm not in self.algorithms.split(",")):
            self.fault("Upload-Checksum")
        if algorithm and base64.b64decode(digest) != hashlib.new(algorithm, body, usedforsecurity=False).digest():
            return web.Response(status=460)
        kept = self.harmed(request, body)
        if kept is None:
            del self.uploads[name]
            return web.Response(
                status=204, headers={"Upload-Offset": str(int(request.headers["Upload-Offset"]) + len(body))}
            )
        self.uploads[name] += kept
        return web.Response(status=204, headers={"Upload-Offset": str(len(self.uploads[name]))})

    async def _get(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if name not in self.uploads:
            return web.Response(status=404)
        return web.Response(body=bytes(self.uploads[name])) if self.gives_back else web.Response(status=405)
