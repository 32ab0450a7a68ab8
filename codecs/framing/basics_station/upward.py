"""What a station says: one JSON object in each text message, told apart by `msgtype`.

LNS protocol, "LoRaWAN Data Plane". A station takes frames apart, and torhaus puts the same bytes together again: the
fields of a data frame are MHDR, DevAddr, FCtrl, FCnt, FOpts, FPort, FRMPayload and MIC; DevAddr and MIC are signed
32-bit numbers, EUIs have dashes. The coding rate is not reported.
"""

from struct import Struct
from typing import Annotated, Final

import msgspec

from torhaus.codecs.lorawan.eui import parse_eui64
from torhaus.codecs.lorawan.phy import MAX_PHY_BYTES
from torhaus.codecs.lorawan.region import datarate
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import DecodeError, Radio, Reception, RejectReason

MAX_BYTES: Final = 16_384
"""Of a message. The longest of a station's own is a frame of 255 bytes in hex, less than 1 KiB."""
CONTEXT_BYTES: Final = 16
_MAX_WORD: Final = 128
_CONTEXT: Final = Struct(">qq")  # rctx, xtime
_JOIN: Final = Struct("<BQQHI")
_DATA: Final = Struct("<BIBH")

_U8 = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
_U16 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
_Any32 = Annotated[int, msgspec.Meta(ge=-(1 << 31), lt=1 << 32)]  # stations say s32, others u32
_S64 = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_Hex = Annotated[str, msgspec.Meta(max_length=2 * MAX_PHY_BYTES)]
_Eui = Annotated[str, msgspec.Meta(max_length=32)]
_Dr = Annotated[int, msgspec.Meta(ge=0, le=15)]
_Freq = Annotated[int, msgspec.Meta(ge=30_000_000, le=6_000_000_000)]
_Level = Annotated[float, msgspec.Meta(ge=-300, le=100)]


class UpInfo(msgspec.Struct, gc=False):
    """How a frame was heard: `rctx` (antenna) and `xtime` (µs) go back with an answer; `gpstime` µs, 0 for none."""

    xtime: _S64
    rctx: _S64 = 0
    gpstime: _S64 = 0
    fts: _S64 = -1  # ns since the last second, -1 for none
    rssi: _Level | None = None
    snr: _Level | None = None


class _Heard(msgspec.Struct, gc=False, kw_only=True):
    DR: _Dr
    Freq: _Freq
    upinfo: UpInfo


class DataUp(_Heard, tag_field="msgtype", tag="updf", gc=False, kw_only=True):
    """A data frame from a device."""

    MHdr: _U8
    DevAddr: _Any32
    FCtrl: _U8
    FCnt: _U16
    FOpts: Annotated[str, msgspec.Meta(max_length=30)] = ""
    FPort: Annotated[int, msgspec.Meta(ge=-1, le=0xFF)] = -1  # -1: there is none
    FRMPayload: _Hex = ""
    MIC: _Any32

    def phy(self) -> bytes:
        """The PHYPayload."""
        fopts, payload = _hex(self.FOpts), _hex(self.FRMPayload)
        if len(fopts) != self.FCtrl & 0x0F:
            raise DecodeError(RejectReason.SYNTAX, f"{len(fopts)} bytes of FOpts, FCtrl says {self.FCtrl & 0x0F}")
        if self.FPort < 0 and payload:
            raise DecodeError(RejectReason.SYNTAX, "a payload without FPort")
        port = b"" if self.FPort < 0 else bytes((self.FPort,))
        head = _DATA.pack(self.MHdr, self.DevAddr & 0xFFFF_FFFF, self.FCtrl, self.FCnt)
        return head + fopts + port + payload + _mic(self.MIC)


class DataDown(DataUp, tag_field="msgtype", tag="dndf", gc=False, kw_only=True):
    """Another gateway's downlink, overheard by a station that listens as a device would."""


class JoinRequest(_Heard, tag_field="msgtype", tag="jreq", gc=False, kw_only=True):
    """A join-request."""

    MHdr: _U8
    JoinEui: _Eui
    DevEui: _Eui
    DevNonce: _U16
    MIC: _Any32

    def phy(self) -> bytes:
        """The PHYPayload."""
        join, device = parse_eui64(self.JoinEui), parse_eui64(self.DevEui)
        return _JOIN.pack(self.MHdr, join, device, self.DevNonce, self.MIC & 0xFFFF_FFFF)


class Rejoin(JoinRequest, tag_field="msgtype", tag="rejoin", gc=False, kw_only=True):
    """A rejoin-request, cut like a join-request: stations pass on none but those of 23 bytes."""


class Proprietary(_Heard, tag_field="msgtype", tag="propdf", gc=False, kw_only=True):
    """Somebody's own format: the whole PHYPayload."""

    FRMPayload: _Hex

    def phy(self) -> bytes:
        """The PHYPayload."""
        return _hex(self.FRMPayload)


class JoinAccept(Proprietary, tag_field="msgtype", tag="jacc", gc=False, kw_only=True):
    """Another gateway's join-accept, overheard: the whole PHYPayload."""


