"""The tables of `torhaus.toml` that the daemon itself reads. Descriptions complete the sentence "must be …".

Keys that end in `_bytes` also take texts such as "64 MiB"; keys that end in `_s` are seconds. Paths are relative to the
folder of `torhaus.toml`.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec

from torhaus.daemon.config.lorawan import ChirpStack, Mac, mac_fault
from torhaus.daemon.forward.message import Kind
from torhaus.daemon.forward.windows import parse_window

SITE_ID: Final = r"^[a-z0-9-]{1,32}\Z"
PLUGIN_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"

_UNITS: Final[dict[str, int]] = {
    "": 1,
    "B": 1,
    **{f"{prefix}B": 1000**n for n, prefix in enumerate("kMGT", 1)},
    **{f"{prefix}iB": 1024**n for n, prefix in enumerate("KMGT", 1)},
}
_SIZE: Final = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,3}))? ?([kKMGT]?i?B?)")
SIZE_PATTERN: Final = r"^[0-9]{1,15}(\.[0-9]{1,3})? ?(((K|M|G|T)i|k|M|G|T)?B)?$"
SIZE_WORDS: Final = 'a whole number of bytes, or text such as "64 MiB" or "2 GB"'

SiteId = Annotated[
    str, msgspec.Meta(pattern=SITE_ID, description="1 to 32 of the characters a-z, 0-9 and -, such as rathaus")
]
PluginName = Annotated[
    str,
    msgspec.Meta(pattern=PLUGIN_NAME, description="1 to 64 letters, digits, '.', '_' and '-', a letter or digit first"),
]
FilePath = Annotated[str, msgspec.Meta(min_length=1, max_length=4096, description="a path")]
Address = Annotated[str, msgspec.Meta(max_length=300, description="an address and a port such as 127.0.0.1:8680")]
HostName = Annotated[
    str,
    msgspec.Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,252})\Z", description="a name such as gateway.stadt.example"),
]
START_WORDS: Final = '"oldest", "now", or a time such as "2026-11-25" or "2026-11-25T06:00:00Z"'
Window = Annotated[
    str, msgspec.Meta(max_length=60, description='a window such as "22:00-06:00" or "Sat,Sun 00:00-24:00"')
]
Text = Annotated[str, msgspec.Meta(max_length=200, description="text of at most 200 characters")]


def parse_size(text: str) -> int:
    """Bytes of "64 MiB", "2 GB", "4096 B": powers of 1024 with i, of 1000 without. Raises ValueError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or match[3] not in _UNITS or (match[2] and match[3] in {"", "B"}):
        raise ValueError(f"must be {SIZE_WORDS}")
    fraction = match[2] or ""
    return int(match[1] + fraction) * _UNITS[match[3]] // int(10 ** len(fraction))


def parse_time(text: str) -> int | None:
    """Nanoseconds since 1970 of a date or RFC 3339 time; without an offset it is UTC. None when it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1e9)


def parse_address(text: str) -> tuple[str, int]:
    """`host:port` or `[host]:port` to its parts. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    inner = host.removeprefix("[").removesuffix("]")
    bracketed = host.startswith("[") and host.endswith("]")
    digits = port.isascii() and port.isdigit() and len(port) <= 5
    if not (colon and inner and digits and int(port) <= 65_535 and (":" in inner) == bracketed):
        raise ValueError("must be an address and a port such as 127.0.0.1:8680 or [::1]:8680")
    return inner, int(port)


