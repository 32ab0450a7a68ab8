"""Messages of gw.proto around a gateway itself: its state, configuration and commands; and Concentratord's envelopes.

`Event` and `Command` are what goes over Concentratord's ZeroMQ sockets (since its version 4.5); each holds one of
several messages. Messages of a mesh are not handled: of these only the gateway's id is read.
"""

from typing import Annotated

from torhaus.codecs.framing.chirpstack_gw.fields import Field, Message, Moment, Span
from torhaus.codecs.framing.chirpstack_gw.messages import (
    MAX_META,
    MAX_STREAM,
    DownlinkFrame,
    GatewayStats,
    Location,
    State,
    UplinkFrame,
)


class ConnState(Message, frozen=True):
    """Whether a gateway is connected: retained, and the last will."""

    gateway_id: Annotated[str, Field(3)] = ""
    state: Annotated[State, Field(2)] = State.OFFLINE


class LoraModulationConfig(Message, frozen=True):
    """`bandwidth` in Hz."""

    bandwidth: Annotated[int, Field(3)] = 0
    spreading_factors: Annotated[list[int], Field(2)] = []


class FskModulationConfig(Message, frozen=True):
    """`bandwidth` in Hz, `bitrate` in bit/s."""

    bandwidth: Annotated[int, Field(3)] = 0
    bitrate: Annotated[int, Field(2)] = 0


class ChannelConfiguration(Message, frozen=True):
    """A channel that the gateway is to listen on. `frequency` in Hz."""

    frequency: Annotated[int, Field(1)] = 0
    lora_modulation_config: Annotated[LoraModulationConfig | None, Field(3, choice="modulation_config")] = None
    fsk_modulation_config: Annotated[FskModulationConfig | None, Field(4, choice="modulation_config")] = None
    board: Annotated[int, Field(5)] = 0
    demodulator: Annotated[int, Field(6)] = 0


class GatewayConfiguration(Message, frozen=True):
    """What a network server wants the gateway to listen on."""

    gateway_id: Annotated[str, Field(5)] = ""
    version: Annotated[str, Field(2)] = ""
    channels: Annotated[list[ChannelConfiguration], Field(3)] = []
    stats_interval: Annotated[Span | None, Field(4)] = None


class GetGatewayIdRequest(Message, frozen=True):
    """Asks who it is."""


class GetGatewayIdResponse(Message, frozen=True):
    """16 hex digits."""

    gateway_id: Annotated[str, Field(1)] = ""


class GetLocationRequest(Message, frozen=True):
    """Asks where it is."""


class GetLocationResponse(Message, frozen=True):
    """Absent when it does not know."""

    location: Annotated[Location | None, Field(1)] = None
    updated_at: Annotated[Moment | None, Field(2)] = None


class GatewayCommandExecRequest(Message, frozen=True):
    """Run a command that the gateway has under this name."""

    gateway_id: Annotated[str, Field(6)] = ""
    command: Annotated[str, Field(2)] = ""
    exec_id: Annotated[int, Field(7)] = 0
    stdin: Annotated[bytes, Field(4, most=MAX_STREAM)] = b""
    environment: Annotated[dict[str, str], Field(5, most=MAX_META)] = {}


class GatewayCommandExecResponse(Message, frozen=True):
    """What came of it; `error` when it could not be run or failed."""

    gateway_id: Annotated[str, Field(6)] = ""
    exec_id: Annotated[int, Field(7)] = 0
    stdout: Annotated[bytes, Field(3, most=MAX_STREAM)] = b""
    stderr: Annotated[bytes, Field(4, most=MAX_STREAM)] = b""
    error: Annotated[str, Field(5, most=1024)] = ""


class RawPacketForwarderEvent(Message, frozen=True):
    """Bytes of the packet forwarder's own protocol, from the gateway."""

    gateway_id: Annotated[str, Field(4)] = ""
    payload: Annotated[bytes, Field(3, most=MAX_STREAM)] = b""


class RawPacketForwarderCommand(Message, frozen=True):
    """Bytes of the packet forwarder's own protocol, to the gateway."""

    gateway_id: Annotated[str, Field(4)] = ""
    payload: Annotated[bytes, Field(3, most=MAX_STREAM)] = b""


class Mesh(Message, frozen=True):
    """Something of a mesh of gateways; the rest of it is not read."""

    gateway_id: Annotated[str, Field(1)] = ""


class Event(Message, frozen=True):
    """What Concentratord publishes: one of three."""

    uplink_frame: Annotated[UplinkFrame | None, Field(1, choice="event")] = None
    gateway_stats: Annotated[GatewayStats | None, Field(2, choice="event")] = None
    mesh: Annotated[Mesh | None, Field(3, choice="event")] = None


class Command(Message, frozen=True):
    """What Concentratord is asked: one of these."""

    send_downlink_frame: Annotated[DownlinkFrame | None, Field(1, choice="command")] = None
    set_gateway_configuration: Annotated[GatewayConfiguration | None, Field(2, choice="command")] = None
    get_gateway_id: Annotated[GetGatewayIdRequest | None, Field(3, choice="command")] = None
    get_location: Annotated[GetLocationRequest | None, Field(4, choice="command")] = None
    mesh: Annotated[Mesh | None, Field(5, choice="command")] = None
