"""One batch of post from its cover sheets to the release list, on a real site; the steps that the documentation shows.

Sheets are ordered from the running daemon and drawn by the command line, "scanned" with the pages behind them, and laid
into the hot folder. The clock can be set forward: a batch is closed after minutes, paper is free after months.
"""

import argparse
import asyncio
import io
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import aiohttp
import pikepdf
import pypdfium2
from PIL import Image

from tests.daemon.home import Heard, QuickClock, running
from tests.daemon.page_scene import CHEAP, PASSWORD, Visitor
from torhaus.codecs.model import Stamp
from torhaus.daemon.app import App
from torhaus.daemon.cli import coversheet
from torhaus.daemon.config.load import load
from torhaus.daemon.page.lot import path
from torhaus.daemon.page.users import Role, User, hashed, write_users
from torhaus.daemon.scans.queue import ScanQueue
from torhaus.daemon.scans.sheets.paper import fonts_of, line

BATCH: Final = "post-2026-11-26-1"
CLASS: Final = "bauantrag"
LETTERS: Final = (("Bauantrag", 2), ("Lageplan", 1), ("Baubeschreibung", 2), ("Statik", 1), ("Freiflächenplan", 1))
"""What lies behind each sheet: its title, and how many pages it has."""
USER: Final = "scanstelle"
MINUTE_S: Final = 60
DAY_S: Final = 86_400
DELAY_DAYS: Final = 180
CONFIG: Final = """\
[site]
id = "rathaus"
name = "Rathaus"
[store]
path = "state"
[control]
socket = "t.sock"
[http]
listen = "127.0.0.1:0"
[log]
format = "text"
[[scan.station]]
name = "poststelle"
type = "folder"
path = "{0}/eingang"
batches = "folders"
scan_interval_s = 0.05
stable_s = 0.01
cover_sheets = "required"
[[scan.target]]
name = "bauakten"
type = "folder"
path = "{0}/bauakten"
[[scan.route]]
department = "bauamt"
target = "bauakten"
[scan.release]
sample_percent = 40.0
delay_days = {1}
"""


class Calendar(QuickClock):
    """A morning in November, from which time goes on as it does, or jumps."""

    def __init__(self) -> None:
        super().__init__()
        start = datetime(2026, 11, 26, 9, 12).astimezone()  # the box's own
        self._ahead_ns = int(start.timestamp()) * 10**9 - self.boot_ns()

    def wall_ns(self) -> int:
        return self.boot_ns() + self._ahead_ns

    def synced(self) -> bool:
        return True

    def stamp(self) -> Stamp:
        return Stamp(self.wall_ns(), self.boot_ns(), synced=True)

    def jump(self, seconds: float) -> None:
        self._ahead_ns += int(seconds * 1e9)