def _check_address(key: str, text: str) -> None:
    try:
        parse_address(text)
    except ValueError as e:
        raise ValueError(f'{key}: is "{text}", {e}') from None


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[site]`: where this box stands. `id` is part of every record's id for life."""

    id: SiteId
    name: Text = ""
    place: Text = ""


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[store]`: the durable log and what it may occupy. `max_age_s` and `max_records` 0: no limit by age or count."""

    path: FilePath = "/var/lib/torhaus"
    max_bytes: Annotated[int, msgspec.Meta(ge=16 << 20, le=1 << 50)] = 4 << 30
    max_age_s: Annotated[float, msgspec.Meta(ge=0, le=3_200_000_000)] = 0
    max_records: Annotated[int, msgspec.Meta(ge=0, le=1 << 50)] = 0
    when_full: Literal["drop_oldest", "thin"] = "drop_oldest"
    thin_keep: Annotated[int, msgspec.Meta(ge=2, le=16)] = 2
    strangers_max_bytes: Annotated[int, msgspec.Meta(ge=1 << 20, le=1 << 50)] = 64 << 20
    relay_max_bytes: Annotated[int, msgspec.Meta(ge=1 << 20, le=1 << 50)] = 256 << 20
    commit_window_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.02
    state_interval_s: Annotated[float, msgspec.Meta(ge=0.1, le=3600)] = 1.0


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[http]`: the web page, metrics and health checks.

    `hosts`: names under which the page is opened, beside this machine's own; `sign_in`: who looks from the machine
    itself need not sign in, unless it is "always"; `allow_plain`: passwords are taken without TLS; `users_file`: who
    may sign in (`torhaus page add-user`).
    """

    listen: Address = "127.0.0.1:8680"
    cert_file: FilePath | None = None
    key_file: FilePath | None = None
    hosts: tuple[HostName, ...] = ()
    sign_in: Literal["from_elsewhere", "always"] = "from_elsewhere"
    allow_plain: bool = False
    users_file: FilePath = "page.users.toml"

    def __post_init__(self) -> None:
        _check_address("listen", self.listen)
        if (self.cert_file is None) is not (self.key_file is None):
            missing, there = ("key_file", "cert_file") if self.key_file is None else ("cert_file", "key_file")
            raise ValueError(f"{missing}: is missing: {there} is given, and TLS needs both")


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[control]`: the socket that `torhaus status` and its like talk to."""

    socket: FilePath = "/run/torhaus/torhaus.sock"


class Lorawan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[lorawan]`: the regional parameters of this site's network (RP002).

    `gateway_offline_s`: a gateway that is silent for longer is offline. `enforce_duty_cycle`: downlinks for which the
    gateway has no airtime left in their sub-band are refused. `merge_window_s`: how long after the first gateway others
    may hear a frame and be put to the same reading; 0: they are not.

    `mode`: in "passive" a network server elsewhere answers the devices, in "standalone" torhaus does: those in its list
    that have root keys join here, under DevAddrs of `net_id`, and are answered `rx1_delay_s` after their uplinks.
    `mac`: what they are told besides. `chirpstack`: a server that has session keys.
    """

    region: Literal["EU868", "AS923", "AS923-2", "AS923-3", "AS923-4", "IN865", "KR920", "AU915", "US915"] = "EU868"
    gateway_offline_s: Annotated[float, msgspec.Meta(ge=5, le=86_400)] = 120
    enforce_duty_cycle: bool = False
    mode: Literal["passive", "standalone"] = "passive"
    net_id: Annotated[
        str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{6}\Z", description="6 hex digits; 000000 and 000001 are for everybody")
    ] = "000000"
    rx1_delay_s: Annotated[int, msgspec.Meta(ge=1, le=15)] = 1
    merge_window_s: Annotated[
        float, msgspec.Meta(ge=0, le=1, description="0 to 1 seconds: devices repeat themselves after that")
    ] = 0.2
    mac: Mac = Mac()
    chirpstack: ChirpStack | None = None

    def __post_init__(self) -> None:
        fault = mac_fault(self.mac, self.region)
        if fault is not None:
            raise ValueError(f"mac: {fault.replace(': ', ' ', 1)}")


class Devices(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[devices]`: the lists of devices and of their keys. A default list that is not there is an empty one.

    `common_names`: native codecs and layouts give `temperature`, `relative_humidity`, `battery_voltage` … in one unit
    each, whatever the vendor calls them. `keys_passphrase_file` opens a keys file that is sealed.
    """

    file: FilePath = "devices.toml"
    keys_file: FilePath = "devices.keys.toml"
    keys_passphrase_file: FilePath | None = None
    common_names: bool = False


class Scripts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[scripts]`: vendors' decoders, and what one call may use."""

    dir: FilePath = "decoders"
    time_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 0.5
    memory_bytes: Annotated[int, msgspec.Meta(ge=1 << 20, le=4 << 30)] = 32 << 20


class Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[log]`: `auto` writes for journald under systemd, text on a terminal, JSON lines otherwise."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "journal", "json", "text"] = "auto"


class AlarmRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[alarm]]`: readings that overtake everything else on their way out.

    Of these devices, or those with one of the tags (neither: of all); where `field` is given only those in which it is
    above, below or equal to the bound given, or, without a bound, is there and neither false, 0 nor empty.
    """

    devices: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    field: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    above: float | None = None
    below: float | None = None
    equals: float | bool | str | None = None

    def __post_init__(self) -> None:
        if not (self.devices or self.tags or self.field):
            raise ValueError("field: is missing, and so are devices and tags: one of the three is needed")
        if self.field is None and any(bound is not None for bound in (self.above, self.below, self.equals)):
            raise ValueError("field: is missing, of which above, below and equals speak")


class DriverCommon(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys that every `[[driver]]` has, whatever its type."""

    name: PluginName
    type: str
    commit_window_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0


class ForwarderCommon(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys that every `[[forwarder]]` has, whatever its type. Empty filters let everything through.

    Limits of 0 are none. `renamed_from` is the name that this forwarder had before: what it has got, and what it was
    refused, goes along.
    """

    name: PluginName
    type: str
    renamed_from: PluginName | None = None
    kinds: Annotated[tuple[Kind, ...], msgspec.Meta(min_length=1)] = ("reading",)
    devices: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    start: Annotated[str, msgspec.Meta(max_length=40, description=START_WORDS)] = "oldest"
    order: Literal["live_first", "device", "strict"] = "live_first"
    backfill_per_s: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] = 1000
    backfill_windows: tuple[Window, ...] = ()
    max_backlog_records: Annotated[int, msgspec.Meta(ge=0, le=1 << 50)] = 0
    max_backlog_bytes: Annotated[int, msgspec.Meta(ge=0, le=1 << 50)] = 0
    max_backlog_age_s: Annotated[float, msgspec.Meta(ge=0, le=3_200_000_000)] = 0
    enabled: bool = True

    def __post_init__(self) -> None:
        if self.start not in {"oldest", "now"} and parse_time(self.start) is None:
            raise ValueError(f'start: is "{self.start}", must be {START_WORDS}')
        for text in self.backfill_windows:
            try:
                parse_window(text)
            except ValueError as e:
                raise ValueError(f"backfill_windows: {e}") from None
        if self.backfill_windows and self.order != "live_first":
            raise ValueError(
                'backfill_windows: need order = "live_first": otherwise there is no backlog beside the rest'
            )
        if self.renamed_from == self.name:
            raise ValueError("renamed_from: is the name that it has now")


class Root(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file. `driver`, `forwarder` and `scan` are read by the plug-ins' own structs."""

    site: Site
    store: Store = Store()
    http: Http = Http()
    control: Control = Control()
    lorawan: Lorawan = Lorawan()
    devices: Devices = Devices()
    scripts: Scripts = Scripts()
    log: Log = Log()
    driver: list[dict[str, Any]] = []
    forwarder: list[dict[str, Any]] = []
    alarm: list[AlarmRule] = []
    scan: dict[str, Any] = {}
