"""`[scan.evidence]`: the journal's key, what transfer notes say of their surroundings, and who stamps roots."""

from importlib.util import find_spec
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from torhaus.daemon.scans.stations import AbsPath


def is_installed() -> bool:
    """Whether the library for stamps (extra `stamps`) is there; `tsa.py` is loaded only where stamps are asked for."""
    return find_spec("rfc3161_client") is not None


class Procedure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What transfer notes say of the surroundings (BSI TR-03138 V1.5, A.NB.4 b): the procedure's own description."""

    organisation: Annotated[str, msgspec.Meta(max_length=200)] = ""
    document: Annotated[str, msgspec.Meta(max_length=200)] = ""
    version: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The evidence journal's key, and what notes say. `key_file`: instead of one that is made at the first start."""

    key_file: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)] | None = None
    procedure: Procedure = Procedure()
    tsa_url: Annotated[str, msgspec.Meta(max_length=2048)] | None = None  # who stamps roots (RFC 3161)
    tsa_ca_file: AbsPath | None = None  # PEM: what the authority's certificate leads to
    stamp_every: Literal["day", "hour"] = "day"  # how often there is a root, which is what is stamped

    def __post_init__(self) -> None:
        """Raises ValueError that begins with the key."""
        if self.tsa_url is None:
            return
        try:
            parts = urlsplit(self.tsa_url)
            good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            good = False
        if not good or parts.username is not None:
            raise ValueError("tsa_url: must start with https:// or http:// and name a host, without a password")
        if self.tsa_ca_file is None:
            raise ValueError("tsa_url: needs tsa_ca_file: the certificates (PEM) that its stamps are to lead to")
        if not is_installed():
            raise ValueError("tsa_url: needs a library that is not installed: pip install 'torhaus[stamps]'")
