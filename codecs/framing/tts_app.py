"""The Things Stack's events for applications (v3, MQTT, JSON): uplinks and joins. Pure.

Source: The Things Stack documentation, "MQTT Server" and "Data Formats"; protobuf's JSON mapping of its API, so numbers
of 64 bits are texts, and what is zero may be left out. Topic: v3/<application>@<tenant>/devices/<device>/<up, join>.
"""

import re
from typing import Annotated, Final

import msgspec

from torhaus.codecs.framing.chirpstack_gw.times import parse_moment
from torhaus.codecs.framing.semtech_udp import decode_base64
from torhaus.codecs.model import DecodeError, Radio, Reception, RejectReason, Served

MAX_MESSAGE: Final = 65_536
"""Bytes of one message; a decoded payload with a dozen gateways has a few thousand."""
MAX_GATEWAYS: Final = 64
MAX_NS: Final = 7_258_118_400 * 10**9
"""The year 2200: what is beyond it does not fit what times are kept in."""
MAX_PAYLOAD: Final = 242
"""LoRaWAN Regional Parameters: the longest application payload of any data rate."""
KINDS: Final = ("up", "join")
_TOPIC: Final = re.compile(r"v3/[a-z0-9-]{1,64}(?:@[a-z0-9-]{1,64})?/devices/[a-z0-9-]{1,64}/([a-z/]{1,32})", re.ASCII)
_UNIQUE: Final = "as:up:"
"""How the id begins, among the correlation ids, that an uplink has to itself."""

_Text = Annotated[str, msgspec.Meta(max_length=256)]
_Time = Annotated[str, msgspec.Meta(max_length=64)]
_Eui = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{16}\Z")]
_Level = Annotated[float, msgspec.Meta(ge=-300, le=100)]
_Number = Annotated[int, msgspec.Meta(ge=0, le=255)]
_Counter = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]


class _GatewayIds(msgspec.Struct, gc=False):
    gateway_id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{0,64}\Z")] = ""
    eui: _Eui | None = None


class _Rx(msgspec.Struct, gc=False):
    gateway_ids: _GatewayIds
    time: _Time | None = None
    timestamp: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)] | None = None
    rssi: _Level | None = None
    channel_rssi: _Level | None = None
    signal_rssi: _Level | None = None
    snr: _Level | None = None
    channel_index: _Number | None = None
    antenna_index: _Number | None = None


class _Lora(msgspec.Struct, gc=False):
    bandwidth: Annotated[int, msgspec.Meta(ge=1000, lt=10_000_000)]
    spreading_factor: Annotated[int, msgspec.Meta(ge=5, le=12)]
    coding_rate: Annotated[str, msgspec.Meta(pattern=r"^([0-9]/[0-9](LI)?)?\Z")] = ""


class _Fsk(msgspec.Struct, gc=False):
    bit_rate: Annotated[int, msgspec.Meta(ge=300, le=500_000)]


class _LrFhss(msgspec.Struct, gc=False):
    operating_channel_width: Annotated[int, msgspec.Meta(ge=1000, lt=100_000_000)] = 137_000
    coding_rate: Annotated[str, msgspec.Meta(pattern=r"^([0-9]/[0-9])?\Z")] = ""


class _DataRate(msgspec.Struct, gc=False):
    lora: _Lora | None = None
    fsk: _Fsk | None = None
    lrfhss: _LrFhss | None = None


class _Settings(msgspec.Struct, gc=False):
    data_rate: _DataRate
    frequency: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6,10}\Z")] | Annotated[int, msgspec.Meta(gt=0, lt=1 << 32)]
    coding_rate: Annotated[str, msgspec.Meta(pattern=r"^([0-9]/[0-9](LI)?)?\Z")] = ""


class _Uplink(msgspec.Struct, gc=False):
    f_port: _Number = 0
    f_cnt: _Counter = 0
    frm_payload: Annotated[str, msgspec.Meta(max_length=512)] = ""
    rx_metadata: list[_Rx] = []
    settings: _Settings | None = None
    received_at: _Time | None = None
    confirmed: bool = False


class _Join(msgspec.Struct, gc=False):
    received_at: _Time | None = None


