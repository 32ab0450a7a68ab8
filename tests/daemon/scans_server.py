"""A scan target with bad manners, for the tests of the scan queue."""

import hashlib
from typing import Any, Self

from aiohttp import web

from torhaus.daemon.scans.digests import digest_field, sha256_of
from torhaus.daemon.scans.targets.http import Config


class FakeServer:
    """A strict HTTP target: it verifies what comes, proves what it has, and misbehaves on command.

    `script` holds behaviours for the next PUTs, taken one by one; an empty script means good manners. By scan id,
    `always` overrides it.
    """

    def __init__(self, port: int = 0) -> None:
        self.stored: dict[str, bytes] = {}
        self.script: list[str] = []
        self.always: dict[str, str] = {}
        self.prove_put = True
        self.prove_head = True
        self.puts: list[str] = []
        self.reads: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.faults: list[str] = []
        self.token = ""
        self.receipt = ""
        self._runner: web.AppRunner | None = None
        self.port = port

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_put("/in/{id:.+}", self._put)
        app.router.add_get("/in/{id:.+}", self._get)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def config(self, **more: Any) -> Config:
        return Config("central", f"http://127.0.0.1:{self.port}/in", **more)

    async def _put(self, request: web.Request) -> web.StreamResponse:
        scan_id = request.match_info["id"]
        body = await request.read()
        self.puts.append(scan_id)
        self.headers.append(dict(request.headers))
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        claimed = sha256_of(request.headers.getall("Repr-Digest", []))
        if claimed is None or digest_field(claimed) != _digest(body):
            self.faults.append(scan_id)
            return web.Response(status=400)
        how = self.always.get(scan_id) or (self.script.pop(0) if self.script else "")
        if how.isdigit():
            headers = {"Retry-After": "120"} if how in {"503", "429"} else {}
            return web.Response(status=int(how), headers=headers)
        if how == "drop":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if request.headers.get("If-None-Match") == "*" and scan_id in self.stored:
            return web.Response(status=412)
        self.stored[scan_id] = body
        if how == "flip":
            self.stored[scan_id] = bytes([body[0] ^ 1]) + body[1:]
        if how == "lose":
            del self.stored[scan_id]
        if how == "store_then_drop":
            assert request.transport is not None
            request.transport.close()
        reply = web.json_response({"ok": True}, status=201)
        if self.prove_put and scan_id in self.stored:
            reply.headers["Repr-Digest"] = _digest(self.stored[scan_id])
        if self.receipt:
            reply.headers["Torhaus-Receipt"] = self.receipt
        if how == "foreign_digest":
            reply.headers["Repr-Digest"] = _digest(b'{"ok": true}')
        return reply

    async def _get(self, request: web.Request) -> web.StreamResponse:
        scan_id = request.match_info["id"]
        self.reads.append(request.method)
        if scan_id not in self.stored:
            return web.Response(status=404)
        reply = web.Response(body=self.stored[scan_id])
        if self.prove_head and request.headers.get("Want-Repr-Digest"):
            reply.headers["Repr-Digest"] = _digest(self.stored[scan_id])
        if self.receipt:
            reply.headers["Torhaus-Receipt"] = self.receipt
        return reply


def _digest(body: bytes) -> str:
    return digest_field(hashlib.sha256(body).hexdigest())
