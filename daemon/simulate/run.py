"""`torhaus simulate devices`: a town in real time, before a running daemon. What happens is shown in one line."""

import asyncio
import signal
import sys
from collections import Counter, deque
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from random import Random
from typing import Final, TextIO
from urllib.parse import urlsplit

import msgspec

from torhaus.codecs.lorawan.region import region
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import Reception
from torhaus.daemon.clock import Clock
from torhaus.daemon.simulate.air import Air, places
from torhaus.daemon.simulate.device import EndDevice
from torhaus.daemon.simulate.ends import PULL_S, End, GwmpEnd, Order, StationEnd
from torhaus.daemon.simulate.identity import Identity
from torhaus.daemon.simulate.model import SECOND_US, Habits, Transmission
from torhaus.daemon.simulate.town import Town, radio_of

GATEWAY_BASE: Final = 0x0274_6F72_6777_0000
_EVERY_S: Final = 1.0
_LONGEST_S: Final = 0.25
_ENDS_KEPT: Final = 4096


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is simulated. `to` are the servers' addresses: gateways are spread over them in turn."""

    known: tuple[Identity, ...]
    to: tuple[str, ...] = ("udp://127.0.0.1:1700",)
    gateways: int = 1
    seed: int = 1
    region: str = "EU868"
    habits: Habits = Habits()
    loss: float = 0.0
    radius_km: float = 1.0
    pull_s: float = PULL_S
    nonces: dict[str, tuple[int, int]] = {}
    """DevNonce and JoinNonce that devices had last, by DevEUI."""


class Address(msgspec.Struct, frozen=True):
    """Of a server: GWMP over UDP, or the LNS protocol of Basics Station over a websocket."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(url: str) -> Address:
    """udp://HOST:1700, ws://HOST:3001 or wss://HOST:3001. Raises ValueError in words that begin "must be"."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in {"udp", "ws", "wss"} or not parts.hostname or port is None or parts.path.strip("/"):
        raise ValueError("must be udp://HOST:PORT (GWMP), ws://HOST:PORT or wss://HOST:PORT (Basics Station)")
    return Address(url, parts.scheme, parts.hostname, port)


def gateway_eui(number: int) -> str:
    """Of a simulated gateway."""
    return f"{GATEWAY_BASE + number:016x}"


