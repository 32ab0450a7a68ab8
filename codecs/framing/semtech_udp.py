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
from typing import Any, Final

import msgspec

from torhaus.codecs.model import DecodeError, Radio, Reception, Reject, RejectReason

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
MAX_TEXT: Final = 128
_DATR_LORA: Final = re.compile(r"SF(?:[5-9]|1[0-2])BW(?:\d{1,4}(?:\.\d{1,2})?)")
_DATR_LR_FHSS: Final = re.compile(r"M\dCW\d{1,5}")
_CODR: Final = re.compile(r"\d/\d(?:LI)?|OFF")


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


class _Rsig(msgspec.Struct, gc=False):
    ant: int | None = None
    chan: int | None = None
    rssic: float | None = None
    rssis: float | None = None
    rssisd: float | None = None
    lsnr: float | None = None
    etime: str | None = None
    ftime: int | None = None
    foff: int | None = None


class _Rxpk(msgspec.Struct, gc=False):
    freq: float
    data: str
    datr: str | float
    modu: str = "LORA"
    codr: str | None = None
    time: str | None = None
    tmms: int | None = None
    tmst: int | None = None
    ftime: int | None = None
    chan: int | None = None
    rfch: int | None = None
    mid: int | None = None
    stat: int | None = None
    rssi: float | None = None
    rssis: float | None = None
    lsnr: float | None = None
    foff: int | None = None
    brd: int | None = None
    ant: int | None = None
    aesk: int | None = None
    hpw: int | None = None
    meta: dict[str, Any] | None = None
    rsig: list[_Rsig] | None = None


class _Push(msgspec.Struct, gc=False):
    rxpk: list[_Rxpk] | None = None
    stat: dict[str, Any] | None = None


class _LoosePush(msgspec.Struct, gc=False):
    """The same, with each part undecoded: used when the whole did not fit, so that one bad rxpk costs only itself."""

    rxpk: list[msgspec.Raw] | None = None
    stat: msgspec.Raw | None = None


_push: Final = msgspec.json.Decoder(_Push)
_loose: Final = msgspec.json.Decoder(_LoosePush)
_rxpk: Final = msgspec.json.Decoder(_Rxpk)
_stat: Final = msgspec.json.Decoder(dict[str, Any])


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
    return bytes((header.version, *header.token, PUSH_ACK if header.kind == PUSH_DATA else PULL_ACK))


def parse_push(datagram: bytes, gateway: str) -> Push:
    """The JSON of a PUSH_DATA. Raises DecodeError only when nothing in it can be used; else refuses part by part."""
    try:
        push = _push.decode(memoryview(datagram)[12:])
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _parse_loose(datagram, gateway)
    out = Push([], None, [])
    for rxpk in (push.rxpk or [])[:MAX_RXPK]:
        try:
            out.frames.append(_convert(rxpk, gateway))
        except DecodeError as e:
            out.rejects.append(Reject(msgspec.json.encode(rxpk), e.reason, e.detail, gateway))
    if push.rxpk and len(push.rxpk) > MAX_RXPK:
        out.rejects.append(Reject(datagram, RejectReason.LONG, f"{len(push.rxpk)} rxpk in one datagram", gateway))
    if push.stat is not None:
        out.stat = _flatten(push.stat)
    return out


def _parse_loose(datagram: bytes, gateway: str) -> Push:
    body = memoryview(datagram)[12:]
    try:
        push = _loose.decode(body)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError, UnicodeDecodeError) as e:
        raise DecodeError(RejectReason.SYNTAX, f"not GWMP JSON: {e}") from None
    out = Push([], None, [])
    for raw in (push.rxpk or [])[:MAX_RXPK]:
        try:
            out.frames.append(_convert(_rxpk.decode(raw), gateway))
        except DecodeError as e:
            out.rejects.append(Reject(bytes(raw), e.reason, e.detail, gateway))
        except (msgspec.ValidationError, msgspec.DecodeError, RecursionError, UnicodeDecodeError) as e:
            out.rejects.append(Reject(bytes(raw), RejectReason.SYNTAX, str(e), gateway))
    if push.rxpk and len(push.rxpk) > MAX_RXPK:
        out.rejects.append(Reject(datagram, RejectReason.LONG, f"{len(push.rxpk)} rxpk in one datagram", gateway))
    if push.stat is not None:
        try:
            out.stat = _flatten(_stat.decode(push.stat))
        except (msgspec.ValidationError, msgspec.DecodeError, RecursionError, UnicodeDecodeError) as e:
            out.rejects.append(Reject(bytes(push.stat), RejectReason.SYNTAX, str(e), gateway))
    return out


