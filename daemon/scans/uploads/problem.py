"""What an upload is refused with: a status and a sentence, as problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import msgspec
from aiohttp import web

CHECKSUM_MISMATCH: Final = 460
"""tus 1.0.0, extension checksum."""
_OWN_TITLES: Final = {CHECKSUM_MISMATCH: "Checksum Mismatch"}
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Problem(Exception):  # noqa: N818 - what is answered
    """The request is answered with this. `detail` never has a document's name or content."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] = NO_HEADERS) -> None:
        self.status = status
        self.detail = detail
        self.headers = headers
        super().__init__(f"{status}: {detail}")

    def response(self) -> web.Response:
        """As it is sent. The connection is closed: what may still come of the body is not read."""
        title = _OWN_TITLES.get(self.status) or HTTPStatus(self.status).phrase
        body = msgspec.json.encode({"title": title, "status": self.status, "detail": self.detail})
        found = web.Response(
            status=self.status, reason=title, body=body, headers=dict(self.headers),
            content_type="application/problem+json",
        )  # fmt: skip
        found.force_close()
        return found


def retry_later(detail: str, after_s: int = 5) -> Problem:
    """It is not the document's fault, and not for ever."""
    return Problem(503, detail, {"Retry-After": str(after_s)})
