"""All stations of type `http`: who may come in, what they send, and what has to be looked after meanwhile."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.evidence.desk import EvidenceDesk
from torhaus.daemon.scans.check import Check
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.db import ScansDb, Tx
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.events import Report
from torhaus.daemon.scans.spool import Spool
from torhaus.daemon.scans.uploads.access import Access, Token, add_token, revoke_token, tokens
from torhaus.daemon.scans.uploads.config import HttpListener, HttpStation, SiteStation
from torhaus.daemon.scans.uploads.door import Door, address_of
from torhaus.daemon.scans.uploads.heads import Head, heads, stores
from torhaus.daemon.scans.uploads.ledger import Files
from torhaus.daemon.scans.uploads.pieces import Pieces
from torhaus.daemon.scans.uploads.plain import Plain, forget_keys
from torhaus.daemon.scans.uploads.problem import Problem, retry_later
from torhaus.daemon.scans.uploads.sites import ID, Sites
from torhaus.daemon.scans.uploads.taking import Taking
from torhaus.daemon.scans.uploads.tus import Tus

TEND_S: Final = 60.0
"""How often what has expired is given up."""
Answer = Callable[[web.Request, HttpStation], Awaitable[web.StreamResponse]]


class Reception:
    """Used while the queue's store is open; the door answers 503 while it is not."""

    def __init__(
        self, config: ScanConfig, root: Path, db: ScansDb, spool: Spool, check: Check, clock: Clock, disk: Disk,
        report: Report, evidence: EvidenceDesk,
    ) -> None:  # fmt: skip
        self.stations = {s.name: s for s in config.station if isinstance(s, HttpStation)}
        self._db = db
        self._clock = clock
        http = config.http or HttpListener()
        taking = Taking(db, spool, check, clock, disk, report)
        self.access = Access(self.stations.values(), clock, report, evidence.faults)
        self._files = Files(root, disk)
        self._plain = Plain(taking, http.idle_s)
        self._sites = Sites(self._plain, taking, evidence)
        self.pieces = Pieces(self._files, taking, http.idle_s, self._sites)
        self._tus = Tus(self.pieces, self._sites)
        self._at_once: Counter[str] = Counter()
        self.door = Door(http, self._app(), clock)

    async def open(self) -> None:
        """Take over what there is. Raises OSError, sqlite3.Error."""
        if self.stations:
            await asyncio.to_thread(self._files.prepare)
            await self._db.run(self._files.sweep)
            await self._db.run(self.access.load)

    async def tend(self) -> None:
        """Look after it, for ever."""
        while True:
            await self.tend_once()
            await self._clock.sleep(TEND_S)

    async def tend_once(self) -> None:
        """One round; trouble with our own disk is logged, and the next round tries again."""
        try:
            await self.pieces.tend(self.stations)
            at_ns = self._clock.wall_ns()
            await self._db.run(lambda tx: forget_keys(tx, at_ns))
        except (OSError, sqlite3.Error) as error:
            logs.warning("uploads: not looked after", why=type(error).__name__)

    async def add_token(self, station: str, account: str = "") -> tuple[Token, str]:
        """A new token, good at once, and its text. `account`: who wants it.

        Raises KeyError (no such station), ValueError, sqlite3.Error.
        """
        if station not in self.stations:
            raise KeyError(station)
        at_ns = self._clock.wall_ns()

        def work(tx: Tx) -> tuple[Token, str]:
            made = add_token(tx, station, at_ns, account)
            self.access.load(tx)
            return made

        return await self._db.run(work)

    async def revoke_token(self, station: str, token_id: str, account: str = "") -> bool:
        """A token is good for nothing from now on; False: no such one. Raises sqlite3.Error."""
        at_ns = self._clock.wall_ns()

        def work(tx: Tx) -> bool:
            done = revoke_token(tx, station, token_id, at_ns, account)
            self.access.load(tx)  # together: what is written down as revoked must not be let in
            return done

        return await self._db.run(work)

    async def tokens(self, station: str | None) -> list[Token]:
        """All that there ever were. Raises sqlite3.Error."""
        return await self._db.run(lambda tx: tokens(tx, station))

    async def heads(self, station: str, store: str, after: int) -> tuple[list[str], list[Head]] | None:
        """The stores of a site, and heads of this or of the only one; None: no such site. Raises sqlite3.Error."""
        if not isinstance(self.stations.get(station), SiteStation):
            return None

        def work(tx: Tx) -> tuple[list[str], list[Head]]:
            known = stores(tx, station)
            one = store or (known[0] if len(known) == 1 else "")
            return known, heads(tx, station, one, after)

        return await self._db.run(work)

    def _app(self) -> web.Application:
        app = web.Application()
        app.on_response_prepare.append(_unnamed)
        routes: list[tuple[str, str, Answer]] = [
            ("PUT", "/scans/{station}/{name}", self._plain.put),
            ("POST", "/scans/{station}", self._plain.post),
            ("GET", "/scans/{station}", self._plain.show),
            ("HEAD", "/sites/{station}", self._sites.here),
            ("PUT", ID, self._sites.put),
            ("GET", ID, self._sites.get),
            ("HEAD", ID, self._sites.get),
            ("*", "/tus/{station}", self._tus.answer),
            ("*", "/tus/{station}/", self._tus.answer),
            ("*", "/tus/{station}/{upload}", self._tus.answer),
        ]
        for method, path, answer in routes:
            app.router.add_route(method, path, self._guarded(answer), expect_handler=_expect)
        return app

    def _guarded(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            """Let in, bounded; a defect is logged and 500, and the next request is answered."""
            try:
                return await self._answer(request, answer)
            except Problem as problem:
                return problem.response()
            except sqlite3.Error as error:
                logs.warning("uploads: the store does not answer", why=type(error).__name__)
                return retry_later("the store does not answer").response()
            except Exception as error:  # noqa: BLE001 - told, and the next request is answered
                logs.error("uploads: defect", why=repr(type(error)), where=_where(error))
                return Problem(500, "defect: see the log of torhaus").response()

        return guarded

    async def _answer(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        if not self._db.is_open:
            raise retry_later("the scan store is not open")
        transport = request.transport
        peer = transport.get_extra_info("peername") if transport is not None else None
        certificate = transport.get_extra_info("peercert") if transport is not None else None
        station = self.access.admit(
            request.match_info["station"], request.headers.get("Authorization"), certificate, address_of(peer)
        )
        if not request.body_exists:
            return await answer(request, station)
        if self._at_once[station.name] >= station.max_at_once:
            raise retry_later(f"{station.max_at_once} uploads of this station are being received", 1)
        self._at_once[station.name] += 1
        try:
            return await answer(request, station)
        finally:
            self._at_once[station.name] -= 1


async def _unnamed(_: web.Request, response: web.StreamResponse) -> None:
    """Which versions of what are at work here is nobody's business before he is let in, nor after."""
    response.headers["Server"] = "torhaus"


async def _expect(request: web.Request) -> None:
    """Nobody is told to send before he is let in (body.let_come)."""


def _where(error: BaseException) -> str:
    """File and line of a defect: its text could hold a document's name."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
