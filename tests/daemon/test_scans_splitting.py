"""Stacks with real cover sheets, through real checking processes: every page arrives once, and the journal says how."""

import errno
import io
import os
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from tests.daemon.scans_fakes import Bench, FaultyDisk, blob, make_pdf, refuse
from tests.daemon.scans_split_fakes import Knowing, known, numbers, sheets, stack, take, with_split
from torhaus.daemon.evidence.config import Procedure
from torhaus.daemon.evidence.notes import note_of
from torhaus.daemon.scans.check import CheckUnavailable
from torhaus.daemon.scans.checker import Code
from torhaus.daemon.scans.events import StoreStalled
from torhaus.daemon.scans.pages import CutFrom, shown
from torhaus.daemon.scans.splitting import part_name
from torhaus.daemon.scans.states import Reason, State


def test_a_stack_becomes_documents_that_go_where_their_sheets_say(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        one, two, three = await sheets(b, ("bauamt", 2), ("sozialamt", 1), ("bauamt", None))
        data = stack((one, 2), (two, 1), (three, 3))
        whole, *parts = await take(b, data)
        assert (whole.state, whole.reason, whole.target, whole.pages) == (State.SPLIT, None, None, 9)
        assert [(s.state, s.target, s.pages, s.derived_from, s.name) for s in parts] == [
            (State.SEALED, "building", 2, whole.id, b"post-1.pdf"),
            (State.SEALED, "social", 1, whole.id, b"post-2.pdf"),
            (State.SEALED, "building", 3, whole.id, b"post-3.pdf"),
        ]
        assert blob(b, whole) == data
        assert [numbers(blob(b, s)) for s in parts] == [[0, 1], [2], [3, 4, 5]]
        _, story = await b.queue.show(whole.id)
        into = [e.data for e in story if e.event == "post.split"]
        assert [(d["into"], d["into_sha256"]) for d in into] == [(s.id, s.sha256) for s in parts]
        assert [(d["first_page"], d["last_page"]) for d in into] == [(2, 3), (5, 5), (7, 9)]
        assert story[-1].data == {"state": "split", "parts": 3, "pages": 9, "pages_of_sheets": 3}
        told = shown(whole, story, await b.queue.parts(whole.id))
        assert [(p.id, p.part, p.first_page, p.last_page, p.state) for p in told.parts] == [
            (parts[0].id, 1, 2, 3, "sealed"), (parts[1].id, 2, 5, 5, "sealed"), (parts[2].id, 3, 7, 9, "sealed"),
        ]  # fmt: skip
        _, story = await b.queue.show(parts[1].id)
        assert shown(parts[1], story, []).stack == CutFrom(id=whole.id, part=2, parts=3, first_page=5, last_page=5)
        assert story[-1].data["department"] == "sozialamt"
        note = await b.queue._db.run(lambda tx: note_of(tx, parts[1], Procedure()))
        (step,) = note.processing
        assert step.step == "post.split"
        assert step.said.items() >= {"of": whole.id, "of_sha256": whole.sha256, "part": 2, "parts": 3}.items()
        await b.deliver()
        assert await b.queue.splitting.step() == 0
        assert len(await b.queue.list()) == 4
        again = (await take(b, data))[-1]
        assert (again.state, again.reason) == (State.HELD, Reason.SHEET_USED)

    with_split(tmp_path, work)


@pytest.mark.parametrize("duplex", [True, None])
def test_a_blank_back_of_a_sheet_belongs_to_no_document(tmp_path: Path, duplex: bool | None) -> None:
    async def work(b: Bench) -> None:
        one, two = await sheets(b, ("bauamt", 2), ("sozialamt", 1 if duplex is None else None))
        whole, *parts = await take(b, stack((one, 2), (two, 1), backs=True))
        assert (whole.state, whole.reason) == (State.SPLIT, None)
        assert [numbers(blob(b, s)) for s in parts] == [[0, 1], [2]]
        assert (await b.queue.show(whole.id))[1][-1].data["pages_of_sheets"] == 4

    with_split(tmp_path, work, duplex=duplex)


def test_a_tiff_is_split_too(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        check.codes = {6: tuple(Code(3 * i, t) for i, t in enumerate(await sheets(b, ("bauamt", 2), ("sozialamt", 2))))}
        frames = [Image.new("L", (40, 30), shade) for shade in range(0, 240, 40)]
        out = io.BytesIO()
        frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:], compression="tiff_lzw")
        whole, *parts = await take(b, out.getvalue(), "post.tif")
        assert whole.state is State.SPLIT
        shades = []
        for part in parts:
            with Image.open(io.BytesIO(blob(b, part))) as image:
                for frame in range(part.pages):
                    image.seek(frame)
                    shades.append(image.getpixel((0, 0)))
        assert shades == [40, 80, 160, 200]

    check = Knowing()
    with_split(tmp_path, work, check)


