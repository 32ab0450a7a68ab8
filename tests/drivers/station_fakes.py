"""A strict station: it asks, connects and complains as lorabasics/basicstation 2.0.6 does (src/tc.c, src/s2e.c)."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final

import aiohttp
import msgspec

from tests.codecs.station_messages import said
from tests.drivers.gwmp_fakes import Host as GwmpHost
from torhaus.drivers import basics_station
from torhaus.drivers.base import GatewayLeft, GatewayRefused, GatewaySeen
from torhaus.drivers.basics_station import Config
from torhaus.drivers.stations.server import StationServer

EUI = "aa555a0000000101"
OTHER = "aa555a00000001ff"
PHY = bytes.fromhex("40ABCDEFFF01F3F4FF202122A0A1A2A3")
MAX_URI: Final = 127
ROUTER_CONFIG: Final = {
    "msgtype", "NetID", "JoinEui", "region", "hwspec", "freq_range", "DRs", "sx1301_conf", "upchannels", "max_eirp",
    "bcning", "MuxTime",
}  # fmt: skip
DNMSG: Final = {
    "msgtype", "DevEui", "dC", "diid", "pdu", "priority", "RxDelay", "RX1DR", "RX1Freq", "RX2DR", "RX2Freq", "DR",
    "Freq", "gpstime", "xtime", "rctx", "MuxTime", "preamble", "addcrc",
}  # fmt: skip


class Host(GwmpHost):
    """The daemon's side. `synced` is the clock's state."""

    def __init__(self) -> None:
        super().__init__()
        self.holding = False
        self.synced = True

    def stamp(self) -> Any:
        return msgspec.structs.replace(super().stamp(), synced=self.synced)

    def seen(self) -> list[str]:
        return [e.gateway for e in self.events if isinstance(e, GatewaySeen)]

    def left(self) -> list[tuple[str, str]]:
        return [(e.gateway, e.detail) for e in self.events if isinstance(e, GatewayLeft)]

    def refused(self) -> list[GatewayRefused]:
        return [e for e in self.events if isinstance(e, GatewayRefused)]


class Refused(Exception):  # noqa: N818 - reads as a fact
    """The server did not let the station in, and why."""


class Station:
    """One gateway. `tls` as for a client; `token` is the header line of its tc.key."""

    def __init__(
        self, port: int, eui: str = EUI, *, tls: ssl.SSLContext | None = None, token: str | None = None
    ) -> None:
        self.eui = eui
        self.name: str | int = ":".join(eui[i : i + 4] for i in range(0, 16, 4))
        self.uri = ""
        self.config: dict[str, Any] = {}
        self._base = f"{'wss' if tls else 'ws'}://127.0.0.1:{port}"
        self._http = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        self._tls: Any = tls if tls is not None else True
        self._headers = dict([token.split(": ", 1)]) if token else {}
        self._session = aiohttp.ClientSession()
        self._socket: aiohttp.ClientWebSocketResponse
        self._xtime = count((0x45 << 48) + 1_000_000, 250_000)

    async def discover(self) -> str:
        """Ask where the data goes. Raises Refused."""
        socket = await self._open(f"{self._base}/router-info")
        await socket.send_str(json.dumps({"router": self.name}))
        answer = json.loads((await socket.receive()).data)
        assert set(answer) <= {"router", "muxs", "uri", "error"}
        assert answer["router"] == self.name
        last = await socket.receive()
        assert last.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
        await socket.close()
        if "error" in answer or "uri" not in answer:
            raise Refused(answer.get("error"))
        self.uri = answer["uri"]
        scheme, _, rest = self.uri.partition("://")
        host, _, path = rest.partition("/")
        assert scheme in {"ws", "wss"}
        assert host.rpartition(":")[2].isdigit()
        assert path
        assert len(self.uri) <= MAX_URI
        return self.uri

    async def connect(self, uri: str = "") -> None:
        """The data connection, up to the router_config. Raises Refused."""
        self._socket = await self._open(uri or self.uri or f"{self._base}/router/{self.eui}")
        version = {"msgtype": "version", "station": "2.0.6(linux/std)", "firmware": None, "package": None}
        await self.say(version | {"model": "linux", "protocol": 2, "features": "rmtsh gps"})
        self.config = await self.hear()
        assert set(self.config) <= ROUTER_CONFIG
        assert self.config["msgtype"] == "router_config"
        assert self.config["hwspec"] == "sx1301/1"
        assert len(self.config["sx1301_conf"]) == 1
        assert len(self.config["DRs"]) == 16

    async def start(self) -> "Station":
        """All of it."""
        await self.discover()
        await self.connect()
        return self

    async def _open(self, uri: str) -> aiohttp.ClientWebSocketResponse:
        try:
            return await self._session.ws_connect(
                uri, ssl=self._tls, headers=self._headers, autoping=False, compress=0, autoclose=False
            )
        except aiohttp.WSServerHandshakeError as e:
            raise Refused(e.status) from None
        except aiohttp.ClientConnectionError as e:
            raise Refused(str(e)) from None

    async def say(self, message: dict[str, Any] | str) -> None:
        await self._socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def say_bytes(self, data: bytes) -> None:
        await self._socket.send_bytes(data)

    async def ping(self) -> None:
        await self._socket.ping(b"are you there")

    async def pong(self) -> None:
        await self._socket.pong()

    async def hear(self) -> dict[str, Any]:
        """The next message, pings left out. Raises ConnectionError when there is none any more."""
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                found: dict[str, Any] = json.loads(message.data)
                return found
            if message.type not in {aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG}:
                raise ConnectionError(message.type)

    async def hear_any(self) -> aiohttp.WSMsgType:
        return (await self._socket.receive()).type

    async def heard_frame(self, phy: bytes = PHY, **changes: Any) -> dict[str, Any]:
        """A frame from the air goes to the server; what was said of it is returned."""
        info = {"rctx": 0, "xtime": next(self._xtime), "gpstime": 0, "fts": -1, "rssi": -50, "snr": 9.25, "rxtime": 1.5}
        message = said(phy, **({"upinfo": info} | changes))
        await self.say(message)
        return message

    async def downlink(self) -> dict[str, Any]:
        """The next message, which must be a downlink that a station takes (handle_dnmsg)."""
        dn = await self.hear()
        assert dn["msgtype"] == "dnmsg"
        assert set(dn) <= DNMSG
        assert {"DevEui", "dC", "diid", "pdu"} <= set(dn)
        assert int(dn["DevEui"].replace("-", ""), 16)
        assert dn["dC"] in {0, 1, 2}
        assert 1 <= len(bytes.fromhex(dn["pdu"])) <= 255
        assert 0 <= dn["priority"] <= 255
        assert 0 <= dn.get("RxDelay", 1) <= 15
        for dr, freq in (("RX1DR", "RX1Freq"), ("RX2DR", "RX2Freq"), ("DR", "Freq")):
            assert (dr in dn) == (freq in dn)
            if dr in dn:
                assert self.config["DRs"][dn[dr]][0] >= 0
                assert self.config["freq_range"][0] <= dn[freq] <= self.config["freq_range"][1]
        assert {0: "RX1Freq" in dn and "xtime" in dn, 1: "gpstime" in dn, 2: "RX2Freq" in dn}[dn["dC"]]
        return dn

    async def sent(self, dn: dict[str, Any], window: str = "RX1", **changes: Any) -> None:
        """Say that a downlink was sent in RX1, in RX2, or (window "") at its time."""
        await self.say(
            {
                "msgtype": "dntxed",
                "seqno": dn["diid"],
                "diid": dn["diid"],
                "DR": dn[f"{window}DR"],
                "Freq": dn[f"{window}Freq"],
                "DevEui": dn["DevEui"],
                "rctx": 0,
                "xtime": dn.get("xtime", 0),
                "txtime": 1.25,
                "gpstime": 0,
            }
            | changes
        )

    async def update_info(self, **changes: Any) -> tuple[int, bytes]:
        """Ask the update server: status and body."""
        asked: dict[str, Any] = {
            "router": self.name,
            "cupsUri": "",
            "tcUri": "",
            "cupsCredCrc": 2077607535,
            "tcCredCrc": 2077607535,
        }
        asked |= {"station": "2.0.6(linux/std)", "model": "linux", "package": "1.0.0", "keys": []}
        where = f"{self._http}/update-info"
        async with self._session.post(where, json=asked | changes, ssl=self._tls, headers=self._headers) as answer:
            return answer.status, await answer.read()

    def drop(self) -> None:
        """Gone without a word: no close frame, no FIN that means anything."""
        transport = self._socket._response.connection.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.abort()

    def fall_silent(self) -> None:
        """Half open: nothing is read any more, nothing said, and nothing closed."""
        transport = self._socket._response.connection.transport  # type: ignore[union-attr]
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()

    async def close(self) -> None:
        await self._session.close()


def config(**values: object) -> Config:
    given = {"name": "stations", "type": "basics_station", "listen": "127.0.0.1:0", "stats_s": 0} | values
    return msgspec.convert(given, Config)


@asynccontextmanager
async def running(host: Host, **values: object) -> AsyncIterator[StationServer]:
    server = basics_station.open(config(**values))
    task = asyncio.create_task(server.run(host))
    bound = asyncio.create_task(server.bound.wait())
    await asyncio.wait([task, bound], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        bound.cancel()
        task.result()
    try:
        yield server
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert server.sessions == {}


@asynccontextmanager
async def station(server: StationServer, eui: str = EUI, **more: Any) -> AsyncIterator[Station]:
    made = Station(server.port, eui, **more)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def raw(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection for bytes of any kind."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def until(condition: Any) -> None:
    """Wait for what others do: each turn of the loop takes in what the kernel has."""
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not happen")
