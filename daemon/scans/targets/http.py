"""Delivery by HTTP: `PUT {url}/{scan id}`, proved by RFC 9530 digests or by reading back.

A 2xx only says "transferred". Proof is a Repr-Digest of our SHA-256 in the reply to the PUT (asked for by
Want-Repr-Digest) or to a HEAD, or the bytes of a GET, hashed here. A digest in the PUT's reply that is not ours proves
nothing either way: it may belong to the reply's own body (RFC 9530 §3, appendix A), so HEAD or GET decide.

Repeats are harmless: the URL is the scan's id, so the same document replaces itself.
"""

import asyncio
import hashlib
import ssl
from enum import Enum
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import aiohttp

from torhaus.daemon.scans.config import HttpTarget
from torhaus.daemon.scans.digests import WANT_SHA256, digest_field, sha256_of
from torhaus.daemon.scans.disk import CHUNK_BYTES
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets.base import NotNow, Parcel, Receipt, Refused, TargetDown
from torhaus.drivers.secret import SecretError, read_secret

MAX_SECRET_BYTES: Final = 16_384
"""A bearer token with all its claims is far below this, and servers take no longer header."""

SLOWEST_BYTES_S: Final = 4096
"""A whole attempt may take as long as this rate needs, plus idle_s: a trickle cannot hold the lane for ever."""


class Answer(Enum):
    """What a status means for us."""

    DOWN = "down"  # the server takes nothing, or nothing from us: all wait
    LATER = "later"  # not this document, not now
    NEVER = "never"  # not this document
    EXISTS = "exists"  # something is there under this id already


ANSWERS: Final = {
    401: Answer.DOWN, 403: Answer.DOWN, 404: Answer.DOWN, 405: Answer.DOWN, 407: Answer.DOWN, 408: Answer.LATER,
    409: Answer.LATER, 412: Answer.EXISTS, 421: Answer.DOWN, 423: Answer.LATER, 424: Answer.LATER, 425: Answer.LATER,
    426: Answer.DOWN, 428: Answer.DOWN, 429: Answer.DOWN, 460: Answer.LATER, 501: Answer.DOWN, 502: Answer.DOWN,
    503: Answer.DOWN, 504: Answer.DOWN, 505: Answer.DOWN, 507: Answer.DOWN, 511: Answer.DOWN,
}  # fmt: skip
"""RFC 9110 §15 and its registry; 460 is what tus servers say for a wrong checksum. What is not listed goes by class."""


