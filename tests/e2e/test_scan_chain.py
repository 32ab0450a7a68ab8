"""One batch of post from its cover sheets to the release list, as docs/explanation/scan-chain.md shows it."""

import asyncio
import re
from pathlib import Path

import pytest

from tests import pictures
from tests.daemon.page_scene import checked
from tests.e2e.chain import LETTERS, chain
from tests.peers import program

FEW = LETTERS[:2]
DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def test_from_the_cover_sheet_to_the_release_list(tmp_path: Path) -> None:
    async def go() -> None:
        async with chain(tmp_path, FEW) as site:
            await site.order_sheets()
            there = await site.scan_batch()
            assert len(list(there.iterdir())) == len(FEW)
            await site.arrive()
            assert not there.exists()
            scans = await site.queue.list()
            assert {(s.target, s.pages) for s in scans} == {("bauakten", 1 + pages) for _, pages in FEW}
            assert len(list((tmp_path / "bauakten").glob("*.pdf"))) == len(FEW)
            await site.close_batch()
            [lot] = await site.queue.release.standings()
            assert (lot.count, lot.sampled, lot.open) == (2, 1, 1)
            _, text = await site.visitor.get(site.lot)
            assert "Der Stapel ist noch nicht durch" in text
            await site.look_at_sample()
            _, text = await site.visitor.get(site.lot)
            assert "Der Stapel ist durch" in text
            assert "Das Papier aufheben bis 25.05.2027" in text
            await site.release()
            _, text = await site.visitor.get(f"{site.lot}?list=1")
            checked(text)
            assert text.count("<td>freigegeben</td>") == len(FEW)
            assert (await site.queue.verify_evidence()).faults == []

    asyncio.run(go())


def test_the_page_shows_every_picture_and_they_are_small() -> None:
    text = (DOCS / "explanation" / "scan-chain.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]+\]\(\.\./images/chain/([^)]+)\.png\)", text)
    assert tuple(shown) == pictures.NAMES
    for name in shown:
        data = (pictures.FOLDER / f"{name}.png").read_bytes()
        assert data.startswith(b"\x89PNG")
        assert len(data) <= pictures.MAX_BYTES


@pytest.mark.crash
def test_the_pictures_can_be_drawn_anew(tmp_path: Path) -> None:
    program("chromium")
    work = tmp_path / "work"
    work.mkdir()
    assert asyncio.run(pictures.draw(tmp_path, work)) == []
    assert all(0 < (tmp_path / f"{name}.png").stat().st_size <= pictures.MAX_BYTES for name in pictures.NAMES)