class Simulation:
    """One run. `took_us` has how long after the end of a frame its answer was at the gateway."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._clock = clock
        self._plan = plan
        self._start_ns = clock.boot_ns()
        found = region(plan.region)
        homes, masts = places(len(plan.known), plan.gateways, plan.seed, plan.radius_km)
        salt = clock.wall_ns()  # DevNonces must be new in each run
        devices = [
            EndDevice(one, found, plan.seed, plan.habits, nonces=Random(f"{salt} {one.dev_eui}")) for one in plan.known
        ]
        for device in devices:
            m = device.member
            m.dev_nonce, m.join_nonce = plan.nonces.get(m.identity.eui, (m.dev_nonce, m.join_nonce))
        euis = [gateway_eui(n) for n in range(plan.gateways)]
        self.took_us: deque[int] = deque(maxlen=100_000)
        self._ends_us: deque[dict[int, int]] = deque({} for _ in euis)  # of frames, by their part of a second
        self.town = Town(devices, euis, Air(homes, masts, plan.seed, plan.loss), self._heard)
        addresses = [parse_address(url) for url in plan.to]
        self.ends = [self._end(n, eui, addresses[n % len(addresses)], found) for n, eui in enumerate(euis)]

    def now_us(self) -> int:
        """The town's time."""
        return (self._clock.boot_ns() - self._start_ns) // 1000

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for n, end in enumerate(self.ends):
                group.create_task(end.run(), name=f"gateway {n}")
            while True:
                self.town.run_until(self.now_us())
                due_us = self.town.due_us()
                wait_s = _LONGEST_S if due_us is None else (due_us - self.now_us()) / SECOND_US
                await self._clock.sleep(max(0.0, min(wait_s, _LONGEST_S)))

    def nonces(self) -> dict[str, tuple[int, int]]:
        """What devices keep over a power cut, by DevEUI."""
        members = [device.member for device in self.town.devices]
        return {m.identity.eui: (m.dev_nonce, m.join_nonce) for m in members}

    def line(self) -> str:
        """How it stands, in one line."""
        c, alone = self.town.counts(), sum(bool(end.why) for end in self.ends)
        return (f"{alone} gateways without a server  " if alone else "") + (
            f"{c['joined_now']}/{len(self.town.devices)} joined  {c['join_requests']} requests  "
            f"{c['uplinks']} uplinks (+{c['repeats']})  {c['rx1'] + c['rx2'] + c['class_c']} downlinks heard "
            f"({c['rx1']} in RX1)  {self.missed().total()} windows missed"
        )

    def missed(self) -> Counter[str]:
        """Downlinks that gateways did not send, by the reason."""
        found: Counter[str] = Counter()
        for end in self.ends:
            found.update(end.refused)
        return found

    def summary(self) -> list[str]:
        """What came of it, line by line."""
        c, town = self.town.counts(), self.town
        answered = c["rx1"] + c["rx2"]
        heard = f"{answered + c['class_c']} heard: {c['rx1']} in RX1, {c['rx2']} in RX2, {c['class_c']} in class C"
        missed = ", ".join(f"{reason} {n}" for reason, n in sorted(self.missed().items())) or "none"
        lost = f"heard by no gateway: {town.unheard}, collisions: {town.air.collisions}"
        lines = [
            f"joined: {c['joined_now']} of {len(town.devices)} devices, with {c['join_requests']} join-requests",
            f"uplinks: {c['uplinks']}, repeats: {c['repeats']}, {lost}",
            f"confirmed: {c['confirmed']}, acknowledged: {c['acked']}, given up: {c['unacked']}",
            f"downlinks: {town.downlinks} sent, {heard}",
            f"windows missed: {missed}",
            f"counters used twice by the server: {c['reused_counters']}",
        ]
        if self.took_us:
            ordered = sorted(self.took_us)
            median, high = ordered[len(ordered) // 2] / 1000, ordered[-1 - len(ordered) // 100] / 1000
            lines.append(f"answers at the gateway after {median:.0f} ms (median), {high:.0f} ms (99 %)")
        lines += [f"gateway {n}: {why}" for n, e in enumerate(self.ends) if (why := e.why)]
        return lines

    def _end(self, n: int, eui: str, to: Address, its: Region) -> End:
        if to.scheme == "udp":
            return GwmpEnd(eui, to.host, to.port, self.now_us, lambda order: self._order(n, order), self._plan.pull_s)
        return StationEnd(eui, to.url, its, self.now_us, lambda order: self._order(n, order))

    def _order(self, n: int, order: Order) -> None:
        ended_us = self._ends_us[n].get(order.at_us % SECOND_US)
        if ended_us is not None and order.at_us > ended_us:
            self.took_us.append(self.now_us() - ended_us)
        self.town.send(n, order.phy, order.freq_hz, order.datarate, order.at_us)

    def _heard(self, at_us: int, device: EndDevice, sent: Transmission, found: list[tuple[int, Reception]]) -> None:
        for n, reception in found:
            ends = self._ends_us[n]
            ends[at_us % SECOND_US] = at_us
            if len(ends) > _ENDS_KEPT:
                ends.pop(next(iter(ends)))
            self.ends[n].hear(sent.phy, radio_of(sent, device, [reception]), sent.dr, at_us)


async def simulate(
    plan: Plan,
    clock: Clock,
    seconds: float | None,
    out: TextIO = sys.stdout,
    kept: Callable[[dict[str, tuple[int, int]]], None] | None = None,
) -> int:
    """Run until Ctrl-C or for so many seconds. 0 when all devices have joined, 1 otherwise.

    `kept` is given the nonces at the end.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    simulation = Simulation(plan, clock)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(simulation.run(), name="town"),
            group.create_task(_show(simulation, clock, out), name="line"),
        ]
        ended = group.create_task(stop.wait(), name="stop")
        await asyncio.wait({ended}, timeout=seconds)
        for task in (*tasks, ended):
            task.cancel()
    if kept is not None:
        kept(simulation.nonces())
    if out.isatty():
        out.write("\r\x1b[K")
    for line in simulation.summary():
        print(line, file=out)
    return 0 if all(d.is_joined for d in simulation.town.devices) else 1


async def _show(simulation: Simulation, clock: Clock, out: TextIO) -> None:
    """On a terminal the line is written over, elsewhere it is written when it is another one."""
    last, every = "", _EVERY_S if out.isatty() else 10 * _EVERY_S
    while True:
        await clock.sleep(every)
        line = simulation.line()
        if line != last:
            out.write(f"\r\x1b[K{line}" if out.isatty() else f"{line}\n")
            out.flush()
            last = line


def lists_needed(plan_to: Sequence[str]) -> bool:
    """Whether an address is another machine's: keys made of a seed are not for there."""
    return not all(parse_address(url).is_loopback for url in plan_to)
