"""The network side of simulated gateways: a packet forwarder (GWMP) or a Basics Station for each, in real time.

Both have their counter from the town, and hand it what they are to send.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import aiohttp
import msgspec

from torhaus.codecs.framing.basics_station import station
from torhaus.codecs.lorawan.airtime import airtime_us
from torhaus.codecs.lorawan.region import datarate
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import DecodeError, Radio
from torhaus.daemon.demo.gateway import LEAD_US, SimulatedGateway
from torhaus.daemon.demo.gateway import Sent as GwmpSent

PULL_S: Final = 5.0
RETRY_S: Final = 2.0
_XTIME: Final = 0x51 << 48
"""A station's times carry the number of its session in the upper bits."""
_SECOND_US: Final = 1_000_000
_WRAP: Final = 1 << 32


class Order(msgspec.Struct, frozen=True, gc=False):
    """A downlink that a gateway takes: to be sent at `at_us` of the town's time."""

    phy: bytes
    freq_hz: int
    datarate: str
    at_us: int


class End(Protocol):
    """One gateway. `why` says why it has no server, where that is so."""

    why: str

    @property
    def refused(self) -> Mapping[str, int]:
        """Downlinks that were not sent, by the reason: TOO_LATE, or COLLISION_PACKET with another one."""
        ...

    async def run(self) -> None:
        """Speak with the server until cancelled."""
        ...

    def hear(self, phy: bytes, radio: Radio, dr: int, at_us: int) -> None:
        """Tell it of a frame that ended then."""
        ...


class GwmpEnd:
    """Host and port of a GWMP server. `now_us` is the town's time; each `pull_s` the way down is opened again."""

    def __init__(
        self,
        eui: str,
        host: str,
        port: int,
        now_us: Callable[[], int],
        order: Callable[[Order], None],
        pull_s: float = PULL_S,
    ) -> None:
        self._pull_s = pull_s
        self.why = ""  # there is no socket
        self._host, self._port = host, port
        self._is_open = False
        self._now_us = now_us
        self._order = order
        self._gateway = SimulatedGateway(eui, counter_us=lambda: now_us() & (_WRAP - 1))
        self._gateway.on_sent = self._take

    @property
    def refused(self) -> Mapping[str, int]:
        """Downlinks that were not sent, by the reason."""
        return Counter(error for _, error in self._gateway.refused)

    async def run(self) -> None:
        """Keep the way down open."""
        while not self._is_open:
            try:
                await self._gateway.open(self._host, self._port)
                self._is_open, self.why = True, ""
            except OSError as e:  # a name that cannot be looked up just now
                self.why = str(e)
                await asyncio.sleep(RETRY_S)
        try:
            while True:
                self._gateway.pull()
                await asyncio.sleep(self._pull_s)
        finally:
            self._is_open = False
            self._gateway.close()

    def hear(self, phy: bytes, radio: Radio, *_: int) -> None:
        """Tell the server of a frame."""
        if self._is_open:
            self._gateway.hear([(phy, radio)])

    def _take(self, sent: GwmpSent) -> None:
        now_us = self._now_us()  # the counter wraps every 71 minutes, the town's time does not
        at_us = now_us + ((sent.at_us - now_us + _WRAP // 2) & (_WRAP - 1)) - _WRAP // 2
        self._order(Order(sent.txpk.data, sent.txpk.freq_hz, sent.txpk.datarate, at_us))
        del self._gateway.sent[:-64]


class StationEnd:
    """`url` is that of the server: ws://host:port or wss://host:port."""

    def __init__(
        self, eui: str, url: str, region: Region, now_us: Callable[[], int], order: Callable[[Order], None]
    ) -> None:
        self.refused: Counter[str] = Counter()
        self.why = ""  # it is not connected
        self._eui = eui
        self._url = url.rstrip("/")
        self._region = region
        self._now_us = now_us
        self._order = order
        self._on_air: list[tuple[int, int]] = []
        self._out: asyncio.Queue[bytes] = asyncio.Queue(1024)

    async def run(self) -> None:
        """Connect, and again after a moment when the connection is lost."""
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    await self._talk(session)
                except (aiohttp.ClientError, OSError, DecodeError, TimeoutError) as e:
                    self.why = str(e) or type(e).__name__
                await asyncio.sleep(RETRY_S)

    def hear(self, phy: bytes, radio: Radio, dr: int, at_us: int) -> None:
        """Tell the server of a frame; without a connection it is lost, as with a real station."""
        rx = radio.rx[0]
        message = station.heard(phy, dr, radio.freq_hz, _XTIME + at_us, rx.rssi_dbm or 0.0, rx.snr_db or 0.0)
        with contextlib.suppress(asyncio.QueueFull):
            self._out.put_nowait(message)

    async def _talk(self, session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(f"{self._url}/router-info") as socket:
            await socket.send_str(station.question(self._eui).decode())
            async with asyncio.timeout(10):
                uri = station.parse_answer(_text(await socket.receive()))
        async with session.ws_connect(uri) as socket:
            await socket.send_str(station.version("simulated").decode())
            while not self._out.empty():
                self._out.get_nowait()
            self.why = ""
            async with asyncio.TaskGroup() as group:
                saying = group.create_task(self._say(socket), name=f"station {self._eui}")
                try:
                    while True:
                        message = await socket.receive()
                        if message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}:
                            break
                        self._listen(_text(message))
                finally:
                    saying.cancel()

    async def _say(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with contextlib.suppress(aiohttp.ClientError, OSError):  # who listens notices that it is gone
            while True:
                await socket.send_str((await self._out.get()).decode())

    def _listen(self, text: bytes) -> None:
        try:
            said = station.parse_message(text)
            if not isinstance(said, station.DnMsg):
                return
            phy = said.phy()
        except DecodeError:
            return  # a station drops what it does not know
        windows = [(said.RX1Freq, said.RX1DR, 0), (said.RX2Freq, said.RX2DR, _SECOND_US)]
        why = "TOO_LATE"
        start_us = said.xtime - _XTIME + (said.RxDelay or 1) * _SECOND_US
        for hz, dr, later_us in windows:
            if hz is None or dr is None:
                continue
            at_us = self._now_us() + LEAD_US if said.dC == station.CLASS_C else start_us + later_us
            if at_us - self._now_us() < LEAD_US:
                continue
            if not self._has_time(dr, at_us, len(phy)):
                why = "COLLISION_PACKET"
                continue
            self._order(Order(phy, hz, datarate(self._region, dr).datarate, at_us))
            with contextlib.suppress(asyncio.QueueFull):
                self._out.put_nowait(station.sent(said, dr, hz, _XTIME + at_us))
            return
        self.refused[why] += 1

    def _has_time(self, dr: int, at_us: int, size: int) -> bool:
        """Whether it sends nothing else then; if so, it sends this."""
        rate = datarate(self._region, dr)
        end_us = at_us + airtime_us(rate.modulation, rate.datarate, size, rate.coderate, uplink=False)
        self._on_air = [(begin, end) for begin, end in self._on_air if end > self._now_us()]
        if any(begin < end_us and end > at_us for begin, end in self._on_air):
            return False
        self._on_air.append((at_us, end_us))
        return True


def _text(message: aiohttp.WSMessage) -> bytes:
    data = message.data
    return data.encode() if isinstance(data, str) else b"" if not isinstance(data, bytes) else data
