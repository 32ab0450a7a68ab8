"""Whether a URL may be spoken to: what is wrong with it, in words. Pure."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

_LOOPBACK: Final = "localhost"


def address_fault(url: str, *, insecure: bool = False, has_certificates: bool = False) -> str | None:
    """None when it is good. Passwords, queries and plain http:// to other machines are not."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "must start with https:// and name a host"
    if parts.query or parts.fragment or parts.username is not None or parts.password is not None:
        return "must not have a query, a fragment or credentials (these have keys of their own)"
    if parts.scheme == "http" and not insecure and not _is_loopback(parts):
        return "must start with https://; http:// only to this machine itself, or with insecure = true"
    if parts.scheme == "http" and has_certificates:
        return "must start with https://: certificates have no use with http://"
    return None


def origin_of(url: str) -> str:
    """Scheme, host and port, as browsers send it (RFC 6454)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def within(base: str, location: str) -> str | None:
    """Where an answer's Location leads from `base`; None for no URL, and for one of another server."""
    try:
        url = urljoin(base, location)
        return url if url.isprintable() and origin_of(url) == origin_of(base) else None
    except ValueError:
        return None


def last_of(location: str) -> str:
    """The last part of the path of a URL, which is what an object is called there; "" for none."""
    try:
        return urlsplit(location).path.rstrip("/").rpartition("/")[2]
    except ValueError:
        return ""


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if host == _LOOPBACK:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