class Chain:
    """The site while it runs. Each step leaves behind what the next one needs."""

    def __init__(
        self, folder: Path, letters: Sequence[tuple[str, int]], app: App, clock: Calendar, visitor: Visitor
    ) -> None:
        self.folder = folder
        self.letters = letters
        self.clock = clock
        self.visitor = visitor
        assert app._scans is not None
        self.queue: ScanQueue = app._scans.queue
        self.sheets = folder / "sheets.pdf"
        self.batch = ""  # what the box calls it

    @property
    def lot(self) -> str:
        """Where the batch is on the page."""
        return path(self.batch)

    async def order_sheets(self) -> Path:
        """`torhaus coversheet`, one line for each letter; the PDF."""
        table = self.folder / "sheets.csv"
        rows = [f"bauamt;{CLASS};{pages}" for _, pages in self.letters]
        table.write_text("\n".join(["department;class;pages", *rows, ""]), encoding="utf-8")
        parser = argparse.ArgumentParser()
        coversheet.add(parser.add_subparsers())
        config = str(self.folder / "torhaus.toml")
        args = parser.parse_args(["coversheet", "--csv", str(table), "-o", str(self.sheets), "--config", config])
        assert await asyncio.to_thread(args.run, args) == 0
        return self.sheets

    async def scan_batch(self) -> Path:
        """Each letter with its sheet on top as a scanner makes it, all of them in a folder of their own."""
        made = self.folder / BATCH
        made.mkdir()
        sheets = drawn(self.sheets.read_bytes())
        for number, ((name, pages), sheet) in enumerate(zip(self.letters, sheets, strict=True), 1):
            leaves = [sheet, *drawn(letter(name, pages))]
            scanned = [leaf.rotate(0.4, fillcolor=250, resample=Image.Resampling.BICUBIC) for leaf in leaves]
            scanned[0].save(made / f"scan{number:04}.pdf", save_all=True, append_images=scanned[1:], resolution=150)
        there = self.folder / "eingang" / BATCH
        made.rename(there)
        return there

    async def arrive(self) -> None:
        """Until all of it has been taken, routed, delivered and read back."""
        await self._until(lambda states: states == ["verified"] * len(self.letters))

    async def _until(self, holds: Callable[[list[str]], bool]) -> None:
        async with asyncio.timeout(60):
            while not holds(sorted(s.state.value for s in await self.queue.list())):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def close_batch(self) -> None:
        """Ten minutes later."""
        self.clock.jump(11 * MINUTE_S)
        async with asyncio.timeout(20):
            while not await self.queue.release.lots():  # noqa: ASYNC110 - closed by its own task
                await asyncio.sleep(0.02)
        self.batch = (await self.queue.release.lots())[0].name

    async def look_at_sample(self) -> None:
        """The person at the scanner says that what was drawn is fine."""
        sample = [p for p in await self.queue.release.papers(self.batch) if p.sampled]
        for paper in sample:
            answer = await self.visitor.do("/release", what="quality", lot=self.batch, id=paper.id, result="ok")
            assert answer.status == 303

    async def release(self) -> None:
        """Half a year later."""
        self.clock.jump(DELAY_DAYS * DAY_S)
        answer = await self.visitor.do("/release", what="release", lot=self.batch)
        assert answer.status == 303
        await self._until(lambda states: states == ["released"] * len(self.letters))


@asynccontextmanager
async def chain(folder: Path, letters: Sequence[tuple[str, int]] = LETTERS) -> AsyncIterator[Chain]:
    """The site, with somebody who has signed in."""
    for name in ("eingang", "bauakten"):
        (folder / name).mkdir()
    config = folder / "torhaus.toml"
    config.write_text(CONFIG.format(folder, DELAY_DAYS), encoding="utf-8")
    (folder / "devices.toml").touch()
    (folder / "devices.keys.toml").touch(mode=0o600)
    write_users(folder / "page.users.toml", {USER: User(USER, Role.OPERATE, hashed(PASSWORD, cost=CHEAP))})
    clock = Calendar()
    app = App(load(config), clock, Heard())
    jar = aiohttp.CookieJar(unsafe=True)
    async with running(app), aiohttp.ClientSession(cookie_jar=jar) as session:
        made = Chain(folder, letters, app, clock, Visitor(app, session, f"http://127.0.0.1:{app.http_port}"))
        async with asyncio.timeout(20):
            while not made.queue.is_open:  # noqa: ASYNC110 - opened by its own task
                await asyncio.sleep(0.01)
        assert (await made.visitor.sign_in(USER)).status == 303
        yield made


def letter(title: str, pages: int) -> bytes:
    """Pages as an office gets them, with nobody's name on them."""
    with pikepdf.new() as pdf:
        fonts = fonts_of(pdf)
        for number in range(1, pages + 1):
            text = [
                line("/B", 18, 25, 250, title),
                line("/T", 11, 25, 240, f"An das Bauamt     Seite {number} von {pages}"),
            ]
            text += [
                line("/T", 11, 25, 220 - 7 * n, f"{n + 1}. Angabe zum Vorhaben: siehe Anlage {n + 1}.")
                for n in range(14)
            ]
            page = pdf.add_blank_page(page_size=(595, 842))
            page.Resources = pikepdf.Dictionary(Font=fonts)
            page.Contents = pdf.make_stream("\n".join(text).encode("cp1252"))
        out = io.BytesIO()
        pdf.save(out)
        return out.getvalue()


def drawn(pdf: bytes, dpi: int = 150) -> list[Image.Image]:
    """Its pages in grey."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=dpi / 72).to_pil().convert("L") for page in document]
    finally:
        document.close()
