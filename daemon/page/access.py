"""Who is asking, and from where: whether a request may be answered at all, and whether somebody must sign in first."""

import socket
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from torhaus.daemon.config.model import Http, parse_address

_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")


def is_loopback(host: str) -> bool:
    """Whether an address, or `localhost`, is this machine's own and nobody else's."""
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def host_of(request: web.Request) -> str:
    """The name or address under which the browser knows us: the Host header without the port; "" for none."""
    text = request.headers.get("Host", "")
    try:
        return (urlsplit(f"//{text}").hostname or "").lower()
    except ValueError:
        return ""


class Access:
    """`http`: as configured. `names`: how else this box is called."""

    def __init__(self, http: Http, names: Iterable[str] | None = None) -> None:
        own = [socket.gethostname(), f"{socket.gethostname()}.local"] if names is None else names
        self._names = frozenset(n.lower() for n in ("localhost", *own, *http.hosts) if n)
        self._is_open = http.sign_in != "always" and is_loopback(parse_address(http.listen)[0])
        self._allow_plain = http.allow_plain

    def knows_host(self, request: web.Request) -> bool:
        """Whether we are meant. A name of somebody else's that leads here is how foreign pages get at local services.

        Addresses cannot be made to mean something else, so all are right.
        """
        host = host_of(request)
        try:
            ip_address(host.partition("%")[0])
        except ValueError:
            return host in self._names
        return True

    def is_near(self, request: web.Request) -> bool:
        """Whether it comes from the box itself, and not through a proxy on it: such may look without signing in."""
        return (
            self._is_open
            and is_loopback(request.remote or "")
            and is_loopback(host_of(request))
            and not any(name in request.headers for name in _FORWARDED)
        )

    def may_sign_in(self, request: web.Request) -> bool:
        """Whether a password may come this way: encrypted, from this machine itself, or because it is wanted so."""
        return self._allow_plain or request.secure or is_loopback(request.remote or "")

    @staticmethod
    def is_encrypted(request: web.Request) -> bool:
        """Whether the browser speaks TLS, with us or with a proxy on this machine."""
        proxied = is_loopback(request.remote or "") and request.headers.get("X-Forwarded-Proto") == "https"
        return request.secure or proxied

    @staticmethod
    def client(request: web.Request) -> str:
        """Where it comes from: what a proxy on this machine says last, else the peer."""
        peer = request.remote or ""
        if is_loopback(peer):
            said = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
            return said[:64] or peer
        return peer

    @staticmethod
    def is_embedded(request: web.Request) -> bool:
        """Whether another site's page fetches this behind its visitor's back (Fetch Metadata)."""
        site = request.headers.get("Sec-Fetch-Site", "none")
        return site in {"cross-site", "same-site"} and request.headers.get("Sec-Fetch-Mode") != "navigate"

    @staticmethod
    def is_own_form(request: web.Request) -> bool:
        """Whether a POST comes from a page of ours, as far as the browser says so; its token is looked at besides."""
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            return False
        origin = request.headers.get("Origin")
        if origin is None:
            return True
        try:
            return urlsplit(origin).netloc.lower() == request.headers.get("Host", "").lower()
        except ValueError:
            return False
