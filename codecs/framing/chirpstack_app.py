"""ChirpStack's events for applications (v4, MQTT integration, JSON): uplinks, joins and devices' status. Pure.

Source: api/proto/integration/integration.proto of ChirpStack v4, in protobuf's JSON mapping; what is not used here is
left out. Topic: application/<application id>/device/<DevEUI>/event/<up, join, status>.
"""

import re
from typing import Annotated, Final

import msgspec

from torhaus.codecs.framing.chirpstack_gw.as_json import from_json
from torhaus.codecs.framing.chirpstack_gw.fields import Field, Message, Moment
from torhaus.codecs.framing.chirpstack_gw.messages import UplinkFrame, UplinkRxInfo, UplinkTxInfo
from torhaus.codecs.framing.chirpstack_gw.uplink import received
from torhaus.codecs.model import DecodeError, Radio, RejectReason, Served

MAX_GATEWAYS: Final = 64
"""Receptions of one uplink that are kept: those the server puts first."""
MAX_PAYLOAD: Final = 242
"""LoRaWAN Regional Parameters: the longest application payload of any data rate."""
MAX_NS: Final = 7_258_118_400 * 10**9
"""The year 2200: what is beyond it does not fit what times are kept in."""
KINDS: Final = ("up", "join", "status")
_TOPIC: Final = re.compile(r"(?:.*/)?application/[^/]{1,64}/device/([0-9a-fA-F]{16})/event/([a-z]{1,16})", re.DOTALL)


class DeviceInfo(Message, frozen=True):
    """Which device it is."""

    dev_eui: Annotated[str, Field(8)] = ""


class _Event(Message, frozen=True):
    deduplication_id: Annotated[str, Field(1)] = ""
    time: Annotated[Moment | None, Field(2)] = None
    device_info: Annotated[DeviceInfo | None, Field(3)] = None


class UplinkEvent(_Event, frozen=True):
    """An uplink, once, with every gateway that heard it."""

    f_cnt: Annotated[int, Field(7)] = 0
    f_port: Annotated[int, Field(8)] = 0
    confirmed: Annotated[bool, Field(9)] = False
    data: Annotated[bytes, Field(10)] = b""
    rx_info: Annotated[list[UplinkRxInfo], Field(12)] = []  # noqa: RUF012 - msgspec makes a new one for each
    tx_info: Annotated[UplinkTxInfo | None, Field(13)] = None


class JoinEvent(_Event, frozen=True):
    """A device has joined."""

    dev_addr: Annotated[str, Field(4)] = ""


class StatusEvent(_Event, frozen=True):
    """A device's answer to DevStatusReq. `margin` in dB, `battery_level` in per cent."""

    margin: Annotated[int, Field(5, "int32")] = 0
    external_power_source: Annotated[bool, Field(6)] = False
    battery_level_unavailable: Annotated[bool, Field(7)] = False
    battery_level: Annotated[float, Field(8)] = 0.0


def parse(topic: str, payload: bytes) -> Served | None:
    """One message; None for kinds of events that are of no use here. DecodeError."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, "not a topic of ChirpStack's events")
    dev_eui, kind = found[1].lower(), found[2]
    if kind not in KINDS:
        return None
    if payload[:1].strip() != b"{":
        raise DecodeError(RejectReason.UNSUPPORTED, "not JSON: the integration must have json = true")
    if kind == "up":
        return _uplink(dev_eui, from_json(UplinkEvent, payload))
    if kind == "join":
        join = from_json(JoinEvent, payload)
        return _event(dev_eui, join, {"event": "join", "dev_addr": join.dev_addr.lower()})
    status = from_json(StatusEvent, payload)
    values: dict[str, float | int | str] = {"event": "status", "margin_db": status.margin}
    values["external_power"] = int(status.external_power_source)
    if not (status.external_power_source or status.battery_level_unavailable):
        values["battery_percent"] = round(status.battery_level, 2)
    return _event(dev_eui, status, values)


def _checked(dev_eui: str, event: _Event) -> int | None:
    """The time of an event that is of the device that its topic names."""
    if event.device_info is None or event.device_info.dev_eui.lower() != dev_eui:
        raise DecodeError(RejectReason.SYNTAX, "the DevEUI is not that of the topic")
    if event.time is not None and not 0 <= event.time.ns < MAX_NS:
        raise DecodeError(RejectReason.RANGE, "a time before 1970 or after 2200")
    return None if event.time is None else event.time.ns


def _event(dev_eui: str, event: _Event, values: dict[str, float | int | str]) -> Served:
    return Served(dev_eui, event.deduplication_id, _checked(dev_eui, event), event=values)


def _uplink(dev_eui: str, up: UplinkEvent) -> Served:
    at_ns = _checked(dev_eui, up)
    if len(up.data) > MAX_PAYLOAD:
        raise DecodeError(RejectReason.LONG, f"a payload of {len(up.data)} bytes, at most {MAX_PAYLOAD} fit a frame")
    if up.f_port > 255:
        raise DecodeError(RejectReason.RANGE, f"FPort {up.f_port}")
    radio: Radio | None = None
    for rx in up.rx_info[:MAX_GATEWAYS]:
        _, one = received(UplinkFrame(b"?", up.tx_info, msgspec.structs.replace(rx, context=b"", metadata={})))
        if radio is None:
            radio = one
        else:
            radio.rx += one.rx
    payload = up.data if up.f_port else None
    return Served(dev_eui, up.deduplication_id, at_ns, radio, up.f_port or None, up.f_cnt, up.confirmed, payload)
