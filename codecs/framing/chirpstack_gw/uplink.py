"""Uplinks: what torhaus keeps of a frame to gw.proto's UplinkFrame, and back.

Source: gw.proto (ChirpStack v4). Of a frame that several gateways heard ChirpStack wants one message from each.
"""

import math
import re
from typing import Any, Final

from torhaus.codecs.framing.chirpstack_gw.fields import Moment, Span
from torhaus.codecs.framing.chirpstack_gw.messages import (
    CrcStatus,
    Location,
    Modulation,
    UplinkFrame,
    UplinkRxInfo,
    UplinkTxInfo,
)
from torhaus.codecs.framing.chirpstack_gw.modulation import uplink_modulation, words
from torhaus.codecs.framing.chirpstack_gw.times import SECOND, format_moment, parse_moment
from torhaus.codecs.lorawan.downlink import context_of
from torhaus.codecs.lorawan.gps_time import gps_ns
from torhaus.codecs.model import DecodeError, Radio, Reception, RejectReason

MAX_PHY: Final = 255
MAX_CONTEXT: Final = 64
"""Bytes; those known are 4 and 16."""
MAX_RECEPTIONS: Final = 16
MAX_META_TEXT: Final = 128
MAX_META: Final = 32
CLOCK_TOLERANCE_NS: Final = 5 * SECOND
"""A gateway's own time is believed when it is no further from ours; ours is then the better one."""
_U32: Final = 1 << 32
_CRC: Final = {1: CrcStatus.CRC_OK, 0: CrcStatus.NO_CRC, -1: CrcStatus.BAD_CRC}
_CRC_BACK: Final = {status: value for value, status in _CRC.items()}
_EUI: Final = re.compile("[0-9a-f]{16}", re.ASCII)


def uplink_id(seq: int, index: int) -> int:
    """An id for reception `index` (0 to 15) of record `seq`: the same whenever it is sent, unique for 2^28 records."""
    return (seq * MAX_RECEPTIONS + index % MAX_RECEPTIONS) % _U32


def uplink_frame(
    phy: bytes,
    radio: Radio,
    reception: Reception,
    *,
    uplink_id: int,
    trusted_ns: int | None,
    location: Location | None = None,
    metadata: dict[str, str] | None = None,
) -> UplinkFrame:
    """The message of one gateway. DecodeError(RANGE) when gw.proto cannot say it.

    `trusted_ns` is when it came (Unix time), given only if the clock was right: then the message has gwTime and
    timeSinceGpsEpoch, the gateway's own where they agree with it. Without it neither: ChirpStack takes the second
    without a check and passes it on to devices. `metadata` is added to the gateway's.
    """
    if not (1 <= len(phy) <= MAX_PHY and 0 < radio.freq_hz < _U32):
        raise DecodeError(RejectReason.RANGE, f"{len(phy)} bytes on {radio.freq_hz} Hz")
    rssi = reception.rssi_dbm if reception.rssi_dbm is not None else reception.signal_rssi_dbm
    info = UplinkRxInfo(
        gateway_id=reception.gateway,
        uplink_id=uplink_id,
        rssi=round(rssi or 0),
        snr=reception.snr_db or 0.0,
        channel=max(reception.channel or 0, 0),
        rf_chain=max(reception.rf_chain or 0, 0),
        board=max(reception.board or 0, 0),
        antenna=max(reception.antenna or 0, 0),
        location=location,
        context=context_of(reception),
        metadata={**(reception.meta or {}), **(metadata or {})},
        # protocols that say nothing of the radio CRC hand over only what has passed it
        crc_status=_CRC.get(1 if reception.crc is None else reception.crc, CrcStatus.NO_CRC),
        **({} if trusted_ns is None else _times(reception, trusted_ns)),
    )
    modulation = uplink_modulation(radio.modulation, radio.datarate, radio.coderate, max(reception.grid_steps or 0, 0))
    return UplinkFrame(phy, UplinkTxInfo(radio.freq_hz, modulation), info)


