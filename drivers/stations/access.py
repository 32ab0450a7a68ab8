"""Which gateway may connect: by its certificate, by its token, or by its name alone where that is allowed.

Whoever is not let in is told why, and so is the technician: a refusal without a reason is the commonest complaint about
such gateways.
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from torhaus.codecs.framing.basics_station.id6 import parse_router
from torhaus.codecs.model import DecodeError
from torhaus.drivers.basics_station import Config, Gateway

MAX_TOKEN_BYTES: Final = 8192
_HEADER: Final = "authorization:"
_BEARER: Final = "bearer"

Certificate = Mapping[str, Any]
"""As ssl.SSLSocket.getpeercert gives it."""


class Access:
    """What the configuration says of who may connect."""

    def __init__(self, config: Config) -> None:
        self._gateways = {g.eui.lower(): g for g in config.gateway}
        self._trusts_certificates = bool(config.client_ca_file)
        self.is_listed = bool(config.gateway) or self._trusts_certificates
        """Whether names mean anything: there is a list, or an authority that vouches for them."""

    def refusal(self, eui: str, certificate: Certificate | None, authorization: str | None) -> str | None:
        """Why this gateway may not connect; None when it may. Reads its token: not for the event loop."""
        gateway = self._gateways.get(eui)
        if self._gateways and gateway is None:
            return "this gateway is not listed in the driver's [[driver.gateway]]"
        has_token = gateway is not None and gateway.has_token
        if not self._trusts_certificates and not has_token:
            return None  # by its name alone: the configuration allows that only where it is harmless
        if self._trusts_certificates and certificate:
            names = names_of(certificate)
            if eui in (_eui(name) for name in names):
                return None
            if not has_token or authorization is None:
                shown = ", ".join(names)[:100] or "nobody"
                return f"its certificate is for {shown}; the common name or an alternative name must be its EUI, {eui}"
        if gateway is None or not has_token:
            return "it shows no certificate"
        if authorization is None:
            return "it shows no token (a line Authorization: Bearer TOKEN in its tc.key)"
        return _token_refusal(gateway, authorization)


def _token_refusal(gateway: Gateway, authorization: str) -> str | None:
    wanted = gateway.token_sha256
    if wanted is None:
        try:
            with Path(gateway.token_file).open("rb") as file:
                token = strip(file.read(MAX_TOKEN_BYTES).decode())
        except (OSError, UnicodeDecodeError) as e:
            return f"the file with its token cannot be read: {getattr(e, 'strerror', None) or 'not UTF-8 text'}"
        if not token:
            return "the file with its token is empty"
        wanted = sha256(token.encode()).hexdigest()
    shown = sha256(strip(authorization).encode(errors="surrogateescape")).hexdigest()
    return None if hmac.compare_digest(shown, wanted.lower()) else "its token is wrong"


def strip(text: str) -> str:
    """The bare token of what a station's tc.key has, or sends: with or without the header's name and "Bearer"."""
    text = text.strip()
    if text[: len(_HEADER)].lower() == _HEADER:
        text = text[len(_HEADER) :].strip()
    scheme, _, token = text.partition(" ")
    return token.strip() if scheme.lower() == _BEARER else text


def names_of(certificate: Certificate) -> list[str]:
    """Common names and alternative names."""
    names = [str(v) for rdn in certificate.get("subject", ()) for k, v in rdn if k == "commonName"]
    return names + [str(v) for k, v in certificate.get("subjectAltName", ()) if k in {"DNS", "URI"}]


def _eui(name: str) -> str | None:
    try:
        return parse_router(name)
    except DecodeError:
        return None
