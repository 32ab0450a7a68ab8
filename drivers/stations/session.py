"""One connected station: its words come in, frames go to the host, and it is asked for a sign of life now and then."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Final

from aiohttp import WSMsgType, web

from torhaus.codecs.framing.basics_station import upward
from torhaus.codecs.framing.basics_station.downward import timesync
from torhaus.codecs.framing.basics_station.router_config import router_config
from torhaus.codecs.lorawan.gps_time import gps_ns
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.model import DecodeError, Frame, Reject, RejectReason, Stamp
from torhaus.drivers.base import GatewayReachable, GatewayStats, Host
from torhaus.drivers.basics_station import Config
from torhaus.drivers.stations.sender import Sender

OPEN: Final = "open"
LOST: Final = 1006
"""What stands for a close code where there was none (RFC 6455, section 7.4.1)."""
WRITE_S: Final = 5.0
"""A station that takes nothing for so long is gone."""


class Session:
    """One websocket of one gateway. `stranger`: its name is its own word only, so its reports stay with strangers'."""

    def __init__(
        self,
        config: Config,
        host: Host,
        eui: str,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        numbers: Iterator[int],
        stranger: RejectReason | None,
    ) -> None:
        self.eui = eui
        self.why = OPEN
        self._config = config
        self._host = host
        self._socket = socket
        self._transport = transport
        self._address = _address(transport)
        self._stranger = stranger
        self._region = region(config.region)
        self._is_configured = False
        self._heard = 0
        self._stored = 0
        self.sender = Sender(self._region, numbers, host, self.say)

    @property
    def can_send(self) -> bool:
        """Whether it has its router_config: before that it drops downlinks."""
        return self._is_configured

    async def run(self) -> None:
        """Listen until the station is gone; `why` says how that was."""
        try:
            async with asyncio.TaskGroup() as tasks:
                beside = [tasks.create_task(self._ask_for_life(), name=f"station {self.eui}")]
                if self._config.stats_s:
                    beside.append(tasks.create_task(self._report(), name=f"station {self.eui} stats"))
                await self._listen()
                for task in beside:
                    task.cancel()
        finally:
            self.sender.end()

    def abort(self, why: str) -> None:
        """End at once, also where the far side does not answer any more."""
        self.why = why
        if self._transport is not None:
            self._transport.abort()

    async def say(self, message: bytes) -> bool:
        """Send; False when the station is gone."""
        try:
            async with asyncio.timeout(WRITE_S):
                await self._socket.send_str(message.decode())
        except TimeoutError:
            self.abort(f"took nothing for {WRITE_S:g} s")
            return False
        except (OSError, RuntimeError):  # closed, or closing: aiohttp says so in these two ways
            return False
        return True

    async def _listen(self) -> None:
        while True:
            try:
                # any word of the station is a sign of life: not all of them answer pings as they should
                async with asyncio.timeout(self._config.idle_s):
                    message = await self._socket.receive()
            except TimeoutError:
                self.abort(f"silent for {self._config.idle_s:g} s")
                return
            if message.type is WSMsgType.TEXT:
                await self._look(message.data)
            elif message.type is WSMsgType.PING:
                with contextlib.suppress(OSError, RuntimeError):
                    await self._socket.pong(message.data)
            elif message.type is WSMsgType.BINARY:
                self._refuse(message.data, DecodeError(RejectReason.UNSUPPORTED, "binary: a remote shell is not used"))
            elif message.type is WSMsgType.PONG:
                self._host.event(GatewayReachable(self.eui, self._address))
            else:
                if self.why == OPEN:  # nobody has said why before
                    code, error = self._socket.close_code, message.data if message.type is WSMsgType.ERROR else ""
                    self.why = "connection lost" if code == LOST else f"closed, code {code}"
                    self.why += f": {error}"[:100] if error else ""
                return

    async def _look(self, text: bytes) -> None:
        try:
            await self._take(text)
        except DecodeError as e:
            self._refuse(text, e)
        except Exception as e:  # noqa: BLE001 - a defect met on one message must not cost the others
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": "defect on a station's message", "exception": e})

    async def _take(self, text: bytes) -> None:
        said = upward.parse(text)
        if isinstance(said, upward.Heard):
            at = self._host.stamp()
            phy, radio = upward.frame(said, self._region, self.eui)
            self._heard += 1
            self._host.deliver([Frame(self._config.name, phy, at, radio)], [], self._told)
        elif isinstance(said, upward.Sent):
            self.sender.heard(said)
        elif isinstance(said, upward.TimeAsked):
            await self._tell_time(said, self._host.stamp())
        elif isinstance(said, upward.Version) and not self._is_configured:
            self._host.deliver([], [], None, self._stats(said.values()))
            self._is_configured = await self.say(self._router_config())
            if self._is_configured:
                self._host.event(GatewayReachable(self.eui, self._address))

    def _refuse(self, text: bytes, error: DecodeError) -> None:
        self._host.deliver([], [Reject(text, error.reason, error.detail, self.eui)])

    def _told(self, stored: bool) -> None:
        """The protocol has no acknowledgement: that something was not stored can only be counted."""
        if stored:
            self._stored += 1
        else:
            self._host.ack_withheld()

    def _router_config(self) -> bytes:
        c, now = self._config, self._host.stamp()
        return router_config(
            self._region,
            c.plan(),
            utc_s=now.wall_ns / 1e9 if now.synced else None,
            net_ids=c.net_ids,
            join_euis=c.join_ranges(),
            max_eirp_dbm=c.max_eirp_dbm,
            beacon=c.beacon,
        )

    async def _tell_time(self, asked: upward.TimeAsked, now: Stamp) -> None:
        """A wrong time is worse than none: devices set their clocks by it."""
        if now.synced:
            await self.say(timesync(asked.txtime, gps_ns(now.wall_ns) // 1000, now.wall_ns / 1e9))

    async def _ask_for_life(self) -> None:
        while True:
            await asyncio.sleep(self._config.ping_s)
            with contextlib.suppress(OSError, RuntimeError):
                await self._socket.ping()

    async def _report(self) -> None:
        """Stations say nothing of themselves, so what was counted here is their report, by its GWMP names."""
        while True:
            await asyncio.sleep(self._config.stats_s)
            counted = {"rxnb": self._heard, "rxok": self._heard, "rxfw": self._stored}
            self._heard = self._stored = 0
            sent = {"dwnb": self.sender.asked, "txnb": self.sender.sent}
            self.sender.asked = self.sender.sent = 0
            self._host.deliver([], [], None, self._stats({**counted, **sent}))

    def _stats(self, values: dict[str, float | int | str]) -> GatewayStats:
        return GatewayStats(self.eui, values, self._host.stamp(), self._stranger)


def _address(transport: asyncio.Transport | None) -> str:
    """Address and port of the far side."""
    name = transport.get_extra_info("peername") if transport is not None else None
    return f"{name[0]}:{name[1]}" if name else ""
