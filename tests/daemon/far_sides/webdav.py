"""A strict WebDAV folder."""

import hashlib
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import web

from tests.daemon.far_sides.manners import HOW, FarSide
from torhaus.daemon.scans.targets.webdav import Config


class WebdavServer(FarSide):
    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.files: dict[str, bytes] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.put("/dav/{name}", self._put),
            web.get("/dav/{name}", self._get),
            web.route("MOVE", "/dav/{name}", self._move),
            web.route("PROPFIND", "/dav/", self._propfind),
        ]

    def config(self, _root: Any, **more: Any) -> Config:
        return Config("webdav", f"{self.url}/dav", **more)

    def keep_only(self, good: set[bytes]) -> None:
        self.files = {key: data for key, data in self.files.items() if data in good}

    def documents(self) -> list[bytes]:
        return [data for name, data in self.files.items() if not name.startswith(".")]

    async def _put(self, request: web.Request) -> web.Response:
        body, name = await request.read(), request.match_info["name"]
        if not name.startswith(".torhaus-"):
            self.fault(f"written under its final name: {name}")
        if request.headers.get("OC-Checksum") != f"SHA1:{hashlib.sha1(body, usedforsecurity=False).hexdigest()}":
            self.fault("checksum")
            return web.Response(status=400)
        kept = self.harmed(request, body)
        if kept is not None:
            self.files[name] = kept
        return web.Response(status=201)

    async def _get(self, request: web.Request) -> web.Response:
        body = self.files.get(request.match_info["name"])
        return web.Response(status=404) if body is None else web.Response(body=body)

    async def _move(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        to = unquote(urlsplit(request.headers["Destination"]).path).removeprefix("/dav/")
        if request.headers.get("Overwrite") != "F" or "/" in to:
            self.fault(f"MOVE {to}")
        if name not in self.files:
            return web.Response(status=404)
        if to in self.files:
            return web.Response(status=412)
        kept = self.harmed(request, self.files.pop(name))
        if request[HOW] not in {"flip", "truncate"} and kept is not None:  # a rename does not touch bytes
            self.files[to] = kept
        return web.Response(status=201)

    async def _propfind(self, _: web.Request) -> web.Response:
        return web.Response(status=207)