class _Ids(msgspec.Struct, gc=False):
    dev_eui: _Eui
    dev_addr: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{8}\Z")] | None = None


class _Message(msgspec.Struct, gc=False):
    end_device_ids: _Ids
    correlation_ids: Annotated[list[_Text], msgspec.Meta(max_length=64)] = []
    received_at: _Time | None = None
    uplink_message: _Uplink | None = None
    join_accept: _Join | None = None


_decode: Final = msgspec.json.Decoder(_Message).decode
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def parse(topic: str, payload: bytes) -> Served | None:
    """One message; None for kinds of messages that are of no use here. DecodeError."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, "not a topic of The Things Stack's applications")
    if found[1] not in KINDS:
        return None
    if len(payload) > MAX_MESSAGE:
        raise DecodeError(RejectReason.LONG, f"{len(payload)} bytes of JSON, at most {MAX_MESSAGE} are read")
    try:
        message = _decode(payload)
    except _UNREADABLE as e:
        raise DecodeError(RejectReason.SYNTAX, f"not an uplink or join: {e}") from None
    dev_eui = message.end_device_ids.dev_eui.lower()
    part = message.uplink_message if found[1] == "up" else message.join_accept
    if part is None:
        raise DecodeError(RejectReason.SYNTAX, f"a message on {found[1]} without what belongs there")
    text = part.received_at or message.received_at
    at_ns = None if text is None else parse_moment(text)
    if at_ns is not None and not 0 <= at_ns < MAX_NS:
        raise DecodeError(RejectReason.RANGE, "a time before 1970 or after 2200")
    if isinstance(part, _Uplink):
        return _uplink(dev_eui, message, part, at_ns)
    address = (message.end_device_ids.dev_addr or "").lower()
    return Served(dev_eui, f"join {dev_eui} {address} {text}", at_ns, event={"event": "join", "dev_addr": address})


def _uplink(dev_eui: str, message: _Message, up: _Uplink, at_ns: int | None) -> Served:
    payload = decode_base64(up.frm_payload)
    if len(payload) > MAX_PAYLOAD:
        raise DecodeError(RejectReason.LONG, f"a payload of {len(payload)} bytes, at most {MAX_PAYLOAD} fit a frame")
    unique = next((one for one in message.correlation_ids if one.startswith(_UNIQUE)), "")
    key = unique or f"{dev_eui} {up.f_cnt} {up.received_at or message.received_at}"
    radio = None if up.settings is None else _radio(up.settings, up.rx_metadata)
    return Served(dev_eui, key, at_ns, radio, up.f_port or None, up.f_cnt, up.confirmed, payload if up.f_port else None)


def _radio(settings: _Settings, metadata: list[_Rx]) -> Radio:
    rate, freq_hz = settings.data_rate, int(settings.frequency)
    rx = [_reception(one) for one in metadata[:MAX_GATEWAYS]]
    if rate.lora is not None:
        khz = f"{rate.lora.bandwidth / 1000:.2f}".rstrip("0").rstrip(".")
        coding = rate.lora.coding_rate or settings.coding_rate or None
        return Radio(freq_hz, "LORA", f"SF{rate.lora.spreading_factor}BW{khz}", coding, rx)
    if rate.fsk is not None:
        return Radio(freq_hz, "FSK", str(rate.fsk.bit_rate), None, rx)
    if rate.lrfhss is not None:
        width = rate.lrfhss.operating_channel_width // 1000
        return Radio(freq_hz, "LR-FHSS", f"M0CW{width}", rate.lrfhss.coding_rate or None, rx)
    raise DecodeError(RejectReason.UNKNOWN_TYPE, "no modulation that is known")


def _reception(rx: _Rx) -> Reception:
    """One gateway's. Those of other networks have no EUI here: then it is their id."""
    ids = rx.gateway_ids
    return Reception(
        ids.eui.lower() if ids.eui is not None else ids.gateway_id,
        rssi_dbm=rx.rssi if rx.rssi is not None else rx.channel_rssi,
        snr_db=rx.snr,
        signal_rssi_dbm=rx.signal_rssi,
        channel=rx.channel_index,
        antenna=rx.antenna_index,
        tmst_us=rx.timestamp,
        time=rx.time,
    )
