"""Downlinks: gw.proto's DownlinkFrame to torhaus's words and back, and the answers.

Source: gw.proto (ChirpStack v4).
"""

from typing import Final

from torhaus.codecs.framing.chirpstack_gw.fields import Span
from torhaus.codecs.framing.chirpstack_gw.messages import (
    MAX_TX_ITEMS,
    DelayTimingInfo,
    DownlinkFrame,
    DownlinkFrameItem,
    DownlinkTxAck,
    DownlinkTxAckItem,
    DownlinkTxInfo,
    FskModulationInfo,
    GpsEpochTimingInfo,
    ImmediatelyTimingInfo,
    Modulation,
    Timing,
    TxAckStatus,
)
from torhaus.codecs.framing.chirpstack_gw.modulation import lora, words
from torhaus.codecs.framing.chirpstack_gw.uplink import MAX_CONTEXT, MAX_PHY, gateway_of
from torhaus.codecs.lorawan.downlink import After, AtGpsTime, Downlink, Immediately, TxAnswer, TxItem, TxStatus
from torhaus.codecs.lorawan.downlink import Timing as When
from torhaus.codecs.model import DecodeError, RejectReason

MAX_DELAY_US: Final = 60_000_000
"""RX1 is after 15 s at most (LoRaWAN RxDelay)."""
MAX_POWER_DBM: Final = 127
_DEFAULT_POWER_DBM: Final = 14
"""EIRP that is asked for where a TxItem names none: allowed on every LoRaWAN channel of EU868 (16 dBm at most)."""
_US: Final = 1_000


def downlink(frame: DownlinkFrame) -> Downlink:
    """What is to be sent. DecodeError when any item of it cannot be."""
    if not 1 <= len(frame.items) <= MAX_TX_ITEMS:
        raise DecodeError(RejectReason.RANGE, f"a downlink with {len(frame.items)} items")
    return Downlink(gateway_of(frame.gateway_id), tuple(map(_item, frame.items)))


def _item(item: DownlinkFrameItem) -> TxItem:
    info = item.tx_info
    if info is None:
        raise DecodeError(RejectReason.SHORT, "an item without txInfo")
    if not 1 <= len(item.phy_payload) <= MAX_PHY:
        raise DecodeError(RejectReason.RANGE, f"PHYPayload of {len(item.phy_payload)} bytes")
    if not info.frequency or abs(info.power) > MAX_POWER_DBM:
        raise DecodeError(RejectReason.RANGE, f"{info.frequency} Hz with {info.power} dBm")
    modulation, datarate, coderate = words(info.modulation)
    assert info.modulation is not None
    as_lora, fsk = info.modulation.lora, info.modulation.fsk
    if as_lora is None and fsk is None:
        raise DecodeError(RejectReason.UNSUPPORTED, f"{modulation} is not sent by gateways")
    return TxItem(
        data=item.phy_payload,
        freq_hz=info.frequency,
        modulation=modulation,
        datarate=datarate,
        at=_when(info),
        coderate=coderate,
        power_dbm=float(info.power),
        invert_polarization=as_lora is not None and as_lora.polarization_inversion,
        crc=as_lora is None or not as_lora.no_crc,
        preamble=(as_lora.preamble or None) if as_lora is not None else None,
        deviation_hz=(fsk.frequency_deviation or None) if fsk is not None else None,
        board=info.board,
        antenna=info.antenna,
    )


def _when(info: DownlinkTxInfo) -> When:
    timing = info.timing or Timing()
    if timing.immediately is not None:
        return Immediately()
    if timing.delay is not None:
        delay_us = (timing.delay.delay or Span(0)).ns // _US
        if not 0 <= delay_us <= MAX_DELAY_US:
            raise DecodeError(RejectReason.RANGE, f"a delay of {delay_us} µs")
        if not 1 <= len(info.context) <= MAX_CONTEXT:
            raise DecodeError(
                RejectReason.RANGE, f"a delay after a reception, with a context of {len(info.context)} bytes"
            )
        return After(delay_us, info.context)
    if timing.gps_epoch is not None:
        gps_us = (timing.gps_epoch.time_since_gps_epoch or Span(0)).ns // _US
        if gps_us <= 0:
            raise DecodeError(RejectReason.RANGE, "a GPS time before 1980")
        return AtGpsTime(gps_us)
    raise DecodeError(RejectReason.SHORT, "an item without a timing")


def downlink_frame(asked: Downlink, downlink_id: int) -> DownlinkFrame:
    """The message of a downlink. DecodeError(RANGE) when gw.proto cannot say it."""
    return DownlinkFrame(downlink_id, asked.gateway, [_frame_item(item) for item in asked.items])


def _frame_item(item: TxItem) -> DownlinkFrameItem:
    match item.at:
        case Immediately():
            context, timing = b"", Timing(immediately=ImmediatelyTimingInfo())
        case After(delay_us=delay_us, context=context):
            timing = Timing(delay=DelayTimingInfo(Span(delay_us * _US)))
        case AtGpsTime(gps_us=gps_us):
            context, timing = b"", Timing(gps_epoch=GpsEpochTimingInfo(Span(gps_us * _US)))
    if item.modulation == "LORA":
        modulation = lora(
            item.datarate,
            item.coderate,
            invert=item.invert_polarization,
            preamble=item.preamble or 0,
            no_crc=not item.crc,
        )
    elif item.modulation == "FSK" and item.datarate.isdecimal() and len(item.datarate) < 10:
        modulation = Modulation(fsk=FskModulationInfo(item.deviation_hz or 0, int(item.datarate)))
    else:
        raise DecodeError(RejectReason.RANGE, f"{item.modulation[:16]} with data rate {item.datarate[:16]!r}")
    info = DownlinkTxInfo(
        frequency=item.freq_hz,
        power=round(_DEFAULT_POWER_DBM if item.power_dbm is None else item.power_dbm),
        modulation=modulation,
        board=item.board or 0,
        antenna=item.antenna or 0,
        timing=timing,
        context=context,
    )
    return DownlinkFrameItem(item.data, info)


def tx_ack(downlink_id: int, gateway: str, answers: tuple[TxAnswer, ...]) -> DownlinkTxAck:
    """The message that answers a downlink: one status for each item. What only torhaus says is INTERNAL_ERROR there."""
    items = [DownlinkTxAckItem(_status(answer.status)) for answer in answers]
    return DownlinkTxAck(gateway, downlink_id, items)


def _status(status: TxStatus) -> TxAckStatus:
    named = TxAckStatus.__members__
    return named.get(status.value, TxAckStatus.INTERNAL_ERROR)


def answers(ack: DownlinkTxAck, items: int) -> tuple[TxAnswer, ...]:
    """One answer for each of so many items; NO_ANSWER for those of which the message does not speak."""
    said = [TxAnswer(TxStatus(item.status.value)) for item in ack.items[:items]]
    return (*said, *(TxAnswer(TxStatus.NO_ANSWER),) * (items - len(said)))
