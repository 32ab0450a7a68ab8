"""GWMP, the Semtech packet-forwarder protocol, versions 1 and 2: datagrams to structures and back. Pure.

Sources: Lora-net/packet_forwarder PROTOCOL.TXT (rev 1.3), Lora-net/sx1302_hal packet_forwarder/PROTOCOL.md (rev 1.6),
ChirpStack's and Helium's extension `meta`.

    byte   0        1 2     3     4 .. 11        from 12 (4 for PULL_RESP)
           version  token   type  gateway EUI    JSON
"""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from functools import lru_cache
from typing import Annotated, Any, Final

import msgspec

from torhaus.codecs.model import MAX_DETAIL, DecodeError, Radio, Reception, Reject, RejectReason

PUSH_DATA: Final = 0
PUSH_ACK: Final = 1
PULL_DATA: Final = 2
PULL_RESP: Final = 3
PULL_ACK: Final = 4
TX_ACK: Final = 5

MAX_DATAGRAM: Final = 65_507
"""The largest UDP payload over IPv4; sx1302_hal packs up to 255 rxpk into one."""
MAX_RXPK: Final = 512
"""Frames in one datagram; the largest known forwarder sends 255."""
MAX_PHY: Final = 255
"""A LoRa PHY payload's length field has eight bits."""
MAX_META: Final = 32
MAX_STAT: Final = 64
MAX_RSIG: Final = 16
"""Antennas of one frame that are kept; gateways with two are the rule, with eight the exception."""
MAX_TEXT: Final = 128
MAX_NAME: Final = 64
_FIRST: Final = (b"\0", b"\1", b"\2")
_PUSH_ACK: Final = bytes((PUSH_ACK,))
_PULL_ACK: Final = bytes((PULL_ACK,))
_DATR_LORA: Final = re.compile(r"SF(?:[5-9]|1[0-2])BW\d{1,4}(?:\.\d{1,2})?", re.ASCII)
_DATR_LR_FHSS: Final = re.compile(r"M\dCW\d{1,5}", re.ASCII)
_CODR: Final = re.compile("[0-9]/[0-9](LI)?|OFF", re.ASCII)


class Header(msgspec.Struct, frozen=True, gc=False):
    """The fixed part of a datagram from a gateway."""

    version: int
    token: bytes
    kind: int
    gateway: str


class Push(msgspec.Struct, gc=False):
    """What one PUSH_DATA held: frames (PHYPayload and radio data), the gateway's own report, and what was refused."""

    frames: list[tuple[bytes, Radio]]
    stat: dict[str, float | int | str] | None
    rejects: list[Reject]


_ABSENT: Final = msgspec.Raw(b"null")
_Small = Annotated[int, msgspec.Meta(ge=-128, le=65_535)]  # a channel, chain, board, antenna
_Wide = Annotated[int, msgspec.Meta(ge=-(1 << 31), lt=1 << 53)]  # a time, a frequency offset
_Counter = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]
_Level = Annotated[float, msgspec.Meta(ge=-300, le=100)]  # dBm, dB
_Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]


class _Rsig(msgspec.Struct, gc=False):
    ant: _Small | None = None
    chan: _Small | None = None
    rssic: _Level | None = None
    rssis: _Level | None = None
    rssisd: _Level | None = None
    lsnr: _Level | None = None
    etime: _Text | None = None
    ftime: _Wide | None = None
    foff: _Wide | None = None


class _Rxpk(msgspec.Struct, gc=False):
    freq: Annotated[float, msgspec.Meta(ge=30, le=6000)]
    data: str
    datr: str | float
    modu: str = "LORA"
    codr: _Text | None = None
    time: Annotated[str, msgspec.Meta(max_length=48)] | None = None
    tmms: _Wide | None = None
    tmst: _Counter | None = None
    ftime: _Wide | None = None
    chan: _Small | None = None
    rfch: _Small | None = None
    mid: _Small | None = None
    stat: _Small | None = None
    rssi: _Level | None = None
    rssis: _Level | None = None
    lsnr: _Level | None = None
    foff: _Wide | None = None
    brd: _Small | None = None
    ant: _Small | None = None
    aesk: _Small | None = None
    hpw: _Small | None = None
    meta: Annotated[dict[_Text, Any], msgspec.Meta(max_length=MAX_META)] | None = None
    rsig: list[_Rsig] | None = None


