"""Delivery to a tus server (tus 1.0.0, https://tus.io/protocols/resumable-upload): goes on where it was cut off.

Chunks carry Upload-Checksum where the server says that it knows it. Many servers do not compare it, and none says what
it has stored in the end, so that proof is a Repr-Digest of the whole (RFC 9530) or the upload's URL, read back. A
server that gives neither proves nothing: its documents are held after `max_tries`.

The upload's URL is kept before the first byte is sent. If the process dies between the server's answer and that, an
empty upload is left behind there, never a second document.
"""

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from typing import Annotated, Final

import aiohttp
import msgspec

from torhaus.daemon.scans.digests import WANT_SHA256, sha256_of
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.stations import AbsPath
from torhaus.daemon.scans.targets.address import within
from torhaus.daemon.scans.targets.answers import MISSING, refusal
from torhaus.daemon.scans.targets.base import Context, NotNow, Parcel, Proof, Receipt, Refused, TargetDown
from torhaus.daemon.scans.targets.receipts import FIELD, ReceiptKey, is_signed_for
from torhaus.daemon.scans.targets.web import Web, WebConfig, after_s, token

VERSION: Final = {"Tus-Resumable": "1.0.0"}
_GONE: Final = MISSING | {403}
"""What a server says of an upload that it no longer has."""
MAX_SIPS: Final = 20
"""Chunks of one attempt that were not taken whole: with more it could go on like that for ever."""
_CHECKSUM_MISMATCH: Final = 460


