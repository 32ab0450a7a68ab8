"""The server side of GWMP (Semtech UDP): packet forwarders send here; they are acknowledged once it is on disk.

Wire format: torhaus.codecs.framing.semtech_udp. What goes back down: torhaus.drivers.semtech_udp_down.
"""

import asyncio
import socket
from collections import Counter, OrderedDict
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Final, Literal

import msgspec

from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer
from torhaus.codecs.model import DecodeError, Frame, Reject, RejectReason, Stamp
from torhaus.drivers.base import Delivery, DriverGone, GatewayReachable, GatewaySeen, GatewayStats, Host, LinkChanged
from torhaus.drivers.batch_send import MAX_BATCH, Address, BatchSender
from torhaus.drivers.said import Said, system
from torhaus.drivers.semtech_udp_down import WayDown

Network = IPv4Network | IPv6Network
Ticket = tuple[tuple[bytes, Address], int]
"""A PUSH_ACK and where it goes; when the datagram came that it acknowledges, in nanoseconds since boot."""

RECEIVE_BUFFER_BYTES: Final = 4 << 20
"""Asked of the kernel, so that a commit on a slow card does not cost datagrams."""
MAX_GATEWAYS: Final = 1024
"""EUIs remembered; the one met the longest ago is forgotten first. EUIs are not authenticated, so they are bounded."""


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One gateway on the allow-list."""

    eui: Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{16}$")]
    networks: list[str] = []

    def __post_init__(self) -> None:
        for network in self.networks:
            ip_network(network)


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type."""

    name: str
    type: Literal["semtech_udp"]
    listen: str = "127.0.0.1:1700"
    gateway: list[Gateway] = []

    def __post_init__(self) -> None:
        split_listen(self.listen)