class _Push(msgspec.Struct, gc=False):
    rxpk: list[_Rxpk] | None = None
    stat: dict[str, Any] | None = None


class _LoosePush(msgspec.Struct, gc=False):
    """The same, with each part undecoded: used when the whole did not fit, so that one bad part costs only itself."""

    rxpk: msgspec.Raw = _ABSENT
    stat: msgspec.Raw = _ABSENT


_push: Final = msgspec.json.Decoder(_Push)
_loose: Final = msgspec.json.Decoder(_LoosePush)
_parts: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)
_rxpk: Final = msgspec.json.Decoder(_Rxpk)
_stat: Final = msgspec.json.Decoder(dict[str, Any] | None)
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
"""What msgspec raises for bytes that are not JSON or not of the type; ValidationError is a DecodeError of its own."""


def parse_header(datagram: bytes) -> Header:
    """Version, token, type and EUI of a datagram that a gateway sent. Raises DecodeError."""
    if len(datagram) < 12:
        raise DecodeError(RejectReason.SHORT, f"{len(datagram)} bytes, a gateway's datagram has at least 12")
    version, kind = datagram[0], datagram[3]
    if version not in {1, 2}:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"GWMP version {version}")
    if kind not in {PUSH_DATA, PULL_DATA, TX_ACK}:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"GWMP packet type {kind}")
    return Header(version, datagram[1:3], kind, datagram[4:12].hex())


def ack(header: Header) -> bytes:
    """The 4-byte answer: PUSH_ACK to PUSH_DATA, PULL_ACK to PULL_DATA, in the sender's version."""
    return _FIRST[header.version] + header.token + (_PUSH_ACK if header.kind == PUSH_DATA else _PULL_ACK)


def parse_push(datagram: bytes, gateway: str) -> Push:
    """The JSON of a PUSH_DATA. Raises DecodeError only when nothing in it can be used; else refuses part by part."""
    try:
        push = _push.decode(memoryview(datagram)[12:])
        rxpk = push.rxpk or ()
        if len(rxpk) <= MAX_RXPK:
            frames = [_convert(r, gateway) for r in rxpk]
            return Push(frames, None if push.stat is None else _flatten(push.stat), [])
    except (DecodeError, *_UNREADABLE):
        pass  # part by part, then, each refused one with its own bytes
    return _parse_loose(datagram, gateway)


def _parse_loose(datagram: bytes, gateway: str) -> Push:
    try:
        push = _loose.decode(memoryview(datagram)[12:])
    except _UNREADABLE as e:
        raise DecodeError(RejectReason.SYNTAX, f"not GWMP JSON: {e}") from None
    out = Push([], None, [])

    def refuse(data: msgspec.Raw, reason: RejectReason, detail: str) -> None:
        out.rejects.append(Reject(bytes(data), reason, detail[:MAX_DETAIL], gateway))

    parts: list[msgspec.Raw] = []
    try:
        parts = _parts.decode(push.rxpk) or []
    except _UNREADABLE as e:
        refuse(push.rxpk, RejectReason.SYNTAX, f"rxpk: {e}")
    for raw in parts[:MAX_RXPK]:
        try:
            out.frames.append(_convert(_rxpk.decode(raw), gateway))
        except DecodeError as e:
            refuse(raw, e.reason, e.detail)
        except _UNREADABLE as e:
            refuse(raw, RejectReason.SYNTAX, str(e))
    if len(parts) > MAX_RXPK:
        rest = msgspec.Raw(b",".join(parts[MAX_RXPK:]))
        refuse(rest, RejectReason.LONG, f"{len(parts)} rxpk in one datagram")
    try:
        stat = _stat.decode(push.stat)
        out.stat = None if stat is None else _flatten(stat)
    except _UNREADABLE as e:
        refuse(push.stat, RejectReason.SYNTAX, f"stat: {e}")
    return out


