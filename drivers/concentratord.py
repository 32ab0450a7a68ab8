"""ChirpStack Concentratord on this machine: uplinks and reports over its ZeroMQ sockets, downlinks back.

Since its version 4.5 each message is one part: protobuf, gw.Event on the event socket (PUB), gw.Command and the bare
answer on the command socket (REP). Messages: torhaus.codecs.framing.chirpstack_gw. Nothing is acknowledged: what is
published while nobody listens, or could not be stored, is lost.
"""

import asyncio
import math
from functools import partial
from typing import Annotated, Final, Literal

import msgspec
import zmq

from torhaus.codecs.framing.chirpstack_gw.as_protobuf import from_protobuf, needed
from torhaus.codecs.framing.chirpstack_gw.commands import Event, GatewayConfiguration
from torhaus.codecs.framing.chirpstack_gw.stats import Values, stat_values
from torhaus.codecs.framing.chirpstack_gw.uplink import gateway_of, received
from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer, TxStatus
from torhaus.codecs.model import DecodeError, Frame, Reject, RejectReason, Stamp
from torhaus.drivers.base import DriverGone, GatewayLeft, GatewayReachable, GatewaySeen, GatewayStats, Host, LinkChanged
from torhaus.drivers.concentratord_commands import Commands, everywhere
from torhaus.drivers.downlink import Configured
from torhaus.drivers.said import Said
from torhaus.drivers.window import Window
from torhaus.drivers.zmq_socket import ZmqSocket, check_url

needed()  # protobuf: what is missing is missed when the configuration is checked

PROTOCOL: Final = "concentratord"
MAX_OUTSTANDING: Final = 1_000
"""Events that may be handed over and not on disk yet; further ones wait in the socket's queue."""
MAX_AT_ONCE: Final = 256
MAX_IDS: Final = 16
"""Gateways that one Concentratord may speak for: one, in truth."""
ASK_AGAIN_S: Final = 5.0
RENEW_S: Final = 2.0
"""So long the library may take to come back by itself when the connection has ended."""
PATIENCE_S: Final = 60.0
"""So long it stays subscribed with neither events nor an answer; then all is made anew."""
CONFIGURE_AGAIN_S: Final = 300.0
"""It starts anew for other channels; a server that never finds what it asked for would have it do so all the time."""
_MISSED: Final = frozenset({TxStatus.NO_GATEWAY, TxStatus.NO_ANSWER})


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type. The URLs are Concentratord's `event_bind` and `command_bind`."""

    name: str
    type: Literal["concentratord"] = "concentratord"
    event_url: str = "ipc:///tmp/concentratord_event"
    command_url: str = "ipc:///tmp/concentratord_command"
    gateway: Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{16})?$")] = ""
    command_timeout_s: Annotated[float, msgspec.Meta(ge=0.02, le=10)] = 0.1
    silence_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 65
    channels_from_server: bool = False
    queue_events: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 10_000

    def __post_init__(self) -> None:
        for key in ("event_url", "command_url"):
            try:
                check_url(getattr(self, key))
            except ValueError as e:
                raise ValueError(f"{key} {e}") from None


def open(config: Config) -> "Concentratord":  # noqa: A001 - the door every driver module has
    """The driver; it connects when it is run."""
    return Concentratord(config)


