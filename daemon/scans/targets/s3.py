"""Delivery to S3 and what speaks like it (MinIO, Ceph, Garage): one PutObject a document.

The body's SHA-256 is signed and sent as x-amz-checksum-sha256, so that a server that keeps the rules refuses altered
bytes. Some do not, so nothing of a PUT's answer counts: HeadObject says which SHA-256 is stored, and where it says none
(or only one of parts) the object is read back. Source: AWS S3 API Reference 2006-03-01, PutObject, HeadObject,
"Checking object integrity", "Conditional requests".

The key is `<prefix><scan id><extension>` and If-None-Match keeps what is there: a repeat finds its own object.
"""

import base64
import binascii
import re
import time
from typing import Annotated, Final, Literal
from urllib.parse import quote

import aiohttp
import msgspec

from torhaus.daemon.scans.names import extension_of
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.stations import AbsPath
from torhaus.daemon.scans.targets.answers import MISSING, Answer, answer_to, refusal
from torhaus.daemon.scans.targets.base import Context, NotNow, Parcel, Proof, Receipt, Refused, TargetDown
from torhaus.daemon.scans.targets.sigv4 import EMPTY_SHA256, Signer
from torhaus.daemon.scans.targets.web import Web, WebConfig, after_s, text_of, token

MAX_BYTES: Final = 5 << 30
"""The most that one PutObject takes."""
_CODE: Final = re.compile(rb"<Code>([A-Za-z]{1,64})</Code>")
_DAY_S: Final = 86_400


class Config(WebConfig, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type", tag="s3"):
    """A bucket. `url` is the endpoint, without the bucket."""

    bucket: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")]
    access_key: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,128}\Z")]
    secret_key_file: AbsPath
    region: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,64}\Z")] = "us-east-1"
    prefix: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9._-]+/)*\Z", max_length=512)] = ""  # "scans/"
    if_none_match: bool = True  # false only for servers that do not know it: their answer is 501
    retention: Literal["governance", "compliance"] | None = None  # object lock; the bucket must have it
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None

    def __post_init__(self) -> None:
        """Raises ValueError that names the key."""
        super().__post_init__()
        if (self.retention is None) != (self.retention_days is None):
            raise ValueError("retention needs retention_days, and the other way round")


def open_target(config: Config, context: Context) -> "S3":
    """The target; touches nothing until it is used."""
    return S3(config, context)


class S3:
    """One bucket."""

    proves = Proof.VERIFIED

    def __init__(self, config: Config, context: Context) -> None:
        self._config = config
        self._clock = context.clock
        self._web = Web(config, context)
        self._base = f"{config.url.rstrip('/')}/{config.bucket}"

    def _url(self, parcel: Parcel) -> str:
        return f"{self._base}/{self._config.prefix}{parcel.id}{extension_of(parcel.media_type)}"

    def _sign(self, method: str, url: str, headers: dict[str, str], body_sha256: str = EMPTY_SHA256) -> dict[str, str]:
        secret = token(self._config.secret_key_file, "secret_key_file") or ""
        signer = Signer(self._config.access_key, secret, self._config.region)
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock.wall_ns() // 1_000_000_000))
        return signer.sign(method, url, headers, at, body_sha256)

    async def send(self, parcel: Parcel) -> Receipt:
        """PUT the object, or find that it is there already. Never has a hash: `stored` asks for it."""
        if parcel.size_bytes > MAX_BYTES:
            raise Refused("larger than 5 GiB: more than one PutObject takes")
        url, headers = self._url(parcel), self._headers(parcel)
        body = self._web.file(parcel.path, parcel.size_bytes)
        signed = self._sign("PUT", url, headers, parcel.sha256)
        async with self._web.ask("PUT", url, signed, body, parcel.size_bytes) as reply:
            if 200 <= reply.status < 300:
                return Receipt(None, str(reply.status))
            if answer_to(reply.status) is not Answer.EXISTS:
                raise await _refusal(reply)
        if await self.stored(parcel) == parcel.sha256:  # an earlier attempt whose answer got lost
            return Receipt(None, "was there")
        raise Refused("other content under this key", Reason.CONFLICT)

    def _headers(self, parcel: Parcel) -> dict[str, str]:
        config = self._config
        headers = {
            "content-type": parcel.media_type,
            "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(parcel.sha256)).decode(),
            "x-amz-meta-torhaus-id": parcel.id,
            "x-amz-meta-torhaus-name": quote(parcel.name, safe=""),
            "x-amz-meta-torhaus-station": parcel.station,
            "x-amz-meta-torhaus-evidence-head": parcel.evidence_head,
        }
        if config.if_none_match:
            headers["if-none-match"] = "*"
        if config.retention is not None and config.retention_days is not None:
            until_s = self._clock.wall_ns() // 1_000_000_000 + config.retention_days * _DAY_S
            headers["x-amz-object-lock-mode"] = config.retention.upper()
            headers["x-amz-object-lock-retain-until-date"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until_s))
        return headers

    async def stored(self, parcel: Parcel) -> str | None:
        """SHA-256 as HeadObject has it, or of the bytes that GetObject gives."""
        url = self._url(parcel)
        if self._config.read_back != "always":
            signed = self._sign("HEAD", url, {"x-amz-checksum-mode": "ENABLED"})
            async with self._web.ask("HEAD", url, signed) as reply:
                if reply.status in MISSING:
                    return None
                if reply.status != 200:
                    raise await _refusal(reply, reading=True)
                known = _sha256_of(reply.headers.get("x-amz-checksum-sha256", ""))
            if known is not None:
                return known
        return await self._web.digest(url, parcel.size_bytes, self._sign("GET", url, {"cache-control": "no-cache"}))

    async def probe(self) -> str:
        """HeadBucket: the address, the keys and the clock are right, and the bucket is there."""
        async with self._web.ask("HEAD", self._base, self._sign("HEAD", self._base, {})) as reply:
            if reply.status in MISSING:
                raise TargetDown(f"there is no bucket {self._config.bucket}")
            if reply.status != 200:
                raise await _refusal(reply, reading=True)
        return f"bucket {self._config.bucket} is there"

    async def close(self) -> None:
        """Let go of connections."""
        await self._web.close()


async def _refusal(reply: aiohttp.ClientResponse, *, reading: bool = False) -> Refused | TargetDown | NotNow:
    """With S3's own word for it: AccessDenied, RequestTimeTooSkewed, NoSuchBucket."""
    found = _CODE.search(await text_of(reply))
    word = found[1].decode() if found is not None else ""
    if word in {"XAmzContentSHA256Mismatch", "BadDigest"}:
        return NotNow(f"altered on the way: {word}", Reason.MISMATCH)
    return refusal(reply.status, after_s(reply), reading=reading, where=word)


def _sha256_of(field: str) -> str | None:
    """Hex from base64; None for none, and for a checksum of parts (`…-3`)."""
    try:
        digest = base64.b64decode(field, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == 32 else None