@pytest.mark.parametrize(
    ("said", "front", "reason"),
    [
        ((("bauamt", 2), ("sozialamt", 1)), 1, Reason.SHEETS_WITHIN),
        ((("bauamt", 2), ("kaemmerei", 1)), 0, Reason.NO_ROUTE),
    ],
)
def test_one_that_does_not_fit_holds_all(
    tmp_path: Path, said: tuple[tuple[str, int], ...], front: int, reason: Reason
) -> None:
    async def work(b: Bench) -> None:
        (whole,) = await take(b, await known(b, check, *said, front=front))
        assert (whole.state, whole.reason) == (State.HELD, reason)

    check = Knowing()
    with_split(tmp_path, work, check)


def test_a_wrong_count_and_a_foreign_sheet_hold_all(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        one, two = await sheets(b, ("bauamt", 2), ("sozialamt", 1))
        check.codes = {6: (Code(0, one), Code(3, two)), 5: (Code(0, one), Code(3, two[:-16] + "A" * 16))}
        (whole,) = await take(b, make_pdf(6))
        assert (whole.state, whole.reason) == (State.HELD, Reason.PAGE_COUNT)
        whole = (await take(b, make_pdf(5)))[-1]
        assert (whole.state, whole.reason) == (State.HELD, Reason.SHEET_UNPROVED)

    check = Knowing()
    with_split(tmp_path, work, check)


def test_without_a_sheet_it_is_held_and_with_one_it_stays_whole(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        (without,) = await take(b, make_pdf(3))
        assert (without.state, without.reason) == (State.HELD, Reason.NO_SHEET)
        _, one = await take(b, await known(b, check, ("bauamt", 4)))
        assert (one.state, one.target, one.pages) == (State.SEALED, "building", 5)

    check = Knowing()
    with_split(tmp_path, work, check)


def test_what_cannot_be_taken_apart_unchanged_is_held_whole(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        data = await known(b, check, ("bauamt", 2), ("sozialamt", 1))
        with pikepdf.open(io.BytesIO(data)) as pdf:
            pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array())
            out = io.BytesIO()
            pdf.save(out)
        (whole,) = await take(b, out.getvalue())
        assert (whole.state, whole.reason) == (State.HELD, Reason.NOT_SPLIT)
        assert [p.name for p in (b.root / "state/scans/blobs").glob("*/*")] == [whole.sha256]
        assert list((b.root / "state/scans/tmp").iterdir()) == []

    check = Knowing()
    with_split(tmp_path, work, check)


def test_a_damaged_stack_goes_to_quarantine(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("post.pdf", await known(b, check, ("bauamt", 2), ("sozialamt", 1)))
        await b.look()
        (scan,) = await b.queue.list()
        path = b.queue._spool.path(scan.sha256)
        path.write_bytes(path.read_bytes()[:-9])
        await b.queue.splitting.step()
        (scan,) = await b.queue.list()
        assert (scan.state, scan.reason) == (State.QUARANTINED, Reason.BLOB_DAMAGED)

    check = Knowing()
    with_split(tmp_path, work, check)


def test_trouble_of_ours_is_no_verdict(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        assert isinstance(b.disk, FaultyDisk)
        b.put("post.pdf", await known(b, check, ("bauamt", 2), ("sozialamt", 1)))
        await b.look()
        check.fail = CheckUnavailable()
        await b.queue.splitting.step()
        await b.queue.splitting.step()
        check.fail = None
        b.disk.free_bytes = 0
        b.disk.fault = refuse(errno.ENOSPC, "write")
        await b.queue.splitting.step()
        b.disk.fault, b.disk.free_bytes = (lambda *_: None), 1 << 40
        assert await b.states() == ["spooled"]
        assert list((b.root / "state/scans/tmp").iterdir()) == []
        assert await b.queue.splitting.step() == 1
        assert await b.states() == ["split", "sealed", "sealed"]
        assert [e.detail for e in b.told(StoreStalled)] == ["no_checker"]

    check = Knowing()
    with_split(tmp_path, work, check)


def test_a_part_that_came_before_is_held_where_the_station_says_so(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        same = [b"0 0 m 10 10 l S\n"] * 2
        with pikepdf.open(io.BytesIO(await known(b, check, ("bauamt", 1), ("sozialamt", 1)))) as pdf:
            for page, text in zip((pdf.pages[1], pdf.pages[3]), same, strict=True):
                page.Contents = pdf.make_stream(text)
            out = io.BytesIO()
            pdf.save(out)
        whole, first, second = await take(b, out.getvalue())
        assert [s.state for s in (whole, first, second)] == [State.SPLIT, State.SEALED, State.HELD]
        assert (second.reason, second.duplicate_of) == (Reason.DUPLICATE, first.id)
        moved = await b.queue.retry(second.id)
        assert (moved.state, moved.target) == (State.SEALED, "social")

    check = Knowing()
    with_split(tmp_path, work, check, duplicates="hold")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        (b"post.pdf", b"post-2.pdf"), (b"post", b"post-2"), (b".pdf", b".pdf-2"), (b"Bu\xdf.tif", b"Bu\xdf-2.tif"),
        (b"x" * 255, b"x" * 200 + b"-2"),
    ],
)  # fmt: skip
def test_names_of_parts(name: bytes, part: bytes) -> None:
    assert part_name(name, 2) == part
    assert os.fsdecode(part)
