"""Stacks with cover sheets, and a station that splits them."""

import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pikepdf

from tests.daemon.scans_fakes import Bench, make_pdf, with_bench
from torhaus.codecs.cover_sheet import CoverSheet, read
from torhaus.daemon.scans.check import ProcessCheck
from torhaus.daemon.scans.checker import Code, Limits, Verdict
from torhaus.daemon.scans.config import Route
from torhaus.daemon.scans.db import Scan
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.sealed import Content
from torhaus.daemon.scans.sheets.desk import BLANK
from torhaus.daemon.scans.sheets.paper import draw
from torhaus.daemon.scans.targets import folder


def stack(*documents: tuple[str, int], front: int = 0, backs: bool = False) -> bytes:
    """So many pages behind each sheet, all different. `front`: pages before the first; `backs`: with blank backs."""
    out, number = pikepdf.Pdf.new(), 0
    with pikepdf.open(io.BytesIO(make_pdf(front + sum(pages for _, pages in documents)))) as paper:
        out.pages.extend(paper.pages[:front])
        number = front
        for text, pages in documents:
            with pikepdf.open(io.BytesIO(draw([(read(text), text)], "Deckblatt"))) as sheet:
                out.pages.extend(sheet.pages)
            if backs:
                out.add_blank_page()
            out.pages.extend(paper.pages[number : number + pages])
            number += pages
        made = io.BytesIO()
        out.save(made)
    return made.getvalue()


def numbers(data: bytes) -> list[int]:
    """Which of make_pdf's pages these are."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return [int(page.Contents.read_bytes().split()[-1]) for page in pdf.pages]


class Knowing:
    """Has sheets from a table: the checking process would search pages for a tenth of a second each. Cuts for real."""

    def __init__(self) -> None:
        self.real = ProcessCheck(Disk(), Limits())
        self.codes: dict[int, tuple[Code, ...]] = {}
        self.fail: Exception | None = None

    async def check(self, path: Content, *, codes: bool = False) -> Verdict:
        verdict = await self.real.check(path)
        return msgspec.structs.replace(verdict, codes=self.codes.get(verdict.pages, ()))

    async def cut(self, path: Content, pages: range, into: int) -> Verdict:
        if self.fail is not None:
            raise self.fail
        return await self.real.cut(path, pages, into)

    async def draw(self, path: Content, page: int, into: int) -> Verdict:
        return await self.real.draw(path, page, into)

    async def close(self) -> None:
        await self.real.close()


def with_split(root: Path, work: Callable[[Bench], Awaitable[None]], check: Any = None, **station: Any) -> Bench:
    async def go(b: Bench) -> None:
        await b.__aexit__()
        targets = (*b.config.target, folder.Config("building", str(b.out)), folder.Config("social", str(b.out)))
        station_ = msgspec.structs.replace(b.config.station[0], cover_sheets="split", **station)
        routes = (*b.config.route, Route("building", department="bauamt"), Route("social", department="sozialamt"))
        b.config = msgspec.structs.replace(b.config, target=targets, route=routes, station=(station_,))
        b.new_queue()
        await b.queue.open()
        await work(b)

    return with_bench(root, go, check=check or ProcessCheck(Disk(), Limits()))


async def sheets(b: Bench, *said: tuple[str, int | None]) -> list[str]:
    return [(await b.queue.order_sheets(CoverSheet(d, BLANK, pages=n), 1))[0] for d, n in said]


async def known(b: Bench, check: Knowing, *said: tuple[str, int], front: int = 0) -> bytes:
    """A stack of plain pages, and what the table says of its sheets."""
    pages, codes = front, []
    for (_, count), text in zip(said, await sheets(b, *said), strict=True):
        codes.append(Code(pages, text))
        pages += count + 1
    check.codes = {pages: tuple(codes)}
    return make_pdf(pages)


async def take(b: Bench, data: bytes, name: str = "post.pdf") -> list[Scan]:
    """What became of it, oldest first."""
    b.put(name, data)
    await b.look()
    await b.queue.seal()
    await b.queue.splitting.step()
    await b.queue.seal()
    return list(reversed(await b.queue.list()))