def _convert(r: _Rxpk, gateway: str) -> tuple[bytes, Radio]:
    phy = decode_base64(r.data)
    if not 1 <= len(phy) <= MAX_PHY:
        raise DecodeError(RejectReason.RANGE, f"PHYPayload of {len(phy)} bytes")
    reception = Reception(  # by position, in the order of its fields: half the cost, once a frame
        gateway,
        r.rssi,
        r.lsnr,
        r.rssis,
        r.chan,
        r.rfch,
        r.mid,
        r.brd,
        r.ant,
        r.tmst,
        r.time,
        r.tmms,
        r.ftime,
        None,
        r.aesk,
        r.foff,
        None,
        r.hpw,
        r.stat,
        _meta(r.meta) if r.meta else None,
    )
    rx = [reception] if not r.rsig else [_antenna(reception, s) for s in r.rsig[:MAX_RSIG]]
    radio = Radio(round(r.freq * 1e6), r.modu, datarate_text(r.modu, r.datr, r.codr), r.codr, rx)
    return phy, radio


@lru_cache(maxsize=256)
def datarate_text(modu: str, datr: str | float, codr: str | None = None) -> str:
    """The data rate as text in GWMP's own spelling. Raises DecodeError, also for a code rate that is none."""
    if codr is not None and _CODR.fullmatch(codr) is None:
        raise DecodeError(RejectReason.SYNTAX, f"codr {codr[:16]!r}")
    text = datr if isinstance(datr, str) else ""
    if modu == "LORA" and _DATR_LORA.fullmatch(text):
        return text
    if modu == "LR-FHSS" and _DATR_LR_FHSS.fullmatch(text):
        return text
    if modu == "FSK" and not isinstance(datr, str) and 300 <= float(datr) <= 500_000 and float(datr).is_integer():
        return str(int(datr))
    raise DecodeError(RejectReason.RANGE, f"modu {modu[:16]!r} with datr {str(datr)[:16]!r}")


def _antenna(base: Reception, s: _Rsig) -> Reception:
    """One antenna's view (`rsig`): what it does not say is taken from the frame as a whole."""
    changes: dict[str, Any] = {
        "antenna": s.ant,
        "channel": s.chan,
        "rssi_dbm": s.rssic,
        "signal_rssi_dbm": s.rssis,
        "rssi_deviation_db": s.rssisd,
        "snr_db": s.lsnr,
        "encrypted_fine_time": s.etime,
        "fine_time_ns": s.ftime,
        "frequency_offset_hz": s.foff,
    }
    return msgspec.structs.replace(base, **{k: v for k, v in changes.items() if v is not None})


def _meta(meta: dict[str, Any]) -> dict[str, str]:
    out = {}
    for key, value in meta.items():
        try:
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        except (OverflowError, RecursionError) as e:
            raise DecodeError(RejectReason.RANGE, f"meta: {e}") from None
        if len(text) > MAX_TEXT:
            raise DecodeError(RejectReason.LONG, f"meta entry of more than {MAX_TEXT} characters")
        out[key] = text
    return out


def _flatten(stat: dict[str, Any]) -> dict[str, float | int | str]:
    """A gateway's report as flat scalars: nested objects (Kerlink's `hver`) become `hver_fpga`, the rest is left."""
    out: dict[str, float | int | str] = {}
    for key, value in list(stat.items())[:MAX_STAT]:
        inner = value.items() if isinstance(value, dict) else ((None, value),)
        for sub, leaf in list(inner)[:MAX_META]:
            name = f"{key}_{sub}" if sub is not None else key
            if len(name) > MAX_NAME:
                continue
            if isinstance(leaf, str):
                out[name] = leaf[:MAX_TEXT]
            elif isinstance(leaf, float):
                out[name] = leaf
            elif isinstance(leaf, int) and -(1 << 63) <= leaf < 1 << 63:
                out[name] = int(leaf)  # true and false become 1 and 0
    return out


def decode_base64(text: str) -> bytes:
    """Standard or URL-safe base64, padded or not (the specification's own example is URL-safe). Raises DecodeError."""
    try:
        return a2b_base64(text, strict_mode=True)
    except (Base64Error, ValueError):
        pass
    try:
        plain = text.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
        return a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except (Base64Error, ValueError) as e:
        raise DecodeError(RejectReason.SYNTAX, f"base64: {e}") from None