class Config(WebConfig, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type", tag="tus"):
    """A tus server. `url` is where uploads are created."""

    token_file: AbsPath | None = None
    receipt_key: ReceiptKey | None = None  # Ed25519: nothing counts but receipts signed with it
    chunk_bytes: Annotated[int, msgspec.Meta(ge=4096, le=1 << 30)] = 8 << 20  # what is sent again at most


class Offer(msgspec.Struct, frozen=True):
    """What a server says of itself."""

    extensions: frozenset[str]
    algorithms: frozenset[str]
    max_bytes: int | None

    @property
    def checksum(self) -> str | None:
        """The best algorithm that both know."""
        if "checksum" not in self.extensions:
            return None
        return next((name for name in ("sha256", "sha1") if name in self.algorithms), None)


def open_target(config: Config, context: Context) -> "Tus":
    """The target; touches nothing until it is used."""
    return Tus(config, context)


class Tus:
    """One server."""

    proves = Proof.VERIFIED

    def __init__(self, config: Config, context: Context) -> None:
        self._config = config
        self._web = Web(config, context, self._credentials)
        self._known: Offer | None = None

    def _credentials(self) -> dict[str, str]:
        bearer = token(self._config.token_file)
        return {} if bearer is None else {"Authorization": f"Bearer {bearer}"}

    async def _offer(self) -> Offer:
        if self._known is None:
            async with self._web.ask("OPTIONS", self._config.url) as reply:
                if not 200 <= reply.status < 300:
                    raise refusal(reply.status, after_s(reply), reading=True, where="OPTIONS")
                if "1.0.0" not in _words(reply, "Tus-Version"):
                    raise TargetDown("there is no tus 1.0.0 at this URL")
                most = reply.headers.get("Tus-Max-Size", "")
                extensions, algorithms = _words(reply, "Tus-Extension"), _words(reply, "Tus-Checksum-Algorithm")
                self._known = Offer(extensions, algorithms, int(most) if _is_number(most) else None)
        return self._known

    async def send(self, parcel: Parcel) -> Receipt:
        """Go on with this document's upload, or begin one, to its end."""
        offer = await self._offer()
        if offer.max_bytes is not None and parcel.size_bytes > offer.max_bytes:
            raise Refused(f"larger than the server takes: {offer.max_bytes} bytes")
        url = self._begun(parcel)
        offset = None if url is None else await self._offset(url, parcel)
        if url is None or offset is None:
            url, offset = await self._create(parcel), 0
            await parcel.progress.save(url)
        sips = 0
        while offset < parcel.size_bytes:
            before, offset = offset, await self._patch(url, offset, parcel, offer)
            sips += offset < min(before + self._config.chunk_bytes, parcel.size_bytes)
            if sips > MAX_SIPS:
                raise NotNow("the server takes less than it is sent, again and again")
        return Receipt(None, f"{offset} bytes")

    async def _create(self, parcel: Parcel) -> str:
        metadata = {
            "filename": parcel.name,
            "filetype": parcel.media_type,
            "sha256": parcel.sha256,
            "torhaus-id": parcel.id,
            "torhaus-station": parcel.station,
            "torhaus-evidence-head": parcel.evidence_head,
        }
        pairs = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in metadata.items())
        headers = VERSION | {"Upload-Length": str(parcel.size_bytes), "Upload-Metadata": pairs}
        async with self._web.ask("POST", self._config.url, headers) as reply:
            if reply.status != 201:
                raise refusal(reply.status, after_s(reply), where="creating an upload")
            url = within(self._config.url, reply.headers.get("Location", ""))
        if url is None or url.rstrip("/") == self._config.url.rstrip("/"):
            raise TargetDown("the upload that it made has no URL there: a proxy that changes Location?")
        return url

    def _begun(self, parcel: Parcel) -> str | None:
        """The upload that was begun, if it is one of this server: a target may have become another under its name."""
        kept = parcel.progress.text
        return kept if kept is not None and within(self._config.url, kept) == kept else None

    async def _offset(self, url: str, parcel: Parcel) -> int | None:
        """How much of it the server has; None when it has forgotten the upload, or means another."""
        async with self._web.ask("HEAD", url, VERSION) as reply:
            if reply.status in _GONE:
                return None
            if not 200 <= reply.status < 300:
                raise refusal(reply.status, after_s(reply), reading=True, where="asking for the offset")
            is_ours = reply.headers.get("Upload-Length") == str(parcel.size_bytes)
            return _offset_of(reply.headers, parcel) if is_ours else None

    async def _patch(self, url: str, offset: int, parcel: Parcel, offer: Offer) -> int:
        """Send the next chunk. Where it ends then."""
        size = min(self._config.chunk_bytes, parcel.size_bytes - offset)
        headers = VERSION | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        if offer.checksum is not None:
            digest = await asyncio.to_thread(_digest, parcel, offset, size, offer.checksum)
            headers["Upload-Checksum"] = f"{offer.checksum} {digest}"
        body = self._web.file(parcel.path, size, offset)
        async with self._web.ask("PATCH", url, headers, body, size) as reply:
            if reply.status == _CHECKSUM_MISMATCH:
                raise NotNow("altered on the way", Reason.MISMATCH)
            if reply.status in _GONE:
                raise NotNow("the upload is gone", Reason.LOST)
            if not 200 <= reply.status < 300:
                raise refusal(reply.status, after_s(reply), where="sending")
            now = _offset_of(reply.headers, parcel)
        if now <= offset:
            raise NotNow("the server took nothing")
        return now

    async def stored(self, parcel: Parcel) -> str | None:
        """Ask for the digest of the whole; unless that is ours, read the upload's URL back."""
        url = self._begun(parcel)
        if url is None:
            return None
        if self._config.receipt_key is not None or self._config.read_back != "always":
            async with self._web.ask("HEAD", url, VERSION | {"Want-Repr-Digest": WANT_SHA256}) as reply:
                if reply.status in _GONE:
                    return None
                if self._is_proved(parcel, reply):
                    return parcel.sha256
                if self._config.receipt_key is not None:
                    raise TargetDown("no receipt, or none that is signed with receipt_key")
        return await self._web.digest(url, parcel.size_bytes, VERSION)

    def _is_proved(self, parcel: Parcel, reply: aiohttp.ClientResponse) -> bool:
        key = self._config.receipt_key
        if key is not None:
            return is_signed_for(reply.headers.get(FIELD, ""), key, parcel.id, parcel.sha256)
        return sha256_of(reply.headers.getall("Repr-Digest", [])) == parcel.sha256

    async def probe(self) -> str:
        """OPTIONS: what the server can."""
        self._known = None
        offer = await self._offer()
        return f"tus 1.0.0, checksums of chunks: {offer.checksum or 'none'}"

    async def close(self) -> None:
        """Let go of connections, and of what the server said of itself."""
        self._known = None
        await self._web.close()


def _words(reply: aiohttp.ClientResponse, field: str) -> frozenset[str]:
    return frozenset(word.strip() for word in ",".join(reply.headers.getall(field, [])).split(","))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _offset_of(headers: Mapping[str, str], parcel: Parcel) -> int:
    text = headers.get("Upload-Offset", "")
    if not _is_number(text) or int(text) > parcel.size_bytes:
        raise TargetDown("an answer has no offset that could be: is this a tus server?")
    return int(text)


def _digest(parcel: Parcel, offset: int, size: int, algorithm: str) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with parcel.path.open("rb") as file:
        file.seek(offset)
        while size and (piece := file.read(min(size, 1 << 20))):
            digest.update(piece)
            size -= len(piece)
    return base64.b64encode(digest.digest()).decode()
