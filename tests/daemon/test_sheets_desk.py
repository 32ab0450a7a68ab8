"""Numbers, keys, and which sheets came back."""

import asyncio
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.daemon.scans_fakes import Bench, fake_pdf, with_bench
from torhaus.codecs.cover_sheet import CoverSheet, parse
from torhaus.daemon.scans.config import CoverSheets
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.sheets.desk import BLANK, KeyUnusable, SheetDesk, is_used, new_number, use


def desk(root: Path, *files: str) -> SheetDesk:
    made = SheetDesk(root, Disk(), files)
    made.load()
    return made


def test_our_own_key_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    keys = desk(tmp_path).keys
    assert desk(tmp_path).keys == keys
    assert len(keys[0]) == 32
    assert (tmp_path / "sheets.key").stat().st_mode & 0o777 == 0o600


def test_keys_from_elsewhere_come_first(tmp_path: Path) -> None:
    (tmp_path / "central").write_bytes(b"k" * 32)
    own = desk(tmp_path).keys
    assert desk(tmp_path, str(tmp_path / "central")).keys == (b"k" * 32, *own)


@pytest.mark.parametrize("content", [None, b"short"])
def test_a_key_file_that_cannot_be_used(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "central").write_bytes(content)
    with pytest.raises(KeyUnusable, match="central: "):
        desk(tmp_path, str(tmp_path / "central"))


def test_every_sheet_of_an_order_has_a_number_of_its_own_and_is_in_the_journal(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        texts = await b.queue.order_sheets(CoverSheet("bauamt", BLANK, "akte", 7), 3)
        sheets = [parse(text, b.queue.desk.keys) for text in texts]
        assert {(s.department, s.class_, s.pages) for s in sheets} == {("bauamt", "akte", 7)}
        assert len({s.sheet for s in sheets} - {BLANK}) == 3

    b = with_bench(tmp_path, work)
    assert b.events == []


def test_a_sheet_belongs_to_the_document_it_came_with_first(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        for n in range(2):
            b.put(f"{n}.pdf", fake_pdf(n))
        await b.look()
        second, first = await b.queue.list()
        number = new_number()
        db = b.queue._db
        assert not await db.run(lambda tx: is_used(tx, first, number))
        for scan in (first, second):
            await db.run(partial(use, scan=scan, number=number))
        assert not await db.run(lambda tx: is_used(tx, first, number))
        assert await db.run(lambda tx: is_used(tx, second, number))

    with_bench(tmp_path, work)


def test_the_scan_queue_says_which_key_it_cannot_have(tmp_path: Path) -> None:
    b = Bench(tmp_path)
    b.config = msgspec.structs.replace(b.config, cover_sheets=CoverSheets((str(tmp_path / "central"),)))
    with pytest.raises(OSError, match="central: No such file"):
        asyncio.run(b.new_queue().open())
