"""Forwarder `gwmp`: raw frames to a network server that speaks GWMP (Semtech UDP), such as The Things Stack.

Each gateway here is one packet forwarder there. A frame counts as delivered when the PUSH_ACK with the token of its
very datagram has come. Wire format: torhaus.codecs.framing.semtech_udp. What relays have in common: relay.py.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from torhaus.codecs.framing.semtech_udp_down import TxAck, parse_pull_resp
from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer, TxStatus
from torhaus.codecs.model import DecodeError
from torhaus.daemon import logs
from torhaus.daemon.config.model import parse_address
from torhaus.daemon.forward.base import Context, Item, Outcome, Unavailable
from torhaus.daemon.forward.gwmp_config import MAX_GATEWAYS, Config
from torhaus.daemon.forward.gwmp_frames import Uplink, datagrams, item_of, tx_ack_of, uplink_of
from torhaus.daemon.forward.gwmp_gateway import SimulatedGateway, Stat
from torhaus.daemon.forward.relay import EUI, LATE_S, age_s, is_join
from torhaus.daemon.lora.filters import parse_eui
from torhaus.daemon.supervise import together

__all__ = ["RELAY", "Config", "GwmpForwarder", "open_forwarder"]

RELAY: Final = True
JOIN_S: Final = 5.0
"""JOIN_ACCEPT_DELAY1 (RP002): an older join-request cannot be answered, and would only cost the device its session."""
REPORT_S: Final = 60.0
"""A gateway's own report is passed on no later than this: it tells of just now."""
MAX_DOWNLINKS: Final = 64
"""Downlinks under way at once, and as many that wait."""
KNOWN_BEFORE: Final = 10
"""So many times longer it takes until a gateway that the server did answer counts as unknown to it."""


def open_forwarder(config: Config, context: Context) -> "GwmpForwarder":
    """The forwarder; touches nothing until it is opened."""
    return GwmpForwarder(config, context)


