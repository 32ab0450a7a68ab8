"""AWS Signature Version 4 in an Authorization header, as S3 and all that speaks like it want it. Pure.

Source: AWS, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", S3 API Reference,
version 2006-03-01. S3 itself encodes the path once and not again.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

ALGORITHM: Final = "AWS4-HMAC-SHA256"
EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()


class Signer(msgspec.Struct, frozen=True):
    """Who signs, and for where."""

    access_key: str
    secret_key: str
    region: str
    service: str = "s3"

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Signer({self.access_key!r}, region={self.region!r})"

    def sign(
        self, method: str, url: str, headers: Mapping[str, str], at: str, body_sha256: str = EMPTY_SHA256
    ) -> dict[str, str]:
        """The headers with those that sign them. `at` is UTC: 20130524T000000Z. All given headers are signed."""
        parts = urlsplit(url)
        made = {**headers, "x-amz-date": at, "x-amz-content-sha256": body_sha256}
        signed = {name.lower(): " ".join(value.split()) for name, value in {**made, "host": parts.netloc}.items()}
        names = ";".join(sorted(signed))
        request = "\n".join((
            method, parts.path or "/", _query(parts.query), *(f"{name}:{signed[name]}" for name in sorted(signed)), "",
            names, body_sha256,
        ))  # fmt: skip
        scope = f"{at[:8]}/{self.region}/{self.service}/aws4_request"
        text = "\n".join((ALGORITHM, at, scope, hashlib.sha256(request.encode()).hexdigest()))
        signature = hmac.new(self._key(at[:8]), text.encode(), "sha256").hexdigest()
        made["Authorization"] = (
            f"{ALGORITHM} Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return made

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret_key}".encode()
        for part in (day, self.region, self.service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return key


def _query(query: str) -> str:
    """Sorted, with every name and value encoded in one way."""
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{k}={v}" for k, v in pairs)