def split_listen(text: str) -> tuple[str, int]:
    """`host:port` or `[host]:port` to its parts. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not 0 <= int(port) <= 65_535:
        raise ValueError(f"listen is {text!r}, but must be an address and a port such as 0.0.0.0:1700 or [::]:1700")
    ip_address(host.strip("[]"))
    return host.strip("[]"), int(port)


def open(config: Config) -> "SemtechUdp":  # noqa: A001 - the door every driver module has
    """The driver; binds when it is run."""
    return SemtechUdp(config)


class SemtechUdp(asyncio.DatagramProtocol):
    """One UDP socket, any number of gateways."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.port = 0
        self.bound = asyncio.Event()
        self._allowed: dict[str, list[Network]] = {
            g.eui.lower(): [ip_network(n) for n in g.networks] for g in config.gateway
        }
        self.gateways = tuple(self._allowed)  # that the configuration names
        self._seen: OrderedDict[str, tuple[str, bool]] = OrderedDict()
        self._transport: asyncio.DatagramTransport | None = None
        self._came: list[tuple[bytes, Address]] = []  # in this turn of the loop
        self._at: Stamp  # when the first of them came
        self._acks: list[Ticket] = []  # due in this turn of the loop
        self._down = WayDown(self._send, self._boot_ns)
        self._sender: BatchSender
        self._loop: asyncio.AbstractEventLoop
        self._host: Host
        self._lost: asyncio.Future[None]

    async def run(self, host: Host) -> None:
        """Receive until cancelled. Raises DriverGone when the port cannot be had or the socket fails."""
        self._host = host
        self._loop = loop = asyncio.get_running_loop()
        self._lost = loop.create_future()
        address, port = split_listen(self.config.listen)
        try:
            transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(address, port))
        except OSError as e:
            why = e.__cause__ if isinstance(e.__cause__, OSError) else e  # uvloop's own words do not say it
            raise DriverGone(Said("cannot_listen", listen=self.config.listen, why=system(why))) from e
        self._transport = transport
        sock = transport.get_extra_info("socket")
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            self.port = sock.getsockname()[1]
            self._sender = BatchSender(sock)
            self.bound.set()
            host.event(LinkChanged(up=True, detail=Said("udp_port", port=str(self.port))))
            await self._lost
        finally:
            self.bound.clear()
            transport.close()
            self._down.close()

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """Send through a gateway, to where its last PULL_DATA came from (torhaus.drivers.downlink.Transmitter)."""
        return await self._down.transmit(downlink)

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed, by us or by an error."""
        if not self._lost.done():
            self._lost.set_exception(DriverGone(Said("socket_closed", why=str(exc or "no reason given"))))

    def error_received(self, exc: Exception) -> None:
        """An ICMP answer to an acknowledgement: the forwarder is gone. Nothing to do; its next datagram tells."""

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """One datagram. Those of one turn of the loop are looked at together, step by step.

        All are parsed before the first is decoded: a fifth cheaper, since each step's code and data are at hand.
        """
        self._came.append((data, addr))
        if len(self._came) == 1:
            self._at = self._host.stamp()
            self._loop.call_soon(self._take)

    def _take(self) -> None:
        came, self._came = self._came, []
        deliveries: list[Delivery] = []
        pushes: list[tuple[bytes, Address, gwmp.Header, bool]] = []
        for data, addr in came:
            try:
                self._look(data, addr, deliveries, pushes)
            except Exception as e:  # noqa: BLE001 - a defect met on one datagram must not cost the others
                self._loop.call_exception_handler({"message": "defect on a datagram", "exception": e})
        for data, addr, header, known in pushes:
            try:
                self._push(data, addr, header, deliveries, known=known)
            except Exception as e:  # noqa: BLE001 - likewise: packet forwarders send only once
                self._loop.call_exception_handler({"message": "defect on a datagram", "exception": e})
        if deliveries:
            self._host.deliver_all(deliveries, self._answer)

    def _look(
        self,
        data: bytes,
        addr: Address,
        deliveries: list[Delivery],
        pushes: list[tuple[bytes, Address, gwmp.Header, bool]],
    ) -> None:
        try:
            header = gwmp.parse_header(data)
        except DecodeError as e:
            deliveries.append(([], [Reject(data, e.reason, e.detail, str(addr[0]))], None, None))
            return
        seen = self._seen.get(header.gateway)
        known = seen[1] if seen and seen[0] == addr[0] else self._meet(header, addr)
        if header.kind == gwmp.PUSH_DATA:
            pushes.append((data, addr, header, known))
        elif header.kind == gwmp.PULL_DATA:
            self._send(gwmp.ack(header), addr)
            if known:  # anybody can send one in the name of any gateway: downlinks go only to whom the list allows
                self._down.polled(header.gateway, header.version, addr, self._loop.time())
                self._host.event(GatewayReachable(header.gateway, _text(addr)))
        elif known and self._down.awaits(header.gateway, header.token, addr):
            try:
                self._down.answered(header.gateway, header.token, data)
            except DecodeError as e:
                deliveries.append(([], [Reject(data, e.reason, e.detail, header.gateway)], None, None))

    def _push(
        self, data: bytes, addr: Address, header: gwmp.Header, deliveries: list[Delivery], *, known: bool
    ) -> None:
        """Store what it holds, answer afterwards."""
        try:
            push = gwmp.parse_push(data, header.gateway)
        except DecodeError as e:
            # not acknowledged: it cannot be a packet forwarder's, and an answer would tell a scanner that we are here
            deliveries.append(([], [Reject(data, e.reason, e.detail, header.gateway)], None, None))
            return
        at = self._at
        stranger = None if known else RejectReason.UNKNOWN_GATEWAY
        frames = [Frame(self.config.name, phy, at, radio, None, stranger) for phy, radio in push.frames]
        # anybody can send reports in the name of any gateway: only those on the list may go beside the readings
        listed = None if known and header.gateway in self._allowed else RejectReason.UNKNOWN_GATEWAY
        stats = None if push.stat is None else GatewayStats(header.gateway, push.stat, at, listed)
        ticket: Ticket = (gwmp.ack(header), addr), at.boot_ns
        if frames or push.rejects or stats is not None:
            deliveries.append((frames, push.rejects, ticket, stats))
        else:
            self._answer([ticket], True)  # nothing in it: nothing to store

    def _answer(self, tickets: list[Ticket], stored: bool) -> None:
        """Send PUSH_ACKs with all that are due in the same turn of the loop; none for what could not be stored."""
        if not stored:
            for _ in tickets:
                self._host.ack_withheld()
            return
        if not self._acks:
            self._loop.call_soon(self._send_acks)
        self._acks += tickets

    def _send_acks(self) -> None:
        due, self._acks = self._acks, []
        if self._transport is None or self._transport.is_closing():
            return
        acks = [ack for ack, _ in due]
        sent = 0
        while sent < len(acks) and (n := self._sender.send(acks[sent : sent + MAX_BATCH])):
            sent += n
        for answer, addr in acks[sent:]:
            self._transport.sendto(answer, addr)
        now = self._host.boot_ns()
        for came_ns, count in Counter([came_ns for _, came_ns in due]).items():  # those of one turn came together
            self._host.acked((now - came_ns) / 1e9, count)

    def _boot_ns(self) -> int:
        return self._host.boot_ns()

    def _send(self, data: bytes, addr: Address) -> bool:
        """Send one datagram, unless the socket has been closed meanwhile."""
        if self._transport is None or self._transport.is_closing():
            return False
        self._transport.sendto(data, addr)
        return True

    def _meet(self, header: gwmp.Header, addr: Address) -> bool:
        """A gateway that we have not heard of, or that speaks from another address than last time."""
        self._seen.pop(header.gateway, None)
        known = self._is_allowed(header.gateway, addr)
        self._seen[header.gateway] = (addr[0], known)
        if len(self._seen) > MAX_GATEWAYS:
            self._seen.popitem(last=False)
        listed = header.gateway in self._allowed
        self._host.event(GatewaySeen(header.gateway, str(addr[0]), f"gwmp{header.version}", known, listed))
        return known

    def _is_allowed(self, gateway: str, addr: Address) -> bool:
        if not self._allowed:
            return True
        networks = self._allowed.get(gateway)
        if networks is None:
            return False
        if not networks:
            return True
        ip = ip_address(addr[0])
        if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:  # on [::] IPv4 comes as ::ffff:a.b.c.d
            ip = ip.ipv4_mapped
        return any(ip in n for n in networks)


def _text(addr: Address) -> str:
    return f"[{addr[0]}]:{addr[1]}" if ":" in addr[0] else f"{addr[0]}:{addr[1]}"
