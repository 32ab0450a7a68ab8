"""GWMP, the way down: PULL_RESP and TX_ACK, to structures and back, for either side. Pure.

Sources: as torhaus.codecs.framing.semtech_udp; sections 5.4, 5.5 and 6 of PROTOCOL.md (rev 1.6). What a gateway needs
besides (rfch always, codr for LoRa, fdev for FSK) is what packet forwarders refuse a txpk without.

    PULL_RESP   0 version   1 2 token   3 type 03   4 ..     JSON {"txpk": {...}}
    TX_ACK      0 version   1 2 token   3 type 05   4 .. 11 gateway EUI   12 .. JSON {"txpk_ack": {...}}, or nothing
"""

from binascii import b2a_base64
from typing import Annotated, Any, Final

import msgspec

from torhaus.codecs.framing.semtech_udp import MAX_PHY, MAX_TEXT, PULL_RESP, TX_ACK, datarate_text, decode_base64
from torhaus.codecs.model import DecodeError, RejectReason

MAX_PULL_RESP: Final = 4096
"""Far more than 255 bytes in base64 with all that describes them; a longer one is no PULL_RESP."""
MAX_TX_ACK: Final = 1024


class Txpk(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a PULL_RESP asks a gateway to send. One of `immediate`, `tmst_us` and `gps_time_ms` says when."""

    data: bytes  # PHYPayload, 1 to 255 bytes
    freq_hz: int
    modulation: str  # LORA, FSK
    datarate: str  # "SF9BW125", "50000"
    coderate: str | None = None
    immediate: bool = False
    tmst_us: int | None = None  # concentrator counter, modulo 2^32
    gps_time_ms: int | None = None  # since 1980-01-06, without leap seconds
    power_dbm: float | None = None
    invert_polarization: bool = False
    crc: bool = True
    preamble: int | None = None  # symbols
    deviation_hz: int | None = None  # FSK
    rf_chain: int = 0
    board: int | None = None
    antenna: int | None = None


class PullResp(msgspec.Struct, frozen=True, gc=False):
    """A whole PULL_RESP. Version 1 does not use the token: its TX_ACK does not exist."""

    version: int
    token: bytes
    txpk: Txpk


class TxAck(msgspec.Struct, frozen=True, gc=False):
    """What a gateway says of a PULL_RESP, in its own words. It is sent, or will be, unless there is an `error`.

    `warning`: sent, but not quite as asked; for TX_POWER `power_dbm` is what was used.
    """

    error: str | None = None
    warning: str | None = None
    power_dbm: float | None = None


_Chain = Annotated[int, msgspec.Meta(ge=0, le=255)]
_Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]


class _Txpk(msgspec.Struct, gc=False):
    freq: Annotated[float, msgspec.Meta(ge=30, le=6000)]
    data: Annotated[str, msgspec.Meta(max_length=512)]
    datr: str | float
    modu: str = "LORA"
    codr: Annotated[str, msgspec.Meta(pattern=r"^[0-9]/[0-9](LI)?\Z")] | None = None
    imme: bool | None = None
    tmst: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)] | None = None
    tmms: Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)] | None = None
    rfch: _Chain | None = None
    powe: Annotated[float, msgspec.Meta(ge=-128, le=127)] | None = None
    fdev: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    ipol: bool | None = None
    prea: Annotated[int, msgspec.Meta(ge=0, le=65_535)] | None = None
    ncrc: bool | None = None
    nhdr: bool | None = None
    brd: _Chain | None = None
    ant: _Chain | None = None


class _PullResp(msgspec.Struct, gc=False):
    txpk: _Txpk


class _Ack(msgspec.Struct, gc=False):
    error: _Text | None = None
    warn: _Text | None = None
    value: Any = None


class _TxAck(msgspec.Struct, gc=False):
    txpk_ack: _Ack | None = None


_pull_resp: Final = msgspec.json.Decoder(_PullResp)
_tx_ack: Final = msgspec.json.Decoder(_TxAck)
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def build_pull_resp(version: int, token: bytes, tx: Txpk) -> bytes:
    """The datagram that asks a gateway to send `tx`; `token` is 2 bytes. Power goes out in whole dBm, rounded down."""
    txpk: dict[str, Any] = {"imme": True} if tx.immediate else {}
    if tx.tmst_us is not None:
        txpk["tmst"] = tx.tmst_us & 0xFFFFFFFF
    if tx.gps_time_ms is not None:
        txpk["tmms"] = tx.gps_time_ms
    txpk |= {"freq": tx.freq_hz / 1e6, "rfch": tx.rf_chain, "modu": tx.modulation}
    if tx.power_dbm is not None:
        txpk["powe"] = int(tx.power_dbm // 1)  # forwarders read an integer; down, so that a limit is kept
    txpk["datr"] = tx.datarate if tx.modulation != "FSK" else int(tx.datarate)
    optional = {
        "codr": tx.coderate,
        "fdev": tx.deviation_hz,
        "prea": tx.preamble,
        "brd": tx.board,
        "ant": tx.antenna,
    }
    txpk |= {key: value for key, value in optional.items() if value is not None}
    txpk |= {"ipol": tx.invert_polarization, "size": len(tx.data), "data": b2a_base64(tx.data, newline=False).decode()}
    if not tx.crc:
        txpk["ncrc"] = True
    return bytes((version,)) + token + bytes((PULL_RESP,)) + msgspec.json.encode({"txpk": txpk})


def parse_pull_resp(datagram: bytes) -> PullResp:
    """A PULL_RESP, as a gateway reads it. Raises DecodeError."""
    if len(datagram) > MAX_PULL_RESP:
        raise DecodeError(RejectReason.LONG, f"{len(datagram)} bytes, a PULL_RESP has at most {MAX_PULL_RESP}")
    if len(datagram) < 4:
        raise DecodeError(RejectReason.SHORT, f"{len(datagram)} bytes, a server's datagram has at least 4")
    version, kind = datagram[0], datagram[3]
    if version not in {1, 2} or kind != PULL_RESP:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"GWMP version {version}, packet type {kind}")
    try:
        t = _pull_resp.decode(datagram[4:].rstrip(b"\0")).txpk
    except _UNREADABLE as e:
        raise DecodeError(RejectReason.SYNTAX, f"txpk: {e}") from None
    data = decode_base64(t.data)
    if not 1 <= len(data) <= MAX_PHY:
        raise DecodeError(RejectReason.RANGE, f"PHYPayload of {len(data)} bytes")
    if t.nhdr:
        raise DecodeError(RejectReason.UNSUPPORTED, "implicit header")
    if t.modu not in {"LORA", "FSK"}:
        raise DecodeError(RejectReason.UNSUPPORTED, f"modu {t.modu[:16]!r}")
    immediate = bool(t.imme)  # it comes before tmst, and that before tmms (section 6)
    if not immediate and t.tmst is None and t.tmms is None:
        raise DecodeError(RejectReason.SYNTAX, "none of imme, tmst and tmms says when to send")
    tmst = None if immediate else t.tmst
    txpk = Txpk(
        data=data,
        freq_hz=round(t.freq * 1e6),
        modulation=t.modu,
        datarate=datarate_text(t.modu, t.datr),
        coderate=t.codr,
        immediate=immediate,
        tmst_us=tmst,
        gps_time_ms=None if immediate or tmst is not None else t.tmms,
        power_dbm=t.powe,
        invert_polarization=bool(t.ipol),
        crc=not t.ncrc,
        preamble=t.prea,
        deviation_hz=t.fdev,
        rf_chain=t.rfch or 0,
        board=t.brd,
        antenna=t.ant,
    )
    return PullResp(version, datagram[1:3], txpk)


def build_tx_ack(token: bytes, gateway: str, ack: TxAck, version: int = 2) -> bytes:
    """A gateway's answer to a PULL_RESP; without error and warning it has no JSON."""
    head = bytes((version,)) + token + bytes((TX_ACK,)) + bytes.fromhex(gateway)
    said: dict[str, Any] = {}
    if ack.error is not None:
        said["error"] = ack.error
    if ack.warning is not None:
        said["warn"] = ack.warning
    if ack.power_dbm is not None:
        said["value"] = int(ack.power_dbm) if float(ack.power_dbm).is_integer() else ack.power_dbm
    return head + msgspec.json.encode({"txpk_ack": said}) if said else head


def parse_tx_ack(datagram: bytes) -> TxAck:
    """The JSON of a TX_ACK, whose header torhaus.codecs.framing.semtech_udp.parse_header has read. Raises DecodeError.

    Nothing, an empty `error` and "NONE" mean that it was taken. `value` may be a number or a text with one.
    """
    if len(datagram) > MAX_TX_ACK:
        raise DecodeError(RejectReason.LONG, f"{len(datagram)} bytes, a TX_ACK has at most {MAX_TX_ACK}")
    body = datagram[12:].strip(b"\0 \t\r\n")
    if not body:
        return TxAck()
    try:
        ack = _tx_ack.decode(body).txpk_ack or _Ack()
    except _UNREADABLE as e:
        raise DecodeError(RejectReason.SYNTAX, f"txpk_ack: {e}") from None
    error = _word(ack.error)
    warning = _word(ack.warn)
    return TxAck(error, warning, _level(ack.value) if warning == "TX_POWER" else None)


def _word(text: str | None) -> str | None:
    """A gateway's error or warning; None for what means none. Nothing unprintable: it is shown and logged."""
    plain = "".join(c if c.isprintable() else "?" for c in text or "").strip()
    return None if plain in {"", "NONE"} else plain


def _level(value: Any) -> float | None:  # noqa: ANN401 - whatever JSON was there
    """dBm, if it is such."""
    try:
        level = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return level if level is not None and -128 <= level <= 127 else None