Heard = DataUp | DataDown | JoinRequest | Rejoin | Proprietary | JoinAccept


class Version(msgspec.Struct, tag_field="msgtype", tag="version", gc=False):
    """A station's first words. What it does not know it says as null; `features` are words such as "rmtsh gps"."""

    station: str | None = None
    firmware: str | None = None
    package: str | None = None
    model: str | None = None
    protocol: _S64 | None = None
    features: str | list[str] | None = None

    def values(self) -> dict[str, float | int | str]:
        """As a gateway's report; texts are cut."""
        features = " ".join(self.features) if isinstance(self.features, list) else self.features
        words = {"station": self.station, "firmware": self.firmware, "package": self.package, "model": self.model}
        shown: dict[str, float | int | str] = {
            key: text[:_MAX_WORD] for key, text in (words | {"features": features}).items() if text
        }
        return shown if self.protocol is None else shown | {"protocol": self.protocol}


class Sent(msgspec.Struct, tag_field="msgtype", tag="dntxed", gc=False):
    """A downlink went on air. Nothing tells of one that did not. `diid` is the number that it was given."""

    diid: _S64 | None = None
    seqno: _S64 | None = None  # the same, for older servers
    DR: _S64 = -1
    Freq: _S64 = 0
    xtime: _S64 = 0

    @property
    def number(self) -> int | None:
        """Which downlink."""
        return self.seqno if self.diid is None else self.diid


class TimeAsked(msgspec.Struct, tag_field="msgtype", tag="timesync", gc=False):
    """What is the time? `txtime` (µs) is repeated in the answer."""

    txtime: _S64


class OtherWords(msgspec.Struct, gc=False):
    """Known words of no use here: answers to what torhaus does not ask, a remote shell, remarks."""

    msgtype: str


Up = Heard | Version | Sent | TimeAsked | OtherWords

_OTHERS: Final = frozenset({"getxtime", "rmtsh", "error"})
_known: Final = msgspec.json.Decoder(Heard | Version | Sent | TimeAsked)
_other: Final = msgspec.json.Decoder(OtherWords)
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def parse(text: bytes) -> Up:
    """One message. Unknown members are left out. Raises DecodeError: LONG, SYNTAX, UNKNOWN_TYPE for the msgtype."""
    if len(text) > MAX_BYTES:
        raise DecodeError(RejectReason.LONG, f"a message of {len(text)} bytes, at most {MAX_BYTES} are taken")
    try:
        known: Heard | Version | Sent | TimeAsked = _known.decode(text)
        return known
    except _UNREADABLE as e:
        problem = str(e)
    try:
        other = _other.decode(text)
    except _UNREADABLE:
        raise DecodeError(RejectReason.SYNTAX, f"not a station's message: {problem}") from None
    if other.msgtype in _OTHERS:
        return other
    if other.msgtype in _TAGS:
        raise DecodeError(RejectReason.SYNTAX, f"{other.msgtype}: {problem}")
    raise DecodeError(RejectReason.UNKNOWN_TYPE, f"msgtype {other.msgtype[:32]!r}")


_TAGS: Final = frozenset({"updf", "dndf", "jreq", "rejoin", "propdf", "jacc", "version", "dntxed", "timesync"})


def frame(heard: Heard, region: Region, gateway: str) -> tuple[bytes, Radio]:
    """The PHYPayload and how it was heard, by the region's data rates. Raises DecodeError."""
    phy = heard.phy()
    if not 1 <= len(phy) <= MAX_PHY_BYTES:
        raise DecodeError(RejectReason.RANGE, f"PHYPayload of {len(phy)} bytes")
    rate = datarate(region, heard.DR)
    info = heard.upinfo
    reception = Reception(
        gateway,
        rssi_dbm=info.rssi,
        snr_db=info.snr,
        gps_time_ms=info.gpstime // 1000 if info.gpstime > 0 else None,
        fine_time_ns=info.fts if 0 <= info.fts < 1_000_000_000 else None,
        context=_CONTEXT.pack(info.rctx, info.xtime),
    )
    return phy, Radio(heard.Freq, rate.modulation, rate.datarate, None, [reception])


def parse_context(context: bytes) -> tuple[int, int]:
    """`rctx` and `xtime` of a reception's context. Raises DecodeError."""
    if len(context) != CONTEXT_BYTES:
        raise DecodeError(
            RejectReason.SYNTAX, f"a station's context has {CONTEXT_BYTES} bytes, this one {len(context)}"
        )
    rctx, xtime = _CONTEXT.unpack(context)
    return rctx, xtime


def _hex(text: str) -> bytes:
    try:
        if text.isalnum() or not text:  # fromhex() would take blanks
            return bytes.fromhex(text)
    except ValueError:
        pass
    raise DecodeError(RejectReason.SYNTAX, "not hex digits")


def _mic(value: int) -> bytes:
    return (value & 0xFFFF_FFFF).to_bytes(4, "little")
