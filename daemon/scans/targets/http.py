"""Delivery by HTTP: `PUT {url}/{scan id}`, proved by RFC 9530 digests, a signed receipt, or by reading back.

A 2xx only says "transferred". Proof is a Repr-Digest of our SHA-256 in the reply to the PUT (asked for by
Want-Repr-Digest) or to a HEAD, or the bytes of a GET, hashed here. A digest in the PUT's reply that is not ours proves
nothing either way: it may belong to the reply's own body (RFC 9530 §3, appendix A), so HEAD or GET decide.

With `receipt_key` nothing counts but a receipt that the server has signed for this document (receipts.py).

Repeats are harmless: the URL is the scan's id, so the same document replaces itself.
"""

from typing import Final
from urllib.parse import quote

import aiohttp

from torhaus.daemon.scans.digests import WANT_SHA256, digest_field, sha256_of
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.stations import AbsPath
from torhaus.daemon.scans.targets.answers import MISSING, Answer, answer_to, refusal
from torhaus.daemon.scans.targets.base import Context, Parcel, Proof, Receipt, Refused, TargetDown
from torhaus.daemon.scans.targets.receipts import FIELD, ReceiptKey, is_signed_for
from torhaus.daemon.scans.targets.web import Web, WebConfig, after_s, token

OK: Final = 200


class Config(WebConfig, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type", tag="http"):
    """A server that takes `PUT {url}/{scan id}` and can prove what it stored (RFC 9530)."""

    token_file: AbsPath | None = None
    if_none_match: bool = False  # ask the server never to replace what is there
    receipt_key: ReceiptKey | None = None  # Ed25519, of signed receipts


def open_target(config: Config, context: Context) -> "Http":
    """The target; touches nothing until it is used."""
    return Http(config, context)


ABSENT: Final = MISSING | {405}
NO_DOCUMENT: Final = "torhaus/00000000/0"
"""An id as documents have them, and no document has."""


class Http:
    """One HTTP server."""

    proves = Proof.VERIFIED

    def __init__(self, config: Config, context: Context) -> None:
        self._config = config
        self._web = Web(config, context, self._credentials)

    def _credentials(self) -> dict[str, str]:
        bearer = token(self._config.token_file)
        return {} if bearer is None else {"Authorization": f"Bearer {bearer}"}

    def _url(self, parcel: Parcel) -> str:
        return f"{self._config.url.rstrip('/')}/{parcel.id}"

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
        body = self._web.file(parcel.path, parcel.size_bytes)
        async with self._web.ask("PUT", self._url(parcel), headers, body, parcel.size_bytes) as reply:
            status, pause, proved = reply.status, after_s(reply), self._is_proved(parcel, reply)
        if 200 <= status < 300:
            return Receipt(parcel.sha256 if proved and self._config.read_back != "always" else None, str(status))
        if answer_to(status) is Answer.EXISTS:
            if await self.stored(parcel) == parcel.sha256:  # an earlier attempt whose answer got lost
                return Receipt(None if self._config.read_back == "always" else parcel.sha256, str(status))
            raise Refused("other content under this id", Reason.CONFLICT)
        raise refusal(status, pause)

    def _is_proved(self, parcel: Parcel, reply: aiohttp.ClientResponse) -> bool:
        """Whether a reply's fields show that our bytes are there."""
        if self._config.receipt_key is not None:
            return is_signed_for(reply.headers.get(FIELD, ""), self._config.receipt_key, parcel.id, parcel.sha256)
        return sha256_of(reply.headers.getall("Repr-Digest", [])) == parcel.sha256

    async def stored(self, parcel: Parcel) -> str | None:
        """Ask by HEAD for the digest of what is stored; unless that is ours, GET it and hash."""
        signed = self._config.receipt_key is not None
        if signed or self._config.read_back != "always":
            async with self._web.ask("HEAD", self._url(parcel), {"Want-Repr-Digest": WANT_SHA256}) as reply:
                if reply.status in MISSING:
                    return None
                proved = reply.status == OK and self._is_proved(parcel, reply)
                if proved and self._config.read_back != "always":
                    return parcel.sha256
                if signed and not proved:
                    raise TargetDown("no receipt, or none that is signed with receipt_key")
        return await self._web.digest(self._url(parcel), parcel.size_bytes)

    async def probe(self) -> str:
        """Ask for the folder itself and, of a server that knows no folders, for a document that is not there."""
        async with self._web.ask("HEAD", self._config.url) as reply:
            status, is_torhaus = reply.status, "Torhaus-Station" in reply.headers
        if status in ABSENT:
            async with self._web.ask("HEAD", f"{self._config.url.rstrip('/')}/{NO_DOCUMENT}") as reply:
                status = reply.status
        if status not in ABSENT and status >= 400:
            raise refusal(status, reading=True)
        if is_torhaus:
            return "a torhaus that takes our documents"
        return "answers, and has nothing under our ids; no torhaus" if status in ABSENT else f"answers ({status})"

    async def close(self) -> None:
        """Let go of connections."""
        await self._web.close()
