"""LoRa Basics Station: the network server (LNS) and update server (CUPS) that such gateways connect to.

Frames are stored as they come; the protocol has no acknowledgement. Wire format: torhaus.codecs.framing.basics_station;
the rooms of the server: torhaus.drivers.stations.
"""

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from torhaus.codecs.framing.basics_station.discovery import check_uri
from torhaus.codecs.framing.basics_station.plan import Plan, plan
from torhaus.codecs.framing.basics_station.router_config import MAX_JOIN_EUIS
from torhaus.codecs.lorawan.eui import parse_eui64
from torhaus.codecs.lorawan.region import REGIONS, region
from torhaus.codecs.model import DecodeError
from torhaus.drivers.semtech_udp import split_listen

if TYPE_CHECKING:  # its library is loaded when such a driver is opened
    from torhaus.drivers.stations.server import StationServer

Eui = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{16}\Z", description="an EUI of 16 hex digits, such as aa555a0000000101")
]
FilePath = Annotated[str, msgspec.Meta(max_length=4096, description="a path")]
Sha256 = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9a-fA-F]{64}\Z", description="64 hex digits: printf %s TOKEN | sha256sum"),
]
Hz = Annotated[int, msgspec.Meta(ge=100_000_000, le=1_000_000_000, description="a frequency in Hz, such as 867100000")]
Seconds = Annotated[float, msgspec.Meta(ge=1, le=3600, description="1 to 3600 seconds")]
RegionName = Annotated[str, msgspec.Meta(max_length=20)]
_PUBLIC_URI = re.compile(r"wss?://[^/]+:[0-9]+/?")


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One gateway that may connect, and its token, where it has one: in a file, or as a hash."""

    eui: Eui
    token_file: FilePath = ""
    token_sha256: Sha256 | None = None

    def __post_init__(self) -> None:
        if self.token_file and self.token_sha256:
            raise ValueError("token_sha256: there is token_file, too; one of them is enough")

    @property
    def has_token(self) -> bool:
        """Whether it can show who it is by a token."""
        return bool(self.token_file or self.token_sha256)


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type."""

    name: str
    type: Literal["basics_station"]
    listen: str = "127.0.0.1:3001"
    public_uri: Annotated[str, msgspec.Meta(max_length=127)] = ""
    cert_file: FilePath = ""
    key_file: FilePath = ""
    client_ca_file: FilePath = ""
    insecure: bool = False
    region: RegionName = "EU868"
    channels_hz: Annotated[list[Hz], msgspec.Meta(max_length=8)] | None = None
    sub_band: Annotated[int, msgspec.Meta(ge=1, le=8)] | None = None
    max_eirp_dbm: Annotated[float, msgspec.Meta(ge=0, le=36)] | None = None
    beacon: bool = False
    net_ids: Annotated[list[Annotated[int, msgspec.Meta(ge=0, le=127)]], msgspec.Meta(max_length=128)] | None = None
    join_euis: Annotated[list[str], msgspec.Meta(max_length=MAX_JOIN_EUIS)] | None = None
    ping_s: Seconds = 30
    idle_s: Seconds = 90
    stats_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 30
    updates_dir: FilePath = ""
    firmware_signer_file: FilePath = ""
    gateway: list[Gateway] = []

    def __post_init__(self) -> None:
        _check_channels(self)
        _check_access(self)
        if self.public_uri:
            if _PUBLIC_URI.fullmatch(self.public_uri) is None:
                raise ValueError(
                    "public_uri: must be ws:// or wss:// with name and port, such as wss://gw.example:3001"
                )
            try:
                check_uri(uri_of(self.public_uri, "0" * 16))
            except ValueError as e:
                raise ValueError(f"public_uri: with the path it {e}") from None
        if self.idle_s <= self.ping_s:
            raise ValueError(f"idle_s: is {self.idle_s:g}, must be more than ping_s ({self.ping_s:g})")
        self.join_ranges()

    def plan(self) -> Plan:
        """The channels. Raises DecodeError where a concentrator cannot have them."""
        return plan(region(self.region), self.channels_hz, self.sub_band)

    def join_ranges(self) -> list[tuple[int, int]] | None:
        """`join_euis` as numbers, first and last. Raises ValueError."""
        if self.join_euis is None:
            return None
        ranges = []
        for text in self.join_euis:
            try:
                first, _, last = text.partition("..")
                ranges.append((parse_eui64(first), parse_eui64(last or first)))
            except DecodeError:
                rule = "must be an EUI, or two such as 70b3d57ed0000000..70b3d57ed0ffffff"
                raise ValueError(f'join_euis: "{text}" {rule}') from None
            if ranges[-1][0] > ranges[-1][1]:
                raise ValueError(f'join_euis: "{text}" must have the lower one first')
        return ranges

    def is_local(self) -> bool:
        """Whether only this machine can connect."""
        return ip_address(split_listen(self.listen)[0]).is_loopback

    def knows_who(self) -> bool:
        """Whether every gateway has to show who it is: by a certificate or by its token."""
        return bool(self.client_ca_file) or (bool(self.gateway) and all(g.has_token for g in self.gateway))


def _check_channels(c: Config) -> None:
    if c.region not in REGIONS:
        raise ValueError(f'region: is "{c.region}", must be one of {", ".join(REGIONS)}')
    try:
        c.plan()
    except DecodeError as e:
        key = "sub_band" if region(c.region).is_fixed and not c.channels_hz else "channels_hz"
        raise ValueError(f"{key}: {e.detail}") from None


def _check_access(c: Config) -> None:
    split_listen(c.listen)
    if bool(c.cert_file) != bool(c.key_file):
        raise ValueError(
            f"{'key_file' if c.cert_file else 'cert_file'}: is missing: TLS needs a certificate and its key"
        )
    if c.client_ca_file and not c.cert_file:
        raise ValueError("cert_file: is missing: gateways show their certificates only where there is TLS")
    if not c.insecure and not c.is_local():
        if not c.cert_file:
            raise ValueError(
                "cert_file: is missing: others than this machine can connect, so it needs cert_file and key_file"
                " (or insecure = true, if the network is yours alone)"
            )
        bare = [n for n, g in enumerate(c.gateway) if not g.has_token]
        if not c.knows_who():
            missing = f"{c.gateway[bare[0]].eui} has no token_file or token_sha256" if bare else "it lists no gateway"
            raise ValueError(
                f"gateway: {missing}, and there is no client_ca_file: anybody could say to be it"
                " (or insecure = true, if the network is yours alone)"
            )
    if c.updates_dir and not c.knows_who():
        raise ValueError("updates_dir: gives keys away, so it needs client_ca_file, or a token for every gateway")
    euis = [g.eui.lower() for g in c.gateway]
    twice = next((e for e in euis if euis.count(e) > 1), None)
    if twice is not None:
        raise ValueError(f"gateway: {twice} is there twice")


def uri_of(base: str, eui: str) -> str:
    """Where a gateway connects for its data."""
    return f"{base.rstrip('/')}/router/{eui}"


def open(config: Config) -> "StationServer":  # noqa: A001 - the door every driver module has
    """The driver; binds when it is run."""
    from torhaus.drivers.stations.server import StationServer

    return StationServer(config)
