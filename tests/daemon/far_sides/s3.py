"""A strict S3: it checks each signature and checksum, and keeps what is there when it is asked to."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.daemon.far_sides.manners import FarSide
from torhaus.daemon.scans.targets.s3 import Config

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


class S3Server(FarSide):
    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.objects: dict[str, bytes] = {}
        self.headers: dict[str, Mapping[str, str]] = {}
        self.tells_checksums = True
        self.checks_conditions = True

    def routes(self) -> list[web.RouteDef]:
        return [
            web.head("/scans", self._bucket),
            web.put("/scans/{key:.+}", self._put),
            web.get("/scans/{key:.+}", self._get),
        ]

    def config(self, root: Any, **more: Any) -> Config:
        path = root / "s3.secret"
        path.touch(mode=0o600)
        path.write_text(SECRET, encoding="ascii")
        return Config(
            "s3", self.url, bucket="scans", access_key="AKIA", secret_key_file=str(path), region="eu-1", **more
        )

    def keep_only(self, good: set[bytes]) -> None:
        self.objects = {key: data for key, data in self.objects.items() if data in good}

    def documents(self) -> list[bytes]:
        return list(self.objects.values())

    async def _bucket(self, request: web.Request) -> web.Response:
        self._check(request, b"")
        return web.Response()

    async def _put(self, request: web.Request) -> web.Response:
        body, key = await request.read(), request.match_info["key"]
        self._check(request, body)
        if request.headers.get("x-amz-checksum-sha256") != b64_sha256(body):
            self.fault("checksum")
            return self._error(400, "BadDigest")
        if self.checks_conditions and request.headers.get("if-none-match") == "*" and key in self.objects:
            return self._error(412, "PreconditionFailed")
        kept = self.harmed(request, body)
        if kept is not None:
            self.objects[key] = kept
            self.headers[key] = request.headers.copy()
        return web.Response(headers={"ETag": '"x"'})

    async def _get(self, request: web.Request) -> web.Response:
        self._check(request, b"")
        body = self.objects.get(request.match_info["key"])
        if body is None:
            return self._error(404, "NoSuchKey")
        headers = {}
        if self.tells_checksums and request.headers.get("x-amz-checksum-mode") == "ENABLED":
            headers["x-amz-checksum-sha256"] = b64_sha256(body)
        return web.Response(body=body, headers=headers)

    def _error(self, status: int, code: str) -> web.Response:
        return web.Response(status=status, text=f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>")

    def _check(self, request: web.Request, body: bytes) -> None:
        """The signature, worked out anew from what came over the line."""
        said = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=AKIA/((\d{8})/eu-1/s3/aws4_request), SignedHeaders=([a-z0-9;-]+), "
            r"Signature=([0-9a-f]{64})",
            request.headers.get("Authorization", ""),
        )
        if said is None or request.headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            self.fault("signature")
            raise web.HTTPForbidden(text="<Code>SignatureDoesNotMatch</Code>")
        names = said[3].split(";")
        if missing := {n.lower() for n in request.headers if n.lower().startswith("x-amz-")} - set(names):
            self.fault(f"not signed: {missing}")
        lines = [f"{name}:{request.headers[name].strip()}\n" for name in names]
        text = f"{request.method}\n{request.rel_url.raw_path}\n\n{''.join(lines)}\n{said[3]}\n"
        text += request.headers["x-amz-content-sha256"]
        at = request.headers["x-amz-date"]
        key = b"AWS4" + SECRET.encode()
        for part in (said[2], "eu-1", "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        to_sign = f"AWS4-HMAC-SHA256\n{at}\n{said[1]}\n{hashlib.sha256(text.encode()).hexdigest()}"
        if not hmac.compare_digest(hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest(), said[4]):
            self.fault("signature")
            raise web.HTTPForbidden(text="<Code>SignatureDoesNotMatch</Code>")

    def names(self) -> list[str]:
        return [unquote(h["x-amz-meta-torhaus-name"]) for h in self.headers.values()]


def b64_sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
