"""What all targets have that are reached by HTTP: address, certificates, time-outs, a session, bodies from files."""

import asyncio
import contextlib
import hashlib
import os
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Final, Literal, TypeVar

import aiohttp
import msgspec
from aiohttp import payload
from aiohttp.abc import AbstractStreamWriter

from torhaus.daemon.scans.disk import CHUNK_BYTES
from torhaus.daemon.scans.sealed import Content
from torhaus.daemon.scans.stations import AbsPath, Seconds
from torhaus.daemon.scans.targets.address import address_fault
from torhaus.daemon.scans.targets.answers import MISSING, refusal, retry_after_s
from torhaus.daemon.scans.targets.base import Context, TargetConfig, TargetDown
from torhaus.daemon.scans.targets.writing import read_piece
from torhaus.daemon.scans.throttle import Throttle
from torhaus.drivers.secret import SecretError, read_secret

T = TypeVar("T")

MAX_SECRET_BYTES: Final = 16_384
"""A bearer token with all its claims is far below this, and servers take no longer header."""
SLOWEST_BYTES_S: Final = 4096
"""A whole attempt may take as long as this rate needs, plus idle_s: a trickle cannot hold the lane for ever."""
MAX_ANSWER_BYTES: Final = 4 << 20
"""No list of found documents or multistatus that we ask for has a tenth of it."""
PIECE_BYTES: Final = 1 << 18


class _Addressed(TargetConfig, frozen=True, forbid_unknown_fields=True):
    url: Annotated[str, msgspec.Meta(max_length=2048)]


