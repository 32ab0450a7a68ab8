"""GWMP as a gateway speaks it: PUSH_DATA and PULL_DATA out, the server's acknowledgements in. Pure.

Sources: as torhaus.codecs.framing.semtech_udp, of whose parser this is the inverse. PULL_RESP and TX_ACK:
torhaus.codecs.framing.semtech_udp_down.
"""

from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from torhaus.codecs.framing.semtech_udp import (
    MAX_RSIG,
    MAX_RXPK,
    MAX_STAT,
    PULL_ACK,
    PULL_DATA,
    PULL_RESP,
    PUSH_ACK,
    PUSH_DATA,
)
from torhaus.codecs.model import DecodeError, Radio, Reception, RejectReason

_SERVERS: Final = {PUSH_ACK, PULL_ACK, PULL_RESP}


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The fixed part of a datagram from a server: PUSH_ACK and PULL_ACK are no more; a PULL_RESP has JSON behind it."""

    version: int
    token: bytes
    kind: int


def parse_answer(datagram: bytes) -> Answer:
    """Version, token and type of a server's datagram. Raises DecodeError."""
    if len(datagram) < 4:
        raise DecodeError(RejectReason.SHORT, f"{len(datagram)} bytes, a server's datagram has at least 4")
    version, kind = datagram[0], datagram[3]
    if version not in {1, 2}:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"GWMP version {version}")
    if kind not in _SERVERS:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"GWMP packet type {kind}")
    return Answer(version, datagram[1:3], kind)


def build_pull_data(token: bytes, gateway: str, version: int = 2) -> bytes:
    """A keep-alive, 12 bytes: it opens the way down and keeps it open."""
    return bytes((version,)) + token + bytes((PULL_DATA,)) + bytes.fromhex(gateway)


def build_push_data(
    token: bytes,
    gateway: str,
    frames: Sequence[tuple[bytes, Radio]] = (),
    stat: Mapping[str, float | int | str] | None = None,
    version: int = 2,
) -> bytes:
    """A PUSH_DATA with frames (PHYPayload and radio data), a report, or both; at most MAX_RXPK frames.

    Several receptions of one frame are antennas of one gateway (`rsig`). RSSI goes out in whole dBm, as the
    specification has it. A forwarder sends up to 8 frames at once, and some servers read no more than 4 KiB.
    """
    body: dict[str, Any] = {}
    if frames:
        body["rxpk"] = [_rxpk(phy, radio) for phy, radio in frames[:MAX_RXPK]]
    if stat is not None:
        body["stat"] = dict(list(stat.items())[:MAX_STAT])
    head = bytes((version,)) + token + bytes((PUSH_DATA,)) + bytes.fromhex(gateway)
    return head + msgspec.json.encode(body)


def _rxpk(phy: bytes, radio: Radio) -> dict[str, Any]:
    rx = radio.rx[0] if radio.rx else Reception("")
    per_antenna = len(radio.rx) > 1 or rx.encrypted_fine_time is not None or rx.rssi_deviation_db is not None
    rxpk: dict[str, Any] = {
        "freq": radio.freq_hz / 1e6,
        "modu": radio.modulation,
        "datr": radio.datarate if radio.modulation != "FSK" else int(radio.datarate),
        "codr": radio.coderate,
        "time": rx.time,
        "tmms": rx.gps_time_ms,
        "tmst": rx.tmst_us,
        "rfch": rx.rf_chain,
        "mid": rx.modem,
        "stat": rx.crc,
        "brd": rx.board,
        "aesk": rx.fine_time_key,
        "hpw": rx.grid_steps,
        "meta": rx.meta or None,
    }
    if per_antenna:
        rsig = [_rsig(one) for one in radio.rx[:MAX_RSIG]]
        for key, whole in (("chan", "chan"), ("rssic", "rssi"), ("lsnr", "lsnr")):  # for servers that know no rsig
            if all(one[key] is not None for one in rsig):
                rxpk[whole] = rsig[0][key]
        rxpk["rsig"] = [_stated(one) for one in rsig]
    else:
        rxpk |= {
            "chan": rx.channel,
            "ftime": rx.fine_time_ns,
            "rssi": _whole(rx.rssi_dbm),
            "rssis": _whole(rx.signal_rssi_dbm),
            "lsnr": rx.snr_db,
            "foff": rx.frequency_offset_hz,
            "ant": rx.antenna,
        }
    return _stated(rxpk) | {"size": len(phy), "data": b2a_base64(phy, newline=False).decode()}


def _rsig(rx: Reception) -> dict[str, Any]:
    return {
        "ant": rx.antenna,
        "chan": rx.channel,
        "rssic": _whole(rx.rssi_dbm),
        "rssis": _whole(rx.signal_rssi_dbm),
        "rssisd": _whole(rx.rssi_deviation_db),
        "lsnr": rx.snr_db,
        "etime": rx.encrypted_fine_time,
        "ftime": rx.fine_time_ns,
        "foff": rx.frequency_offset_hz,
    }


def _whole(level: float | None) -> int | None:
    return None if level is None else round(level)


def _stated(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
