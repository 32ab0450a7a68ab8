"""The messages of gw.proto and common.proto (ChirpStack v4), as they are today; what was legacy there is left out.

A field's number and type are those of the protobuf definition. Numbers of enumerations follow their order.
"""

from enum import StrEnum
from typing import Annotated, Final

from torhaus.codecs.framing.chirpstack_gw.fields import Field, Message, Moment, Span

MAX_TX_ITEMS: Final = 16
"""Ways to send one downlink: two are the rule."""
MAX_META: Final = 64
MAX_STREAM: Final = 49_152
"""Bytes of a command's input or output."""


class CodeRate(StrEnum):
    """Forward error correction. `LI` is long interleaving (2.4 GHz)."""

    CR_UNDEFINED = "CR_UNDEFINED"
    CR_4_5 = "CR_4_5"
    CR_4_6 = "CR_4_6"
    CR_4_7 = "CR_4_7"
    CR_4_8 = "CR_4_8"
    CR_3_8 = "CR_3_8"
    CR_2_6 = "CR_2_6"
    CR_1_4 = "CR_1_4"
    CR_1_6 = "CR_1_6"
    CR_5_6 = "CR_5_6"
    CR_LI_4_5 = "CR_LI_4_5"
    CR_LI_4_6 = "CR_LI_4_6"
    CR_LI_4_8 = "CR_LI_4_8"


class CrcStatus(StrEnum):
    """What the concentrator says of the radio CRC."""

    NO_CRC = "NO_CRC"
    BAD_CRC = "BAD_CRC"
    CRC_OK = "CRC_OK"


class TxAckStatus(StrEnum):
    """What became of one item of a downlink."""

    IGNORED = "IGNORED"
    OK = "OK"
    TOO_LATE = "TOO_LATE"
    TOO_EARLY = "TOO_EARLY"
    COLLISION_PACKET = "COLLISION_PACKET"
    COLLISION_BEACON = "COLLISION_BEACON"
    TX_FREQ = "TX_FREQ"
    TX_POWER = "TX_POWER"
    GPS_UNLOCKED = "GPS_UNLOCKED"
    QUEUE_FULL = "QUEUE_FULL"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    DUTY_CYCLE_OVERFLOW = "DUTY_CYCLE_OVERFLOW"


class State(StrEnum):
    """Whether a gateway is connected."""

    OFFLINE = "OFFLINE"
    ONLINE = "ONLINE"


class LocationSource(StrEnum):
    """Where a position is from."""

    UNKNOWN = "UNKNOWN"
    GPS = "GPS"
    CONFIG = "CONFIG"
    GEO_RESOLVER_TDOA = "GEO_RESOLVER_TDOA"
    GEO_RESOLVER_RSSI = "GEO_RESOLVER_RSSI"
    GEO_RESOLVER_GNSS = "GEO_RESOLVER_GNSS"
    GEO_RESOLVER_WIFI = "GEO_RESOLVER_WIFI"


class Regulation(StrEnum):
    """The rules by which a gateway counts its time on air."""

    REGULATION_UNKNOWN = "REGULATION_UNKNOWN"
    ETSI_EN_300_220 = "ETSI_EN_300_220"


class Location(Message, frozen=True):
    """Degrees (WGS 84) and metres."""

    latitude: Annotated[float, Field(1, "double")] = 0.0
    longitude: Annotated[float, Field(2, "double")] = 0.0
    altitude: Annotated[float, Field(3, "double")] = 0.0
    source: Annotated[LocationSource, Field(4)] = LocationSource.UNKNOWN
    accuracy: Annotated[float, Field(5)] = 0.0


class LoraModulationInfo(Message, frozen=True):
    """`bandwidth` in Hz."""

    bandwidth: Annotated[int, Field(1)] = 0
    spreading_factor: Annotated[int, Field(2)] = 0
    polarization_inversion: Annotated[bool, Field(4)] = False
    code_rate: Annotated[CodeRate, Field(5)] = CodeRate.CR_UNDEFINED
    preamble: Annotated[int, Field(6)] = 0
    no_crc: Annotated[bool, Field(7)] = False


class FskModulationInfo(Message, frozen=True):
    """`frequency_deviation` in Hz, `datarate` in bit/s."""

    frequency_deviation: Annotated[int, Field(1)] = 0
    datarate: Annotated[int, Field(2)] = 0


class LrFhssModulationInfo(Message, frozen=True):
    """`operating_channel_width` in Hz."""

    operating_channel_width: Annotated[int, Field(1)] = 0
    grid_steps: Annotated[int, Field(3)] = 0
    code_rate: Annotated[CodeRate, Field(4)] = CodeRate.CR_UNDEFINED


class Modulation(Message, frozen=True):
    """One of three."""

    lora: Annotated[LoraModulationInfo | None, Field(3, choice="parameters")] = None
    fsk: Annotated[FskModulationInfo | None, Field(4, choice="parameters")] = None
    lr_fhss: Annotated[LrFhssModulationInfo | None, Field(5, choice="parameters")] = None


class UplinkTxInfo(Message, frozen=True):
    """How the device sent. `frequency` in Hz."""

    frequency: Annotated[int, Field(1)] = 0
    modulation: Annotated[Modulation | None, Field(2)] = None