class WebConfig(_Addressed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of every target that is reached by HTTP."""

    ca_file: AbsPath | None = None  # instead of the system's certificate authorities
    client_cert_file: AbsPath | None = None  # with client_key_file, for mutual TLS
    client_key_file: AbsPath | None = None
    proxy: Annotated[str, msgspec.Meta(max_length=2048)] | None = None  # "http://proxy.example.org:3128"
    insecure: bool = False  # http:// to another machine: documents and token can be read on the way
    read_back: Literal["when_needed", "always"] = "when_needed"
    connect_s: Seconds = 10.0
    idle_s: Seconds = 60.0  # no byte came for this long: the attempt has failed

    def __post_init__(self) -> None:
        """Raises ValueError that names the key."""
        super().__post_init__()
        certificates = self.ca_file is not None or self.client_cert_file is not None
        fault = address_fault(self.url, insecure=self.insecure, has_certificates=certificates)
        if fault is not None:
            raise ValueError(f"url {fault}")
        if (self.client_cert_file is None) != (self.client_key_file is None):
            raise ValueError("client_cert_file needs client_key_file, and the other way round")
        if self.proxy is not None and address_fault(self.proxy, insecure=True) is not None:
            raise ValueError('proxy must be a URL such as "http://proxy.example.org:3128", without credentials')


class FileBody(payload.Payload):
    """Bytes of a file from `offset` on, as a request's body: read when they are sent, and again for a repeat."""

    def __init__(self, path: Content, size_bytes: int, throttle: Throttle, offset: int = 0) -> None:
        super().__init__(path, content_type="application/octet-stream")
        self._size = size_bytes
        self._offset = offset
        self._throttle = throttle

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002 - the library's
        """Not text."""
        raise TypeError("a file's bytes are sent, not shown")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """All of it."""
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """In pieces, as fast as the throttle lets them go."""
        left = self._size or 0
        if content_length is not None:
            left = min(left, content_length)
        at = self._offset
        while left > 0:
            piece = await asyncio.to_thread(read_piece, self._value, at, min(left, self._throttle.piece(PIECE_BYTES)))
            if not piece:
                raise EOFError("the file is shorter than it was")
            await self._throttle.take(len(piece))
            await writer.write(piece)
            left -= len(piece)
            at += len(piece)


def token(path: str | None, key: str = "token_file") -> str | None:
    """The secret in a file, fit for a header; None without a file. TargetDown names the key and what to do."""
    if path is None:
        return None
    try:
        found = read_secret(path, limit=MAX_SECRET_BYTES).strip()
    except SecretError as error:
        raise TargetDown(f"{key}: {error}") from error
    if not found or not found.isascii() or not found.isprintable():
        raise TargetDown(f"{key}: nothing in it that could be sent")
    return found


def no_headers() -> dict[str, str]:
    """For those who show no credentials."""
    return {}


class Web:
    """One server. Redirects are not followed: with them a token could go anywhere, and a body get lost.

    `credentials` makes the headers that let us in, anew for each request.
    """

    def __init__(
        self, config: WebConfig, context: Context, credentials: Callable[[], Mapping[str, str]] = no_headers
    ) -> None:
        self._config = config
        self._throttle = context.throttle
        self._credentials = credentials
        self._session: aiohttp.ClientSession | None = None

    def file(self, path: Content, size_bytes: int, offset: int = 0) -> FileBody:
        """A body from a file."""
        return FileBody(path, size_bytes, self._throttle, offset)

    @contextlib.asynccontextmanager
    async def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        size_bytes: int = 0,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A request; `size_bytes` is what goes or comes at most. TargetDown for all that goes wrong on the way."""
        if self._session is None:
            self._session = self._open()
        allowed_s = size_bytes / SLOWEST_BYTES_S + self._throttle.seconds(size_bytes) * self._config.concurrency
        timeout = aiohttp.ClientTimeout(
            total=self._config.connect_s + self._config.idle_s + allowed_s,
            sock_connect=self._config.connect_s,
            sock_read=self._config.idle_s,
        )
        sent = {"Accept-Encoding": "identity", **(headers or {}), **self._credentials()}
        try:
            async with self._session.request(
                method, url, data=body, headers=sent, timeout=timeout, allow_redirects=False, proxy=self._config.proxy
            ) as reply:
                yield reply
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TargetDown(unreached(error)) from error

    async def digest(
        self, url: str, size_bytes: int, headers: Mapping[str, str] | None = None, *, algorithm: str = "sha256"
    ) -> str | None:
        """Hash (hex) of what a GET gives; None when there is nothing. More than `size_bytes` is not read to its end."""
        async with self.ask("GET", url, {"Cache-Control": "no-cache", **(headers or {})}, None, size_bytes) as reply:
            if reply.status in MISSING:
                return None
            if reply.status != 200:
                raise refusal(reply.status, after_s(reply), reading=True, where="reading back")
            digest, size = hashlib.new(algorithm, usedforsecurity=False), 0
            async for chunk in reply.content.iter_chunked(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                if size > size_bytes:  # other content; how much more of it does not matter
                    break
            return digest.hexdigest()

    async def close(self) -> None:
        """Let go of connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Certificates are read anew for each session: they can be renewed under us."""
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
            connector=aiohttp.TCPConnector(ssl=context, limit=2 * self._config.concurrency),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )


def unreached(error: Exception) -> str:
    """What kept a request from being answered, in words: no address and no name is in them."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            why = getattr(error.certificate_error, "verify_message", "") or type(error.certificate_error).__name__
            return f"its certificate is not trusted ({why}): is its authority in ca_file?"
        case aiohttp.ClientSSLError():
            return f"no TLS with it: {getattr(error.os_error, 'reason', None) or type(error).__name__}"
        case aiohttp.ClientConnectorDNSError():
            return "no such host: is its name right, and does the name server answer?"
        case aiohttp.ClientConnectorError(os_error=OSError(errno=int(number))):
            return f"no connection: {os.strerror(number)}"
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            return "it cut the connection"
    return type(error).__name__


def after_s(reply: aiohttp.ClientResponse) -> float:
    """The pause that a reply asks for."""
    return retry_after_s(reply.headers.get("Retry-After", ""), reply.headers.get("Date", ""))


async def text_of(reply: aiohttp.ClientResponse) -> bytes:
    """A reply's body, if it is not absurdly long."""
    data = bytearray()
    async for chunk in reply.content.iter_chunked(1 << 16):
        data += chunk
        if len(data) > MAX_ANSWER_BYTES:
            raise TargetDown("an answer is too long to be one")
    return bytes(data)


async def json_of(reply: aiohttp.ClientResponse, kind: type[T]) -> T:
    """A reply's JSON. What is none, or another one than agreed, is no answer of this server: TargetDown."""
    try:
        return msgspec.json.decode(await text_of(reply), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TargetDown("an answer is not the JSON it should be: is this the right URL?") from error
