"""The composition root: builds every part from the configuration, runs them, and ends them in order."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from torhaus.daemon import logs, quick_aiohttp  # noqa: F401 - before whatever else imports aiohttp
from torhaus.daemon.alarms import Alarms, low_batteries
from torhaus.daemon.clock import Clock, SystemClock
from torhaus.daemon.config.layouts import Codecs
from torhaus.daemon.config.load import Loaded
from torhaus.daemon.config.model import parse_address
from torhaus.daemon.drivers import open_drivers
from torhaus.daemon.forward.build import build_forwarders
from torhaus.daemon.forward.hold import Hold
from torhaus.daemon.forward.relay import any_of
from torhaus.daemon.forward.runner import Runner
from torhaus.daemon.forward.trim import Trimming
from torhaus.daemon.httpd import Pages, Server, serve
from torhaus.daemon.link_pages import LinkPages
from torhaus.daemon.lora.configured import known_devices
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.duty_cycle import DutyCycle
from torhaus.daemon.lora.frame_pages import FramePages
from torhaus.daemon.lora.joining import Joining
from torhaus.daemon.lora.network import Device
from torhaus.daemon.lora.on_air import OnAir
from torhaus.daemon.meters.counting import Counting
from torhaus.daemon.notify import Notifier, feed_watchdog
from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.store import MAIN, Limits, Outbox
from torhaus.daemon.outbox.thinner import Thinner
from torhaus.daemon.overdue import Overdue
from torhaus.daemon.page.access import Access
from torhaus.daemon.page.door import Door
from torhaus.daemon.page.tls import server_tls
from torhaus.daemon.pipeline import Pipeline
from torhaus.daemon.queue_pages import QueuePages
from torhaus.daemon.scripts.feeder import Feeder
from torhaus.daemon.scripts.host import ScriptHost
from torhaus.daemon.scripts.protocol import Limits as ScriptLimits
from torhaus.daemon.status import Survey
from torhaus.daemon.supervise import keep_running
from torhaus.daemon.timekeeping import Timekeeper
from torhaus.daemon.version import torhaus_version
from torhaus.daemon.watch import DRIVER, STARTING, Watch

if TYPE_CHECKING:  # a site without scan stations starts without their rooms
    from torhaus.daemon.page.sources import Sources
    from torhaus.daemon.scans.room import ScanRoom

Parts = dict[str, Callable[[], Awaitable[None]]]
SCANS = "scans"
FIRST_WORD_S, LOOK_S, ROOM_CHECK_S = 0.5, 2.0, 2.0
EXTEND_US = 30_000_000
"""How much longer than so far systemd is asked to wait while a full disk keeps the files from being opened."""
DRAIN_S = 3.0
"""How long a stopping daemon lets forwarders finish what is in the live lane; the rest goes next time, from disk."""


class App:
    """One daemon. `run` returns when it has been told to stop and everything is on disk."""

    def __init__(
        self,
        loaded: Loaded,
        clock: Clock | None = None,
        notifier: Notifier | None = None,
        when_ready: Callable[[], None] | None = None,
    ) -> None:
        self.loaded = loaded
        self._when_ready = when_ready
        self.clock = clock or SystemClock()
        self.notifier = notifier or Notifier()
        self.watch = Watch(self.clock.wall_ns(), self.clock, loaded.lorawan.gateway_offline_s)
        store, is_relay = loaded.store, bool(loaded.relays())
        limits = msgspec.structs.replace(msgspec.convert(store, Limits, from_attributes=True), relay=is_relay)
        self.outbox = Outbox(Path(store.path), loaded.site.id, self.clock, limits, self.watch)
        self.drivers: dict[str, Any] = {}
        self.runners: dict[str, tuple[str, Runner]] = {}
        self.survey = Survey(loaded.site.id, torhaus_version(), self.clock, self.outbox, self.watch, self.runners)
        self.survey.duty = duty = DutyCycle.of(loaded.lorawan, self.clock)
        gateways, on_air = self.watch.gateways, OnAir(self.clock.boot_ns)
        self.downlinks = Downlinks(gateways.driver_of, gateways, duty, on_air)
        self.http_port = 0
        self.frames = FramePages(self.outbox, self.watch, self.clock.wall_ns, self.downlinks)
        self.joining = self.survey.joining = Joining(self.outbox, self.downlinks, self.clock, self.watch.defect)
        self.control_routes = QueuePages(self.survey, self.outbox, self.clock.wall_ns).routes() + self.frames.routes()
        self.control_routes += LinkPages(self.drivers).routes()
        self._scans: ScanRoom | None = None
        self._metrics: Callable[[], bytes] | None = None
        self.started = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set.

        Raises OSError, sqlite3.Error or SchemaError when the store cannot be used, CannotListen when HTTP or the
        control socket cannot be had: before any data is taken.
        """
        asyncio.get_running_loop().set_exception_handler(self._stray)
        if not await self._open_outbox(stop):
            return
        servers: list[Server] = []
        try:
            parts = await self._build()
            await self._serve(servers)
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(keep_running(name, run, self.clock, self.watch), name=name)
                    for name, run in parts.items()
                ]
                await self._first_word()
                self.survey.starting = False
                self.started.set()
                self.notifier.send(READY=1, STATUS=self.survey.line())
                logs.info("ready", site=self.loaded.site.id, version=torhaus_version())
                if self._when_ready is not None:
                    self._when_ready()
                await stop.wait()
                self.notifier.send(STOPPING=1, STATUS="saving what is under way")
                logs.info("stopping")
                await self._drain(running)
        finally:
            self.frames.end()
            for server in servers:
                await server.close()
            await self.outbox.close()
        logs.info("stopped", backlog={name: r.cursor.backlog(0) for name, (_, r) in self.runners.items()} or None)

    async def _open_outbox(self, stop: asyncio.Event) -> bool:
        """Open the files; on a full disk wait for room: to end would make none. False: told to stop meanwhile."""
        is_told = False
        while not stop.is_set():
            try:
                await self.outbox.open()
            except (OSError, sqlite3.Error) as e:
                if not self.outbox.is_out_of_room(e):
                    raise
                if not is_told:
                    logs.error("no room on the disk: waiting for some before anything is taken in", detail=str(e))
                is_told = True
                self.notifier.send(STATUS="no room on the disk: waiting", EXTEND_TIMEOUT_USEC=EXTEND_US)
                await self.clock.sleep(ROOM_CHECK_S)
            else:
                return True
        return False

    async def _first_word(self) -> None:
        """Give the drivers a moment to get their ports and devices; one that has none yet does not hold us up."""
        for _ in range(int(FIRST_WORD_S / 0.01)):
            if all(self.watch.driver(name).detail != STARTING for name in self.drivers):
                return
            await asyncio.sleep(0.01)

    def _stray(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception that nobody awaits, as from a protocol's callback: logged and counted, never the end."""
        if isinstance(error := context.get("exception"), BaseException):
            self.watch.defect("event loop", error)
        else:
            logs.error("event loop", detail=context.get("message"))

    async def _build(self) -> Parts:
        """Every part that runs, by name, in the order of starting."""
        loaded, outbox = self.loaded, self.outbox
        codecs = Codecs(scripts := Path(loaded.scripts.dir), common_names=loaded.common_names)
        devices, network = known_devices(loaded, scripts)
        counters = await self.joining.begin(loaded, devices, network)
        alarms = Alarms([*loaded.alarms, *low_batteries(loaded.devices)], loaded.tagged())
        self._hold = hold = Hold.build(outbox, self.clock, loaded.lorawan.merge_window_s, devices, self.watch)
        parts: Parts = {
            "outbox": outbox.run,
            "salvage": outbox.mender.run,
            "clock": Timekeeper(self.clock, outbox).run,
            "watchdog": partial(feed_watchdog, self.notifier, outbox, self.clock, self.survey.line),
        }
        forwarding = await build_forwarders(loaded, outbox, self.clock, self.downlinks, hold)
        pipeline = Pipeline(outbox, network, devices, codecs, self.watch, self.clock, alarms, loaded.windows_s)
        self.counting = self.survey.counting = await Counting.begin(loaded.devices, outbox, self.clock)
        pipeline.readings.derive = self.counting.hook
        self.survey.fixes = pipeline.readings.fixes
        pipeline.relayed, pipeline.merging = any_of(forwarding.relays), hold.merging
        self.watch.gateways.listeners.append(pipeline.turned)
        parts |= hold.parts() | counters.guard(pipeline) | self.joining.parts()
        if loaded.store.when_full == "thin":
            parts["thinning"] = Thinner(outbox, MAIN, loaded.store.thin_keep).run
        self.runners.update(forwarding.runners)
        if forwarding.trimmers:
            parts["backlog limits"] = Trimming(forwarding.trimmers, self.clock).run
        parts |= {f"forwarder {name}": runner.run for name, (_, runner) in self.runners.items()}
        self._build_scripts(devices, parts, alarms, codecs)
        self._build_scans(parts)
        opened = open_drivers(loaded, self.survey, self.watch, self.downlinks)
        self.drivers.update(opened.drivers)
        self.control_routes += opened.routes
        for name, driver in opened.drivers.items():
            host = pipeline.host(name, driver)
            if self._scans is not None:
                self._scans.hear(name, host)
            parts[f"{DRIVER}{name}"] = partial(driver.run, host)
        await self._count_dead_letters()
        return parts | {"survey": self._look_after}

    def _build_scripts(self, devices: list[Device], parts: Parts, alarms: Alarms, codecs: Codecs) -> None:
        s = self.loaded.scripts
        host = ScriptHost(self.clock, ScriptLimits(call_s=s.time_s, memory_bytes=s.memory_bytes))
        feeder = Feeder(self.outbox, host, devices, codecs, self.watch, self.clock, alarms)
        feeder.derive = self.counting.hook
        feeder.register_all(self.watch.gone)
        self.survey.scripts = host.status
        self.joining.encode_with(host)
        self.survey.overdue = Overdue.of(self.loaded.devices, self.clock.stamp())
        parts["scripts"] = host.run
        parts["script feeder"] = feeder.run

    def _build_scans(self, parts: Parts) -> None:
        if self.loaded.has_scans:
            from torhaus.daemon.scans.room import ScanRoom

            self._scans = ScanRoom(self.loaded, self.clock)
            self.survey.scan_watch = self._scans.watch
            self.control_routes += self._scans.routes()
            parts |= {SCANS: self._scans.run} | self._scans.more_parts()

    async def _look_after(self) -> None:
        """What only changes slowly: dead letters, ends of episodes."""
        while True:
            for name, (_, runner) in self.runners.items():
                if runner.backlog() == 0:
                    self.watch.caught_up(name)
            await self._look("dead letters", self._count_dead_letters)
            await self._look("lookout", self.survey.lookout.look)
            self.watch.gateways.look()
            if self._scans is not None and self._scans.queue.is_open:
                self.watch.back(SCANS)
                await self._look("scan counts", self._scans.refresh)
            await self.clock.sleep(LOOK_S)

    async def _look(self, what: str, look: Callable[[], Awaitable[None]]) -> None:
        try:
            await look()
        except (sqlite3.Error, OSError) as e:
            self.watch.gone(what, str(e))
        else:
            self.watch.back(what)

    async def _count_dead_letters(self) -> None:
        counts = await self.outbox.on_state(State.counts)
        self.survey.dead_letters = {name: dead for name, (_, dead) in counts.items()}

    async def _serve(self, servers: list[Server]) -> None:
        http, tally = self.loaded.http, self.survey.page
        door = Door(self._sources, Access(http), tally, self.watch)
        pages = Pages(self.survey, self.outbox, self._exposition, self.clock.wall_ns, self.watch, door)
        socket = Path(self.loaded.control.socket)
        servers.append(await serve(pages.control(self.control_routes + self.joining.routes()), socket=socket))
        servers.append(await serve(pages.public(), listen=parse_address(http.listen), tls=server_tls(http)))
        self.http_port = servers[-1].port

    def _sources(self) -> "Sources":
        """What the page looks at, made when somebody looks."""
        from torhaus.daemon.page.sources import Sources

        room, parts = self._scans, (self.loaded, self.clock, self.outbox, self.watch, self.survey)
        return Sources(*parts, self.frames.log, self.joining, lambda: room.open_queue() if room is not None else None)

    def _exposition(self) -> bytes:
        """The metrics. Their library is loaded with the first scrape: READY need not wait for it."""
        from torhaus.daemon.metrics import TorhausCollector, expose, registry

        if self._metrics is None:
            collector = TorhausCollector(torhaus_version(), self.clock, self.outbox, self.watch, self.survey)
            self._metrics = partial(expose, registry(collector))
        return self._metrics()

    async def _drain(self, running: list[asyncio.Task[None]]) -> None:
        """Drivers stop first; forwarders get a moment to finish what they have in hand."""
        for task in running:
            if task.get_name().startswith(DRIVER):
                task.cancel()
        for _ in range(int(DRAIN_S / 0.05)):
            self._hold.release()
            heads = {name: log.head for name, log in self.outbox.logs.items()}
            busy = any(r.tally.up and r.cursor.in_hand(heads[r.log]) for _, r in self.runners.values())
            if not busy and not self.outbox.has_waiting():
                break
            await asyncio.sleep(0.05)
        for task in running:
            task.cancel()
