"""The configuration of uploads: stations of type `http`, and the address at which they are served."""

from ipaddress import ip_address
from typing import Annotated, Literal

import msgspec

from torhaus.daemon.config.model import parse_address
from torhaus.daemon.scans.stations import AbsPath, CoverSheetRule, Name, Seconds, Window

SiteId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,32}\Z")]


class HttpStation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="http"):
    """A scan program, a scanner or a phone that sends documents by HTTP or tus."""

    name: Name
    target: Name | None = None  # or a [[scan.route]]
    certificate_name: Annotated[str, msgspec.Meta(min_length=1, max_length=253)] | None = None  # or tokens, or both
    max_bytes: Annotated[int, msgspec.Meta(gt=0)] = 2 << 30  # of one document
    quota_documents: Annotated[int, msgspec.Meta(gt=0)] | None = None  # in 24 hours
    quota_bytes: Annotated[int, msgspec.Meta(gt=0)] | None = None  # in 24 hours, uploads under way included
    max_at_once: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8  # bodies that are received at the same time
    max_open: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100  # tus uploads that are begun and not finished
    expires_s: Seconds = 604_800.0  # a tus upload to which nothing was added for so long is given up
    duplicates: Literal["mark", "hold"] = "mark"
    duplicates_window_s: Window = 0  # 0: however long ago
    unknown_types: Literal["quarantine", "pass"] = "quarantine"
    encrypted: Literal["pass", "quarantine"] = "pass"
    cover_sheets: CoverSheetRule = "off"
    duplex: bool | None = None  # whether both sides are scanned: the blank back of a cover sheet is no page then


class SiteStation(HttpStation, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="site"):
    """Another torhaus, which delivers here what its own stations brought: the central side of a target http or tus."""

    site: SiteId | None = None  # its [site] id; none: the name here
    unknown_types: Literal["quarantine", "pass"] = "pass"  # it has looked at them already

    @property
    def sender(self) -> str:
        """The site whose documents these are: their ids begin with it."""
        return self.site or self.name


class HttpListener(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the stations of type `http` are served. Without a certificate only this machine itself is."""

    listen: str = "127.0.0.1:8681"
    cert_file: AbsPath | None = None
    key_file: AbsPath | None = None
    client_ca_file: AbsPath | None = None  # that signed the certificates of stations with a certificate_name
    max_connections: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64
    idle_s: Seconds = 30.0  # no byte came for so long: the connection is closed, what came by tus is kept

    def __post_init__(self) -> None:
        try:
            parse_address(self.listen)
        except ValueError as error:
            raise ValueError(f"listen: {error}") from None


def upload_faults(http: HttpListener | None, stations: dict[int, HttpStation]) -> list[tuple[str, str]]:
    """What is wrong between the values: (key, what). `stations` by their place in the list."""
    if not stations:
        return [("scan.http", 'no [[scan.station]] has type = "http" or "site"')] if http is not None else []
    if http is None:
        return [(f"scan.station[{min(stations)}].type", "needs a [scan.http] that says where it is served")]
    found: list[tuple[str, str]] = []
    if (http.cert_file is None) != (http.key_file is None):
        found.append(("scan.http.cert_file", "needs key_file, and the other way round"))
    if http.cert_file is None and not _is_loopback(parse_address(http.listen)[0]):
        found.append(("scan.http.listen", "other machines only with cert_file and key_file: documents and tokens"))
    if http.client_ca_file is not None and http.cert_file is None:
        found.append(("scan.http.client_ca_file", "has no use without cert_file"))
    names: dict[str, int] = {}
    for i, station in stations.items():
        if station.certificate_name is None:
            continue
        key = f"scan.station[{i}].certificate_name"
        if http.client_ca_file is None:
            found.append((key, "needs [scan.http] client_ca_file"))
        if names.setdefault(station.certificate_name.lower(), i) != i:
            found.append((key, "used twice"))
    return found


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