class GwmpForwarder:
    """One server."""

    max_batch = 64
    concurrency = 1

    def __init__(self, config: Config, context: Context) -> None:
        self.note: str | None = None
        self._config = config
        self._clock = context.clock
        self._way_down = context.downlinks if config.downlinks else None
        self._present: Callable[[], list[str]] = list if context.downlinks is None else context.downlinks.present
        self._remote = {g.local.lower(): (g.remote or g.local).lower() for g in config.gateway}
        self._address: tuple[str, int] | None = None
        self._tries = 0
        self._gateways: dict[str, SimulatedGateway] = {}  # by local EUI; the one that was silent the longest first
        self._pulled: asyncio.Queue[tuple[SimulatedGateway, bytes]]
        self._word: asyncio.Future[None]  # the server has answered
        self._lost: asyncio.Future[str]
        self._unread: str | None = None  # why a PULL_RESP could not be read

    async def open(self) -> None:
        """Look the server up, and have it answer for the gateways that are named, or else there. Raises Unavailable."""
        await self.close()
        loop = asyncio.get_running_loop()
        self._word, self._lost = loop.create_future(), loop.create_future()
        self._pulled = asyncio.Queue(MAX_DOWNLINKS)
        self._address = await self._resolve()
        named = [*self._remote, *map(parse_eui, self._config.filter.gateways)]
        known = dict.fromkeys(named or filter(EUI.fullmatch, self._present()))
        try:
            for eui in list(known)[:MAX_GATEWAYS]:
                await self._gateway(eui)
            if known:
                await self._first_word()
        except BaseException:
            self._tries += 1  # another of its addresses next time
            await self.close()
            raise

    async def _resolve(self) -> tuple[str, int]:
        host, port = parse_address(self._config.server)
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except OSError as e:
            raise Unavailable(f"{host} has no address: {e.strerror or e}") from None
        addresses = list(dict.fromkeys(entry[4][:2] for entry in found))
        address = addresses[self._tries % len(addresses)]
        return str(address[0]), int(address[1])

    async def _first_word(self) -> None:
        both: list[asyncio.Future[None] | asyncio.Future[str]] = [self._word, self._lost]
        await asyncio.wait(both, timeout=self._config.ack_timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if self._lost.done():
            raise Unavailable(self._lost.result())
        if not self._word.done():
            raise Unavailable(f"no PULL_ACK within {self._config.ack_timeout_s:g} s")

    async def _gateway(self, eui: str) -> SimulatedGateway:
        """The one that speaks for this gateway. Raises Unavailable."""
        gateway = self._gateways.pop(eui, None)
        if gateway is None:
            assert self._address is not None
            if len(self._gateways) >= MAX_GATEWAYS:
                self._gateways.pop(next(iter(self._gateways))).close()
            gateway = SimulatedGateway(eui, self._remote.get(eui, eui), self._clock, self)
            try:
                await gateway.open(self._address)
            except OSError as e:
                raise Unavailable(f"{self._config.server}: {e.strerror or e}") from None
            gateway.keep_alive()
        self._gateways[eui] = gateway
        return gateway

    def answered(self) -> None:
        """The server has answered for one of them."""
        if not self._word.done():
            self._word.set_result(None)

    def lost(self, why: str) -> None:
        """There is no way to the server."""
        if not self._lost.done():
            self._lost.set_result(why)

    # -- up -----------------------------------------------------------------------------------------------------------

    async def send(self, batch: list[Item]) -> Outcome:
        """Each frame in a PUSH_DATA of its gateway, then wait for the PUSH_ACKs. Raises Unavailable."""
        if self._address is None:
            raise Unavailable("not connected")
        outcome = Outcome([], {}, {}, {})
        by_gateway: dict[str, list[Uplink]] = {}
        reports: list[tuple[int, str, Stat]] = []
        for i, item in enumerate(batch):
            message = item.message
            age = age_s(message, self._clock)
            if message.kind == "event":
                values = dict(message.event or {})
                eui = str(values.pop("gateway", ""))
                if age > REPORT_S:
                    outcome.dropped[i] = "late_report"
                else:
                    reports.append((i, eui, values))
                continue
            if is_join(message) and age > JOIN_S:
                outcome.dropped[i] = "stale_join"
                continue
            if age > LATE_S and self._config.late == "drop":
                outcome.dropped[i] = "late"
                continue
            uplink = uplink_of(i, message, age)
            if uplink is None or EUI.fullmatch(uplink.gateway) is None:
                outcome.rejected[i] = "not a frame that a gateway with an EUI has heard"
            else:
                by_gateway.setdefault(uplink.gateway, []).append(uplink)
        for i, eui, _ in reports:
            if EUI.fullmatch(eui) is None:
                outcome.rejected[i] = "not a report of a gateway with an EUI"
        reports = [report for report in reports if report[0] not in outcome.rejected]
        gateways = {eui: await self._gateway(eui) for eui in dict.fromkeys([*by_gateway, *(r[1] for r in reports)])}
        async with asyncio.TaskGroup() as group:
            for eui, uplinks in by_gateway.items():
                for parcel in datagrams(uplinks, gateways[eui].remote):
                    group.create_task(self._push(gateways[eui], parcel, outcome))
            for i, eui, values in reports:
                group.create_task(self._report(gateways[eui], i, values, outcome))
        return outcome

    async def _push(self, gateway: SimulatedGateway, parcel: list[Uplink], outcome: Outcome) -> None:
        if await gateway.push(parcel, self._config.ack_timeout_s):
            outcome.accepted += [one.index for one in parcel]
        elif self._is_refused(gateway):
            why = f"the server answers others, but not gateway {gateway.remote}: is it registered there?"
            outcome.rejected |= {one.index: why for one in parcel}
        else:
            why = f"no PUSH_ACK within {self._config.ack_timeout_s:g} s"
            outcome.kept |= {one.index: why for one in parcel}

    async def _report(self, gateway: SimulatedGateway, index: int, values: Stat, outcome: Outcome) -> None:
        gateway.reported_ns = self._clock.boot_ns()
        if await gateway.push([], self._config.ack_timeout_s, values):
            outcome.accepted.append(index)
        else:
            outcome.dropped[index] = "late_report"  # the next one says more

    def _is_refused(self, gateway: SimulatedGateway) -> bool:
        """Whether the server does not answer for this one, although it was asked often, and does for others."""
        patience = self._config.pull_missed * (1 if gateway.answered_ns is None else KNOWN_BEFORE)
        return gateway.missed >= patience and any(
            other.missed <= 1 and other.answered_ns is not None for other in self._gateways.values()
        )

    # -- what goes on meanwhile ---------------------------------------------------------------------------------------

    async def gone(self) -> None:
        """Keep alive, report, and send down what the server asks for, until it answers no more. Raises Unavailable."""
        if self._address is None:
            raise Unavailable("not connected")
        work: dict[str, Callable[[], Awaitable[None]]] = {
            "keep alive": self._keep_alive,
            "reports": self._report_all,
            "downlinks": self._send_down,
        }
        raise await together(work | {"socket": self._until_lost}, Unavailable)

    async def _until_lost(self) -> None:
        raise Unavailable(await asyncio.shield(self._lost))

    async def _keep_alive(self) -> None:
        most = self._config.pull_missed
        while True:
            await self._clock.sleep(self._config.keepalive_s)
            missing = [g.remote for g in self._gateways.values() if g.missed >= most]
            if missing and len(missing) == len(self._gateways):
                self._tries += 1
                raise Unavailable(f"no PULL_ACK to {most} keep-alives")
            self.note = f"not answered by the server: gateway {', '.join(missing[:4])}" if missing else self._unread
            for gateway in self._gateways.values():
                gateway.keep_alive()

    async def _report_all(self) -> None:
        every = self._config.stat_interval_s
        while True:
            await self._clock.sleep(every or 3600)
            now = self._clock.boot_ns()
            for gateway in list(self._gateways.values()) if every else ():
                if gateway.reported_ns is None or now - gateway.reported_ns > 3 * every * 1e9:  # else it does so itself
                    await gateway.push([], self._config.ack_timeout_s, gateway.stat())

    def pulled(self, gateway: SimulatedGateway, data: bytes) -> None:
        """A gateway was sent a PULL_RESP."""
        try:
            self._pulled.put_nowait((gateway, data))
        except asyncio.QueueFull:
            gateway.answer(data[1:3], TxAck("COLLISION_PACKET"))

    async def _send_down(self) -> None:
        free = asyncio.Semaphore(MAX_DOWNLINKS)
        async with asyncio.TaskGroup() as group:
            while True:
                gateway, data = await self._pulled.get()
                await free.acquire()
                group.create_task(self._transmit(gateway, data)).add_done_callback(lambda _: free.release())

    async def _transmit(self, gateway: SimulatedGateway, data: bytes) -> None:
        try:
            resp = parse_pull_resp(data)
            self._unread = None
        except DecodeError as e:
            self._unread = f"a downlink could not be read: {e.detail or e.reason.value}"
            gateway.answer(data[1:3], TxAck("TOO_LATE"))  # of the words that GWMP has: it will not be sent
            return
        at = gateway.counter.timing_of(resp.txpk)
        if self._way_down is None or at is None:
            gateway.answer(resp.token, TxAck("TOO_LATE"))
            return
        try:
            (answer,) = await self._way_down.send(Downlink(gateway.local, (item_of(resp.txpk, at),)))
        except Exception as e:  # noqa: BLE001 - a defect met on one downlink must not cost the connection
            logs.error("defect", e, component="downlink")
            answer = TxAnswer(TxStatus.INTERNAL_ERROR)
        gateway.answer(resp.token, tx_ack_of(answer))

    async def close(self) -> None:
        """Close the sockets. Never raises."""
        self._address = None
        gateways, self._gateways = self._gateways, {}
        for gateway in gateways.values():
            gateway.close()
