"""Which LoRaWAN frames a relay sends to its network server. Pure: a look at the first bytes, no key needed.

Layout of PHYPayloads: LoRaWAN 1.1, sections 4.1 to 4.3, 6.2.2 and 6.2.4.
"""

import re
from typing import Annotated, Final, Literal

import msgspec

from torhaus.codecs.lorawan.eui import parse_dev_addr, parse_eui64
from torhaus.codecs.lorawan.net_id import dev_addr_prefix
from torhaus.codecs.lorawan.phy import MIN_DATA_BYTES, MType
from torhaus.codecs.model import DecodeError

MType_ = Literal["join_request", "rejoin_request", "unconfirmed_up", "confirmed_up", "proprietary"]
_MTYPES: Final[dict[str, MType]] = {
    "join_request": MType.JOIN_REQUEST,
    "rejoin_request": MType.REJOIN_REQUEST,
    "unconfirmed_up": MType.UNCONFIRMED_UP,
    "confirmed_up": MType.CONFIRMED_UP,
    "proprietary": MType.PROPRIETARY,
}
_DATA, _REJOIN, _PROPRIETARY = (
    0x40,
    0xC0,
    0xE0,
)  # the lowest MHDR of these; what is below is a join-request, when wanted
_JOIN_REQUEST_BYTES: Final = 23
_REJOIN_BYTES: Final = (19, 24, 19)
_NET_ID: Final = re.compile(r"[0-9a-fA-F]{6}")
_Text = Annotated[str, msgspec.Meta(max_length=64)]
_Texts = Annotated[tuple[_Text, ...], msgspec.Meta(max_length=10_000)]
_Port = Annotated[int, msgspec.Meta(ge=1, le=255)]


class FrameFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[forwarder.filter]` of a relay. Empty lists let everything through.

    `gateways`: only what these have heard, and only their reports.
    Data frames are judged by `net_ids`, `dev_addrs` and `dev_euis` (a DevEUI is known of devices in the list of
    devices): one that is on any of them passes. Join-requests are judged by `join_euis` and `dev_euis` in the same way.
    `fports` holds for frames with a payload: those with MAC commands only (FPort 0 or none) pass.
    """

    gateways: _Texts = ()
    net_ids: _Texts = ()
    dev_addrs: _Texts = ()
    join_euis: _Texts = ()
    dev_euis: _Texts = ()
    fports: tuple[_Port, ...] = ()
    mtypes: Annotated[tuple[MType_, ...], msgspec.Meta(min_length=1)] = (
        "join_request",
        "rejoin_request",
        "unconfirmed_up",
        "confirmed_up",
    )
    crc_bad: bool = False

    def __post_init__(self) -> None:
        for key, parse in (
            ("gateways", parse_eui),
            ("net_ids", parse_net_id),
            ("dev_addrs", parse_prefix),
            ("join_euis", parse_range),
            ("dev_euis", parse_eui),
        ):
            for text in getattr(self, key):
                try:
                    parse(text)
                except ValueError as e:
                    raise ValueError(f"{key}: has {text!r}, {e}") from None


class Filter:
    """A FrameFilter made ready. `wants` is asked for every frame that a gateway hears."""

    def __init__(self, config: FrameFilter) -> None:
        self._mtypes = frozenset(int(_MTYPES[name]) for name in config.mtypes)
        self._crc_bad = config.crc_bad
        self._fports = frozenset(config.fports)
        self._net_ids = frozenset(map(parse_net_id, config.net_ids))
        prefixes = [*map(dev_addr_prefix, self._net_ids), *map(parse_prefix, config.dev_addrs)]
        by_shift: dict[int, set[int]] = {}
        for value, bits in prefixes:
            by_shift.setdefault(32 - bits, set()).add(value)
        self._addrs = [(shift, frozenset(values)) for shift, values in by_shift.items()]
        self._join_euis = [parse_range(text) for text in config.join_euis]
        self._dev_euis = frozenset(map(parse_eui, config.dev_euis))
        self._all_data = not (prefixes or config.dev_euis)
        self._all_joins = not (config.join_euis or config.dev_euis)
        self._all_rejoins = self._all_joins and not config.net_ids

    def wants(self, phy: bytes, *, dev_eui: str | None = None, crc_bad: bool = False) -> bool:
        """Whether this frame is to be sent.

        `dev_eui`: 16 lower-case hex digits, where the device is known. `crc_bad`: the gateway says that the radio CRC
        is wrong; nothing in such a frame can be judged, so only `crc_bad` of the configuration decides. What is no
        LoRaWAN frame is not wanted.
        """
        if crc_bad:
            return self._crc_bad
        if not phy:
            return False
        mhdr = phy[0]
        if mhdr >> 5 not in self._mtypes:
            return False
        if mhdr >= _PROPRIETARY:
            return True
        if mhdr & 0x03:  # a later major version of the format
            return False
        if mhdr < _DATA:
            return len(phy) == _JOIN_REQUEST_BYTES and (
                self._all_joins or self._joins(int.from_bytes(phy[1:9], "little"), phy[9:17])
            )
        return self._wants_data(phy, dev_eui) if mhdr < _REJOIN else self._wants_rejoin(phy)

    def _wants_data(self, phy: bytes, dev_eui: str | None) -> bool:
        if len(phy) < MIN_DATA_BYTES:
            return False
        if self._fports:
            at = 8 + (phy[5] & 0x0F)  # behind FOpts
            if at < len(phy) - 4 and phy[at] and phy[at] not in self._fports:
                return False
        if self._all_data:
            return True
        addr = int.from_bytes(phy[1:5], "little")
        for shift, values in self._addrs:
            if addr >> shift in values:
                return True
        return dev_eui is not None and dev_eui in self._dev_euis

    def _joins(self, join_eui: int | None, dev_eui: bytes) -> bool:
        if join_eui is not None and any(low <= join_eui <= high for low, high in self._join_euis):
            return True
        return bool(self._dev_euis) and dev_eui[::-1].hex() in self._dev_euis

    def _wants_rejoin(self, phy: bytes) -> bool:
        if len(phy) < 2 or phy[1] > 2 or len(phy) != _REJOIN_BYTES[phy[1]]:
            return False
        if self._all_rejoins:
            return True
        if phy[1] == 1:
            return self._all_joins or self._joins(int.from_bytes(phy[2:10], "little"), phy[10:18])
        return int.from_bytes(phy[2:5], "little") in self._net_ids or self._joins(None, phy[5:13])


def parse_net_id(text: str) -> int:
    """A NetID: six hex digits. Raises ValueError."""
    if _NET_ID.fullmatch(text) is None:
        raise ValueError("but a NetID has six hex digits, such as 000013")
    return int(text, 16)


def parse_prefix(text: str) -> tuple[int, int]:
    """`26011000/20` to (value of these bits, how many); without a length it is one DevAddr. Raises ValueError."""
    addr, slash, length = text.partition("/")
    rule = "must be a DevAddr or the beginning of some, such as 26011000 or 26011000/20"
    if slash and not (length.isascii() and length.isdigit() and len(length) <= 2 and int(length) <= 32):
        raise ValueError(rule)
    bits = int(length) if slash else 32
    try:
        value = parse_dev_addr(addr)
    except DecodeError:
        raise ValueError(rule) from None
    if value & ((1 << (32 - bits)) - 1):
        fitting = f"{value >> (32 - bits) << (32 - bits):08x}/{bits}"
        raise ValueError(f"which has digits behind its {bits} bits; write {fitting}")
    return value >> (32 - bits), bits


def parse_range(text: str) -> tuple[int, int]:
    """`70b3d57ed0000000-70b3d57ed0ffffff` to the lowest and the highest EUI; one EUI is both. Raises ValueError."""
    first, dash, last = text, "", ""
    if len(text) == 33 and text[16] == "-":
        first, dash, last = text[:16], "-", text[17:]
    try:
        low = parse_eui64(first)
        high = parse_eui64(last) if dash else low
    except DecodeError:
        raise ValueError(
            "must be an EUI of 16 hex digits or two of them, such as 70b3d57ed0000000-70b3d57ed0ffffff"
        ) from None
    if low > high:
        raise ValueError("where the first EUI is above the last")
    return low, high


def parse_eui(text: str) -> str:
    """An EUI-64 as torhaus writes it. Raises ValueError."""
    try:
        return f"{parse_eui64(text):016x}"
    except DecodeError:
        raise ValueError("but an EUI has 16 hex digits") from None