class Concentratord:
    """One Concentratord, which is one gateway."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._expected = config.gateway.lower()
        self.gateways = [self._expected] if self._expected else []
        self._quiet_s = config.silence_s or math.inf
        self._commands: Commands | None = None
        self._configured_s = -math.inf  # when it was last given channels (the loop's time)
        self._host: Host
        self._loop: asyncio.AbstractEventLoop
        self._reset()

    def _reset(self) -> None:
        self._window = Window(MAX_OUTSTANDING)
        self._seen: dict[str, bool] = {}  # gateways it speaks for, and whether each is the expected one
        self._own: str | None = None  # the gateway that it says it is
        self._place: Values = {}
        self._answering = False  # the command socket
        self._told_up: tuple[bool, str] | None = None
        self._event_s = -math.inf  # when the last good event came (the loop's time)
        self._wait: asyncio.Timeout | None = None

    async def run(self, host: Host) -> None:
        """Receive until cancelled. Raises DriverGone when there was no sign of life for too long."""
        self._reset()
        self._host, self._loop = host, asyncio.get_running_loop()
        self._ask_s = self._since_s = self._loop.time()  # when to ask again; since when there was no answer
        context = zmq.Context[zmq.Socket[bytes]]()
        self._commands = commands = Commands(context, self.config.command_url, self.config.command_timeout_s)
        try:
            while True:
                await self._listen(context, commands)
        except zmq.ZMQError as e:
            raise DriverGone(f"ZeroMQ: {e}") from e
        finally:
            self._leave()
            self._commands = None
            commands.close()
            context.term()

    async def _listen(self, context: "zmq.Context[zmq.Socket[bytes]]", commands: Commands) -> None:
        """Receive until the subscription may be dead. Raises DriverGone."""
        events = ZmqSocket(context, zmq.SUB, self.config.event_url, self.config.queue_events, self._ask_soon)
        try:
            while True:
                if self._loop.time() >= self._ask_s:
                    if await self._is_deaf(commands, events):
                        return
                elif await self._is_there(events):
                    await self._window.room()
                    self._take(events)
                    await asyncio.sleep(0)  # what was handed over has its turn
        finally:
            events.close()

    async def _is_there(self, events: ZmqSocket) -> bool:
        """Whether an event came before it was time to ask."""
        try:
            async with asyncio.timeout_at(None if math.isinf(self._ask_s) else self._ask_s) as self._wait:
                await events.ready(zmq.POLLIN)
        except TimeoutError:
            return False
        finally:
            self._wait = None
        return True

    # -- signs of life ------------------------------------------------------------------------------------------------

    async def _is_deaf(self, commands: Commands, events: ZmqSocket) -> bool:
        """Ask who it is. True when it answers and yet no events can come: the subscription may be dead."""
        was_answering, gateway = self._answering, await commands.who()
        now = self._loop.time()
        silent = now - self._event_s >= self._quiet_s
        if gateway is None:
            self._answering = False
            self._ask_s = now + ASK_AGAIN_S
            self._since_s = now if was_answering else self._since_s
            if silent or events.lost_s is not None or self._event_s == -math.inf:
                self._tell(up=False, detail=commands.why)
                self._leave(detail=str(commands.why))
                self._own = None
            elif self._seen:
                self._tell(up=True, detail=Said("events_but", why=commands.why))
            if now - max(self._since_s, self._event_s) >= PATIENCE_S:
                self._tell(up=False, detail=commands.why)
                raise DriverGone(commands.why)
            return False
        self._answering, self._ask_s = True, now + self._quiet_s
        if self._own != gateway:
            self._leave(but=gateway)  # another card, or another machine behind the URL
            self._own = gateway
        known = self._meet(gateway)
        if known:
            self._host.event(GatewayReachable(gateway, self.config.command_url))
        who = Said("other_gateway", gateway=gateway, expected=self._expected)
        self._tell(up=True, detail=Said("gateway", gateway=gateway) if known else who)
        if not was_answering:
            self._place = await commands.where()
        if events.lost_s is None:
            return was_answering and silent
        if now >= events.lost_s + RENEW_S:
            return True
        self._ask_s = events.lost_s + RENEW_S
        return False

    def _tell(self, *, up: bool, detail: str) -> None:
        if self._told_up != (up, detail):
            self._told_up = (up, detail)
            self._host.event(LinkChanged(up, detail))

    def _meet(self, gateway: str) -> bool:
        """Whether it is the expected gateway."""
        known = self._seen.get(gateway)
        if known is None:
            known = self._expected in {"", gateway}
            if len(self._seen) >= MAX_IDS:
                return False  # no gateway, whatever it is
            self._seen[gateway] = known
            listed = known and bool(self._expected)
            self._host.event(GatewaySeen(gateway, self.config.event_url, PROTOCOL, known, listed))
        return known

    def _leave(self, but: str | None = None, detail: str = "") -> None:
        for gateway in [g for g in self._seen if g != but]:
            del self._seen[gateway]
            self._host.event(GatewayLeft(gateway, detail))

    # -- up -----------------------------------------------------------------------------------------------------------

    def _take(self, events: ZmqSocket) -> None:
        """Hand over the events that are there."""
        at, came, met = self._host.stamp(), 0, len(self._seen)
        frames, rejects, reports = list[Frame](), list[Reject](), list[GatewayStats]()
        while came < MAX_AT_ONCE and events.is_ready(zmq.POLLIN):
            parts = events.receive()
            if parts is None:
                continue
            came += 1
            try:
                self._look(parts, at, frames, reports)
            except DecodeError as e:
                rejects.append(Reject(parts[0], e.reason, e.detail, self.config.event_url))
        if frames or rejects:
            n = len(frames) + len(rejects)
            self._host.deliver(frames, rejects, self._window.taken(n, partial(self._stored, n)))
        for report in reports:
            self._host.deliver([], [], self._window.taken(1, partial(self._stored, 1)), report)
        if frames or reports:
            self._event_s = now = self._loop.time()
            if self._answering:
                self._ask_s = now if len(self._seen) > met else now + self._quiet_s
            elif self._told_up is None or not self._told_up[0]:
                self._tell(up=True, detail=Said("events"))

    def _stored(self, n: int, stored: bool) -> None:
        if not stored:  # Concentratord keeps nothing: they are lost, and counted
            for _ in range(n):
                self._host.ack_withheld()

    def _look(self, parts: list[bytes], at: Stamp, frames: list[Frame], reports: list[GatewayStats]) -> None:
        """Sort one event. Raises DecodeError."""
        if len(parts) > 1:
            raise DecodeError(RejectReason.UNSUPPORTED, "an event in several parts, as Concentratord before 4.5 sends")
        event = from_protobuf(Event, parts[0])
        if event.uplink_frame is not None:
            phy, radio = received(event.uplink_frame)
            stranger = None if self._meet(radio.rx[0].gateway) else RejectReason.UNKNOWN_GATEWAY
            frames.append(Frame(self.config.name, phy, at, radio, None, stranger))
        elif event.gateway_stats is not None:
            gateway = gateway_of(event.gateway_stats.gateway_id)
            stranger = None if self._meet(gateway) else RejectReason.UNKNOWN_GATEWAY
            reports.append(GatewayStats(gateway, self._place | stat_values(event.gateway_stats), at, stranger))
        elif event.mesh is not None:
            raise DecodeError(RejectReason.UNSUPPORTED, "an event of a gateway mesh")
        else:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, "an event of a kind that is not known")

    # -- down ---------------------------------------------------------------------------------------------------------

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """Hand it to Concentratord, which tries the items in order and says at once what it made of each."""
        commands = self._commands
        if commands is None or not self._seen.get(downlink.gateway):
            return everywhere(TxStatus.NO_GATEWAY, len(downlink.items))
        said = await commands.transmit(downlink, self._host.boot_ns)
        if any(answer.status in _MISSED for answer in said):
            self._ask_soon()
        return said

    async def configure(self, configuration: GatewayConfiguration) -> Configured:
        """Pass on what a network server wants it to listen on, where that is allowed (drivers.downlink)."""
        if not self.config.channels_from_server:
            return Configured("refused", "channels_from_server of its driver is false")
        if self._commands is None or not self._seen.get(configuration.gateway_id.lower()):
            return Configured("no_gateway", "Concentratord is not there")
        now = self._loop.time()
        if now - self._configured_s < CONFIGURE_AGAIN_S:
            return Configured("again", f"it had other channels less than {CONFIGURE_AGAIN_S / 60:.0f} minutes ago")
        self._configured_s = now
        said = await self._commands.configure(configuration)
        if said.result == "no_gateway":
            self._configured_s = -math.inf
        self._ask_soon()
        return said

    def _ask_soon(self) -> None:
        """See whether it is there."""
        self._ask_s = min(self._ask_s, self._loop.time())
        if self._wait is not None and not self._wait.expired():
            self._wait.reschedule(self._ask_s)