def answer_to(status: int) -> Answer:
    """What a status that is not 2xx means: 1xx and 3xx a wrong address, other 4xx never, other 5xx later."""
    by_class = {4: Answer.NEVER, 5: Answer.LATER}
    return ANSWERS.get(status, by_class.get(status // 100, Answer.DOWN))


class Http:
    """One HTTP server."""

    def __init__(self, config: HttpTarget) -> None:
        self._config = config
        self._session: aiohttp.ClientSession | None = None

    async def send(self, parcel: Parcel) -> Receipt:
        """PUT the document. The receipt has a hash only if the reply proves ours, or the read-back is not asked for."""
        headers = {
            "Content-Type": parcel.media_type,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(parcel.name, safe='')}",
            "Repr-Digest": digest_field(parcel.sha256),
            "Content-Digest": digest_field(parcel.sha256),
            "Want-Repr-Digest": WANT_SHA256,
            "Torhaus-Station": parcel.station,
            "Torhaus-Evidence-Head": parcel.evidence_head,
        }
        if self._config.if_none_match:
            headers["If-None-Match"] = "*"
        file = await asyncio.to_thread(parcel.path.open, "rb")
        try:
            async with self._request("PUT", parcel, headers, file) as reply:
                status, digest = reply.status, sha256_of(reply.headers.getall("Repr-Digest", []))
                after_s = _retry_after_s(reply)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TargetDown(type(error).__name__) from error
        finally:
            file.close()
        if 200 <= status < 300:
            proved = digest == parcel.sha256 and self._config.read_back != "always"
            return Receipt(digest if proved else None, str(status))
        if answer_to(status) is Answer.EXISTS:
            if await self.stored(parcel) == parcel.sha256:  # an earlier attempt whose answer got lost
                return Receipt(None if self._config.read_back == "always" else parcel.sha256, str(status))
            raise Refused("other content under this id", Reason.CONFLICT)
        raise _refusal(status, after_s)

    async def stored(self, parcel: Parcel) -> str | None:
        """Ask by HEAD for the digest of what is stored; unless that is ours, GET it and hash."""
        try:
            if self._config.read_back != "always":
                headers = {"Want-Repr-Digest": WANT_SHA256, "Accept-Encoding": "identity"}
                async with self._request("HEAD", parcel, headers) as reply:
                    if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                        return None
                    digest = sha256_of(reply.headers.getall("Repr-Digest", []))
                    if reply.status == HTTPStatus.OK and digest == parcel.sha256:
                        return digest
            return await self._get(parcel)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TargetDown(type(error).__name__) from error

    async def _get(self, parcel: Parcel) -> str | None:
        async with self._request("GET", parcel, {"Accept-Encoding": "identity", "Cache-Control": "no-cache"}) as reply:
            if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                return None
            if reply.status != HTTPStatus.OK:
                raise _refusal(reply.status, _retry_after_s(reply), reading=True)
            digest, size = hashlib.sha256(), 0
            async for chunk in reply.content.iter_chunked(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                if size > parcel.size_bytes:  # other content; how much more of it does not matter
                    break
            return digest.hexdigest()

    def _request(
        self, method: str, parcel: Parcel, headers: dict[str, str], body: object = None
    ) -> "aiohttp.client._RequestContextManager":
        if self._session is None:
            self._session = self._open()
        token = _secret(self._config.token_file)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        timeout = aiohttp.ClientTimeout(
            total=self._config.connect_s + self._config.idle_s + parcel.size_bytes / SLOWEST_BYTES_S,
            sock_connect=self._config.connect_s,
            sock_read=self._config.idle_s,
        )
        url = f"{self._config.url.rstrip('/')}/{parcel.id}"
        return self._session.request(method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False)

    def _open(self) -> aiohttp.ClientSession:
        """Certificates are read anew for each session, the token for each request: both can be renewed under us."""
        context: ssl.SSLContext | bool = True
        if self._config.url.startswith("https:"):
            try:
                context = ssl.create_default_context(cafile=self._config.ca_file)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                if self._config.client_key_file is not None:
                    read_secret(self._config.client_key_file)  # the library takes any file, whoever else can read it
                if self._config.client_cert_file is not None:
                    context.load_cert_chain(self._config.client_cert_file, self._config.client_key_file)
            except SecretError as error:
                raise TargetDown(f"client_key_file: {error}") from error
            except OSError as error:  # ssl.SSLError is one
                raise TargetDown(f"certificate files: {type(error).__name__}") from error
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=2),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _refusal(status: int, after_s: float, reading: bool = False) -> Refused | TargetDown | NotNow:
    """The exception for a status. While reading back, the document itself is not what is refused."""
    match answer_to(status):
        case Answer.NEVER if not reading:
            return Refused(str(status))
        case Answer.DOWN:
            return TargetDown(str(status), after_s)
        case _:
            return NotNow(str(status))


def _retry_after_s(reply: aiohttp.ClientResponse) -> float:
    """Retry-After in seconds (RFC 9110 §10.2.3); dates are left to our own back-off, clocks being what they are."""
    value = reply.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 8 else 0.0


def _secret(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        token = read_secret(path, limit=MAX_SECRET_BYTES).strip()
    except SecretError as error:
        raise TargetDown(f"token_file: {error}") from error
    if not token or not token.isascii() or not token.isprintable():
        raise TargetDown("token_file: no token in it")
    return token