class UplinkRxInfo(Message, frozen=True):
    """How one gateway heard it. `rssi` in dBm, `snr` in dB; `context` is the gateway's own business."""

    gateway_id: Annotated[str, Field(1)] = ""
    uplink_id: Annotated[int, Field(2)] = 0
    gw_time: Annotated[Moment | None, Field(3)] = None
    ns_time: Annotated[Moment | None, Field(17)] = None
    time_since_gps_epoch: Annotated[Span | None, Field(4)] = None
    fine_time_since_gps_epoch: Annotated[Span | None, Field(5)] = None
    rssi: Annotated[int, Field(6, "int32")] = 0
    snr: Annotated[float, Field(7)] = 0.0
    channel: Annotated[int, Field(8)] = 0
    rf_chain: Annotated[int, Field(9)] = 0
    board: Annotated[int, Field(10)] = 0
    antenna: Annotated[int, Field(11)] = 0
    location: Annotated[Location | None, Field(12)] = None
    context: Annotated[bytes, Field(13)] = b""
    metadata: Annotated[dict[str, str], Field(15, most=MAX_META)] = {}
    crc_status: Annotated[CrcStatus, Field(16)] = CrcStatus.NO_CRC


class UplinkFrame(Message, frozen=True):
    """A frame as one gateway heard it."""

    phy_payload: Annotated[bytes, Field(1)] = b""
    tx_info: Annotated[UplinkTxInfo | None, Field(4)] = None
    rx_info: Annotated[UplinkRxInfo | None, Field(5)] = None


class ImmediatelyTimingInfo(Message, frozen=True):
    """As soon as possible."""


class DelayTimingInfo(Message, frozen=True):
    """So long after the reception that the context is of."""

    delay: Annotated[Span | None, Field(1)] = None


class GpsEpochTimingInfo(Message, frozen=True):
    """At a time."""

    time_since_gps_epoch: Annotated[Span | None, Field(1)] = None


class Timing(Message, frozen=True):
    """One of three."""

    immediately: Annotated[ImmediatelyTimingInfo | None, Field(1, choice="parameters")] = None
    delay: Annotated[DelayTimingInfo | None, Field(2, choice="parameters")] = None
    gps_epoch: Annotated[GpsEpochTimingInfo | None, Field(3, choice="parameters")] = None


class DownlinkTxInfo(Message, frozen=True):
    """How to send. `frequency` in Hz, `power` in dBm EIRP."""

    frequency: Annotated[int, Field(1)] = 0
    power: Annotated[int, Field(2, "int32")] = 0
    modulation: Annotated[Modulation | None, Field(3)] = None
    board: Annotated[int, Field(4)] = 0
    antenna: Annotated[int, Field(5)] = 0
    timing: Annotated[Timing | None, Field(6)] = None
    context: Annotated[bytes, Field(7)] = b""


class DownlinkFrameItem(Message, frozen=True):
    """One way to send."""

    phy_payload: Annotated[bytes, Field(1)] = b""
    tx_info: Annotated[DownlinkTxInfo | None, Field(3)] = None


class DownlinkFrame(Message, frozen=True):
    """A frame for one gateway. The items are tried in order until one is sent."""

    downlink_id: Annotated[int, Field(3)] = 0
    gateway_id: Annotated[str, Field(7)] = ""
    items: Annotated[list[DownlinkFrameItem], Field(5, most=MAX_TX_ITEMS)] = []


class DownlinkTxAckItem(Message, frozen=True):
    """What became of one item."""

    status: Annotated[TxAckStatus, Field(1)] = TxAckStatus.IGNORED


class DownlinkTxAck(Message, frozen=True):
    """One answer for each item of a downlink, in order."""

    gateway_id: Annotated[str, Field(6)] = ""
    downlink_id: Annotated[int, Field(2)] = 0
    items: Annotated[list[DownlinkTxAckItem], Field(5, most=MAX_TX_ITEMS)] = []


class PerModulationCount(Message, frozen=True):
    """So many packets of one modulation."""

    modulation: Annotated[Modulation | None, Field(1)] = None
    count: Annotated[int, Field(2)] = 0


class DutyCycleBand(Message, frozen=True):
    """Time on air within the window. Frequencies in Hz."""

    name: Annotated[str, Field(1)] = ""
    frequency_min: Annotated[int, Field(2)] = 0
    frequency_max: Annotated[int, Field(3)] = 0
    load_max: Annotated[Span | None, Field(4)] = None
    load_tracked: Annotated[Span | None, Field(5)] = None


class DutyCycleStats(Message, frozen=True):
    """A gateway's account of its time on air."""

    regulation: Annotated[Regulation, Field(1)] = Regulation.REGULATION_UNKNOWN
    window: Annotated[Span | None, Field(2)] = None
    bands: Annotated[list[DutyCycleBand], Field(3)] = []


class GatewayStats(Message, frozen=True):
    """A gateway's own report. Counts are since the report before."""

    gateway_id: Annotated[str, Field(17)] = ""
    time: Annotated[Moment | None, Field(2)] = None
    location: Annotated[Location | None, Field(3)] = None
    config_version: Annotated[str, Field(4)] = ""
    rx_packets_received: Annotated[int, Field(5)] = 0
    rx_packets_received_ok: Annotated[int, Field(6)] = 0
    tx_packets_received: Annotated[int, Field(7)] = 0
    tx_packets_emitted: Annotated[int, Field(8)] = 0
    metadata: Annotated[dict[str, str], Field(10, most=MAX_META)] = {}
    tx_packets_per_frequency: Annotated[dict[int, int], Field(12)] = {}
    rx_packets_per_frequency: Annotated[dict[int, int], Field(13)] = {}
    tx_packets_per_modulation: Annotated[list[PerModulationCount], Field(14)] = []
    rx_packets_per_modulation: Annotated[list[PerModulationCount], Field(15)] = []
    tx_packets_per_status: Annotated[dict[str, int], Field(16)] = {}
    duty_cycle_stats: Annotated[DutyCycleStats | None, Field(18)] = None
