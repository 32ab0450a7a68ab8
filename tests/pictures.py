"""Draws the pictures of docs/explanation/scan-chain.md: `.venv/bin/python -m tests.pictures [FOLDER]`."""

import asyncio
import base64
import io
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from tests.browser import Page, browser, sign_in
from tests.daemon.page_scene import PASSWORD
from tests.e2e.chain import USER, Chain, chain, drawn

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "images" / "chain"
MAX_BYTES: Final = 60_000
NAMES: Final = ("1-cover-sheet", "2-batch", "3-arrived", "4-story", "5-look", "6-through", "7-release-list")


async def draw(folder: Path, work: Path) -> list[str]:
    """All of them into a folder. Returns what the browser complained of."""
    async with chain(work) as site, browser(work) as page:
        sheets = await site.order_sheets()
        keep(drawn(sheets.read_bytes(), 60)[0], folder / "1-cover-sheet.png")
        batch = await site.scan_batch()
        keep(contact_sheet(sorted(batch.glob("*.pdf"))[:3]), folder / "2-batch.png")
        await sign_in(page, site.visitor.base, USER, PASSWORD)
        await site.arrive()
        await site.close_batch()
        await shot(page, site, "/scans", folder / "3-arrived.png", height=560)
        scan = next(p for p in await site.queue.release.papers(site.batch) if p.sampled)
        await shot(page, site, f"/scans?id={scan.id}", folder / "4-story.png", height=900)
        await shot(page, site, f"{site.lot}?id={scan.id}", folder / "5-look.png", height=900, lazy=True)
        await site.look_at_sample()
        await shot(page, site, site.lot, folder / "6-through.png", height=560)
        await site.release()
        await page.look(f"{site.visitor.base}{site.lot}?list=1", width=1100)
        printed = await page.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        keep(drawn(base64.b64decode(printed["data"]), 84)[0], folder / "7-release-list.png")
        return page.said


async def shot(page: Page, site: Chain, path: str, to: Path, *, height: int, lazy: bool = False) -> None:
    """What a person sees."""
    await page.look(site.visitor.base + path, width=1100, height=height)
    if lazy:
        async with asyncio.timeout(20):
            while not await page.run("document.querySelector('figure img').complete"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    await page.shot(to)
    with Image.open(to) as image:
        keep(image.convert("RGB"), to)


def contact_sheet(files: list[Path]) -> Image.Image:
    """The pages of some documents side by side, a row for each."""
    rows = [(file.name, drawn(file.read_bytes(), 22)) for file in files]
    width, height = rows[0][1][0].size
    most = max(len(leaves) for _, leaves in rows)
    image = Image.new("L", (110 + most * (width + 14), len(rows) * (height + 14) + 14), 236)
    pen = ImageDraw.Draw(image)
    for y, (name, leaves) in enumerate(rows):
        top = 14 + y * (height + 14)
        pen.text((14, top), name, fill=0)
        for x, leaf in enumerate(leaves):
            image.paste(leaf, (110 + x * (width + 14), top))
    return image


def keep(image: Image.Image, to: Path) -> None:
    """As a small PNG: with fewer colours where it is too large."""
    for colours in (128, 48, 24, 12):
        out = io.BytesIO()
        image.quantize(colours).save(out, "PNG", optimize=True)
        if out.tell() <= MAX_BYTES:
            break
    to.write_bytes(out.getvalue())


def main() -> int:
    """Exit code 1 where the browser complained, or a picture is too large."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    with tempfile.TemporaryDirectory() as work:
        said = asyncio.run(draw(folder, Path(work)))
    large = [name for name in NAMES if (folder / f"{name}.png").stat().st_size > MAX_BYTES]
    sys.stderr.writelines(f"{line}\n" for line in (*said, *(f"{name}: too large" for name in large)))
    return 1 if said or large else 0


if __name__ == "__main__":
    sys.exit(main())
