"""From spooled to sealed or held, with a real cover sheet in a real document."""

import io
from pathlib import Path
from typing import Any

import msgspec
import pikepdf
import pytest

from tests.daemon.scans_fakes import Bench, make_pdf, with_bench
from torhaus.codecs.cover_sheet import CoverSheet, read
from torhaus.daemon.scans.check import ProcessCheck
from torhaus.daemon.scans.checker import Limits
from torhaus.daemon.scans.config import Route
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.sheets.desk import BLANK
from torhaus.daemon.scans.sheets.paper import draw
from torhaus.daemon.scans.states import Reason, State
from torhaus.daemon.scans.targets import folder


def behind(sheet: str, title: str, pages: int) -> bytes:
    """A sheet with a document of so many pages behind it."""
    with pikepdf.open(io.BytesIO(draw([(read(sheet), sheet)], title))) as pdf:
        with pikepdf.open(io.BytesIO(make_pdf(pages))) as rest:
            pdf.pages.extend(rest.pages)
        out = io.BytesIO()
        pdf.save(out)
        return out.getvalue()


def with_sheets(root: Path, work: Any, **station: Any) -> None:
    async def go(b: Bench) -> None:
        await b.__aexit__()
        targets = (*b.config.target, folder.Config("building", str(b.out)))
        station_ = msgspec.structs.replace(b.config.station[0], cover_sheets="optional", **station)
        routes = (*b.config.route, Route("building", department="bauamt"))
        b.config = msgspec.structs.replace(b.config, target=targets, route=routes, station=(station_,))
        b.new_queue()
        await b.queue.open()
        await work(b)

    with_bench(root, go, check=ProcessCheck(Disk(), Limits()))


def test_a_sheet_sends_its_document_and_counts_once(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        (sheet,) = await b.queue.order_sheets(CoverSheet("bauamt", BLANK, pages=3), 1)
        b.put("one.pdf", behind(sheet, "eins", 3))
        b.put("two.pdf", make_pdf(2))
        await b.look()
        await b.queue.seal()
        b.put("three.pdf", behind(sheet, "zwei", 3))
        await b.look()
        await b.queue.seal()
        three, two, one = await b.queue.list()
        assert [(s.target, s.state, s.reason) for s in (one, two, three)] == [
            ("building", State.SEALED, None),
            ("archive", State.SEALED, None),
            (None, State.HELD, Reason.SHEET_USED),
        ]
        _, entries = await b.queue.show(one.id)
        assert (entries[-1].data["department"], entries[-1].data["pages_behind"]) == ("bauamt", 3)
        with pytest.raises(ValueError, match=r"no \[\[scan.target\]\] named nowhere"):
            await b.queue.retry(three.id, "nowhere")
        moved = await b.queue.retry(three.id, "building")
        assert (moved.state, moved.target) == (State.SEALED, "building")

    with_sheets(tmp_path, work)


def test_a_held_one_goes_where_its_sheet_says_when_it_is_let_go(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        (sheet,) = await b.queue.order_sheets(CoverSheet("bauamt", BLANK, pages=3), 1)
        b.put("one.pdf", behind(sheet, "eins", 2))
        await b.look()
        await b.queue.seal()
        [held] = await b.queue.list()
        assert (held.state, held.reason) == (State.HELD, Reason.PAGE_COUNT)
        assert (await b.queue.retry(held.id)).target == "building"

    with_sheets(tmp_path, work)


def test_what_was_held_on_its_way_goes_there_again_unless_somebody_names_another_target(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        (sheet,) = await b.queue.order_sheets(CoverSheet("bauamt", BLANK, pages=1), 1)
        b.put("one.pdf", behind(sheet, "eins", 1))
        await b.look()
        await b.queue.seal()

        async def refused() -> str:
            [scan] = await b.queue.list()

            def move(tx: Tx) -> Scan:
                under_way = tx.move(scan, State.DELIVERING, b.clock.wall_ns())
                return tx.move(under_way, State.HELD, b.clock.wall_ns(), Reason.REFUSED)

            return (await b.queue._db.run(move)).id

        id_ = await refused()
        assert (await b.queue.retry(id_)).target == "building"
        await refused()
        assert (await b.queue.retry(id_, "archive")).target == "archive"
        await refused()
        assert (await b.queue.retry(id_)).target == "archive"  # a person's word counts until there is another one

    with_sheets(tmp_path, work)


def test_a_sheet_that_cannot_be_relied_on_needs_a_target(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        one, two = await b.queue.order_sheets(CoverSheet("bauamt", BLANK), 2)
        for text in (one[:-16] + "A" * 16, two):
            with pikepdf.open(io.BytesIO(behind(text, "x", 1))) as pdf:
                if text == two:
                    pdf.pages.reverse()
                pdf.save(b.hot / f"{text[-16:]}.pdf")
        await b.look()
        await b.queue.seal()
        within, unproved = await b.queue.list()
        assert {unproved.reason, within.reason} == {Reason.SHEET_UNPROVED, Reason.SHEETS_WITHIN}
        for scan in (within, unproved):
            with pytest.raises(ValueError, match="name a target"):
                await b.queue.retry(scan.id)
            assert (await b.queue.retry(scan.id, "archive")).state is State.SEALED

    with_sheets(tmp_path, work)


def test_a_subfolder_says_where_and_stays_when_it_is_empty(tmp_path: Path) -> None:
    async def go(b: Bench) -> None:
        await b.__aexit__()
        station = msgspec.structs.replace(b.config.station[0], subfolder_depth=1)
        targets = (*b.config.target, folder.Config("building", str(b.out)))
        routes = (Route("building", folder="bauamt"), *b.config.route)
        b.config = msgspec.structs.replace(b.config, station=(station,), target=targets, route=routes)
        b.new_queue()
        await b.queue.open()
        for name in ("bauamt", "other"):
            (b.hot / name).mkdir()
            b.put(f"{name}/scan.pdf", make_pdf())
        await b.look()
        await b.queue.seal()
        other, building = await b.queue.list()
        assert [(s.name, s.target) for s in (building, other)] == [
            (b"bauamt/scan.pdf", "building"), (b"other/scan.pdf", "archive"),
        ]  # fmt: skip
        assert [(b.hot / name).exists() for name in ("bauamt", "other")] == [True, False]

    with_bench(tmp_path, go, check=ProcessCheck(Disk(), Limits()))


def test_pages_are_counted(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        (sheet,) = await b.queue.order_sheets(CoverSheet("bauamt", BLANK, pages=3), 1)
        b.put("one.pdf", behind(sheet, "eins", 2))
        await b.look()
        await b.queue.seal()
        [scan] = await b.queue.list()
        assert (scan.state, scan.reason) == (State.HELD, Reason.PAGE_COUNT)
        _, entries = await b.queue.show(scan.id)
        assert (entries[-1].data["pages_expected"], entries[-1].data["pages_behind"]) == (3, 2)

    with_sheets(tmp_path, work)