def _convert(r: _Rxpk, gateway: str) -> tuple[bytes, Radio]:
    phy = decode_base64(r.data)
    if not 1 <= len(phy) <= MAX_PHY:
        raise DecodeError(RejectReason.RANGE, f"PHYPayload of {len(phy)} bytes")
    if not 30 <= r.freq <= 6000:
        raise DecodeError(RejectReason.RANGE, f"freq {r.freq} MHz")
    if r.tmst is not None and not 0 <= r.tmst < 1 << 32:
        raise DecodeError(RejectReason.RANGE, f"tmst {r.tmst}")
    if not (_level(r.rssi) and _level(r.rssis) and _level(r.lsnr)):
        raise DecodeError(RejectReason.RANGE, f"rssi {r.rssi}, rssis {r.rssis}, lsnr {r.lsnr}")
    for small in (r.chan, r.rfch, r.mid, r.stat, r.brd, r.ant, r.aesk, r.hpw):
        if small is not None and not -128 <= small <= 65_535:
            raise DecodeError(RejectReason.RANGE, f"{small} is no channel, chain, board or antenna")
    for wide in (r.tmms, r.ftime, r.foff):
        if wide is not None and not -(1 << 31) <= wide < 1 << 53:
            raise DecodeError(RejectReason.RANGE, f"{wide} is no time or frequency offset")
    if r.codr is not None and not _CODR.fullmatch(r.codr):
        raise DecodeError(RejectReason.RANGE, f"codr {r.codr[:16]!r}")
    if r.time is not None and len(r.time) > 48:
        raise DecodeError(RejectReason.LONG, "time of more than 48 characters")
    reception = Reception(
        gateway=gateway,
        rssi_dbm=r.rssi,
        snr_db=r.lsnr,
        signal_rssi_dbm=r.rssis,
        channel=r.chan,
        rf_chain=r.rfch,
        modem=r.mid,
        board=r.brd,
        antenna=r.ant,
        tmst_us=r.tmst,
        time=r.time,
        gps_time_ms=r.tmms,
        fine_time_ns=r.ftime,
        fine_time_key=r.aesk,
        frequency_offset_hz=r.foff,
        grid_steps=r.hpw,
        crc=r.stat,
        meta=_meta(r.meta) if r.meta else None,
    )
    radio = Radio(
        freq_hz=round(r.freq * 1e6),
        modulation=r.modu,
        datarate=_datarate(r.modu, r.datr),
        coderate=r.codr,
        rx=[reception] if not r.rsig else [_antenna(reception, s) for s in r.rsig[:16]],
    )
    return phy, radio


def _level(value: float | None) -> bool:
    return value is None or -300 <= value <= 100


@lru_cache(maxsize=256)
def _datarate(modu: str, datr: str | float) -> str:
    """The data rate as text in GWMP's own spelling. Raises DecodeError."""
    text = datr if isinstance(datr, str) else ""
    if modu == "LORA" and _DATR_LORA.fullmatch(text):
        return text
    if modu == "LR-FHSS" and _DATR_LR_FHSS.fullmatch(text):
        return text
    if modu == "FSK" and not text and 300 <= float(datr) <= 500_000 and float(datr).is_integer():
        return str(int(datr))
    raise DecodeError(RejectReason.RANGE, f"modu {modu[:16]!r} with datr {str(datr)[:16]!r}")


def _antenna(base: Reception, s: _Rsig) -> Reception:
    """One antenna's view (`rsig`): what it does not say is taken from the frame as a whole."""
    if not (_level(s.rssic) and _level(s.rssis) and _level(s.lsnr)):
        raise DecodeError(RejectReason.RANGE, f"rsig rssic {s.rssic}, rssis {s.rssis}, lsnr {s.lsnr}")
    if s.etime is not None and len(s.etime) > MAX_TEXT:
        raise DecodeError(RejectReason.LONG, "etime of more than 128 characters")
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
    if len(meta) > MAX_META:
        raise DecodeError(RejectReason.LONG, f"meta with {len(meta)} entries")
    out = {}
    for key, value in meta.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        if len(key) > MAX_TEXT or len(text) > MAX_TEXT:
            raise DecodeError(RejectReason.LONG, "meta entry of more than 128 characters")
        out[key] = text
    return out


def _flatten(stat: dict[str, Any]) -> dict[str, float | int | str]:
    """A gateway's report as flat scalars: nested objects (Kerlink's `hver`) become `hver_fpga`, the rest is left."""
    out: dict[str, float | int | str] = {}
    for key, value in list(stat.items())[:64]:
        inner = value.items() if isinstance(value, dict) else ((None, value),)
        for sub, leaf in list(inner)[:MAX_META]:
            name = f"{key}_{sub}" if sub is not None else key
            if isinstance(leaf, str | int | float) and len(name) <= 64:
                out[name] = leaf[:MAX_TEXT] if isinstance(leaf, str) else leaf
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