def _times(reception: Reception, trusted_ns: int) -> dict[str, Any]:
    """When it came: the fields of the message that say so."""
    fine = None
    wall_ns, since_ns = trusted_ns, gps_ns(trusted_ns)
    if reception.time is not None:
        try:
            said_ns = parse_moment(reception.time)
        except DecodeError:
            said_ns = wall_ns  # no time, or in a spelling of its own: ours will do
        if abs(said_ns - wall_ns) <= CLOCK_TOLERANCE_NS:
            wall_ns, since_ns = said_ns, gps_ns(said_ns)
    if reception.gps_time_ms is not None:
        said_ns = reception.gps_time_ms * 1_000_000
        if abs(said_ns - gps_ns(trusted_ns)) <= CLOCK_TOLERANCE_NS:
            since_ns = said_ns
            if reception.fine_time_ns is not None and 0 <= reception.fine_time_ns < SECOND:
                fine = Span(said_ns // SECOND * SECOND + reception.fine_time_ns)
    return {"gw_time": Moment(wall_ns), "time_since_gps_epoch": Span(since_ns), "fine_time_since_gps_epoch": fine}


def received(frame: UplinkFrame) -> tuple[bytes, Radio]:
    """PHYPayload and radio data of one gateway's message. DecodeError."""
    tx, rx = frame.tx_info, frame.rx_info
    if tx is None or rx is None:
        raise DecodeError(RejectReason.SHORT, "an uplink without txInfo or rxInfo")
    if not 1 <= len(frame.phy_payload) <= MAX_PHY:
        raise DecodeError(RejectReason.RANGE, f"PHYPayload of {len(frame.phy_payload)} bytes")
    if not tx.frequency:
        raise DecodeError(RejectReason.RANGE, "an uplink without a frequency")
    if not -300 <= rx.rssi <= 100 or not math.isfinite(rx.snr) or abs(rx.snr) > 100:
        raise DecodeError(RejectReason.RANGE, f"an RSSI of {rx.rssi} dBm, an SNR of {rx.snr} dB")
    if len(rx.context) > MAX_CONTEXT:
        raise DecodeError(RejectReason.LONG, f"a context of {len(rx.context)} bytes")
    if len(rx.metadata) > MAX_META or any(max(len(k), len(v)) > MAX_META_TEXT for k, v in rx.metadata.items()):
        raise DecodeError(RejectReason.LONG, f"metadata of more than {MAX_META} entries or {MAX_META_TEXT} characters")
    modulation, datarate, coderate = words(tx.modulation)
    reception = Reception(
        gateway_of(rx.gateway_id),
        rssi_dbm=float(rx.rssi),
        snr_db=round(rx.snr, 2),  # it came in 32 bits: what 64 would show beyond is no figure of the gateway's
        channel=rx.channel,
        rf_chain=rx.rf_chain,
        board=rx.board,
        antenna=rx.antenna,
        time=None if rx.gw_time is None else format_moment(rx.gw_time.ns),
        grid_steps=_grid_steps(tx.modulation),
        crc=_CRC_BACK[rx.crc_status],
        meta=rx.metadata or None,
        context=rx.context or None,
    )
    since, fine = rx.time_since_gps_epoch, rx.fine_time_since_gps_epoch
    if fine is not None and fine.ns >= 0:
        reception.fine_time_ns = fine.ns % SECOND
        since = fine
    if since is not None and since.ns >= 0:
        reception.gps_time_ms = since.ns // 1_000_000
    return frame.phy_payload, Radio(tx.frequency, modulation, datarate, coderate, [reception])


def _grid_steps(modulation: Modulation | None) -> int | None:
    return modulation.lr_fhss.grid_steps if modulation is not None and modulation.lr_fhss is not None else None


def gateway_of(text: str) -> str:
    """A gateway's id as torhaus writes it: 16 lower-case hex digits. DecodeError(SYNTAX)."""
    eui = text.lower()
    if _EUI.fullmatch(eui) is None:
        raise DecodeError(RejectReason.SYNTAX, "a gateway's id has 16 hex digits")
    return eui
