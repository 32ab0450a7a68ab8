import asyncio
import sqlite3
from types import SimpleNamespace
from typing import Any

from torhaus.codecs.model import Stamp
from torhaus.daemon.page.journal import EVERY_S, Journal


class Site:
    """A site with a journal, or without one."""

    def __init__(self, *, has: bool = True) -> None:
        self.entered: list[tuple[str, dict[str, Any]]] = []
        self.fault: Exception | None = None
        self.now_s = 1.0
        self.defects: list[BaseException] = []
        self.watch = SimpleNamespace(defect=lambda _, error: self.defects.append(error))
        self._has = has

    def scans(self) -> Any:
        return self if self._has else None

    def now(self) -> Stamp:
        return Stamp(0, int(self.now_s * 1e9), True)

    async def enter(self, event: str, **data: Any) -> None:
        if self.fault is not None:
            raise self.fault
        self.entered.append((event, data))


def test_what_people_do_is_entered() -> None:
    site = Site()
    asyncio.run(Journal(site).enter("page_sign_in", user="technik"))  # type: ignore[arg-type]
    assert site.entered == [("page_sign_in", {"user": "technik"})]


def test_failures_are_a_number_once_a_minute() -> None:
    site = Site()
    journal = Journal(site)  # type: ignore[arg-type]

    async def go() -> None:
        for _ in range(5):
            await journal.failed()
        site.now_s += EVERY_S
        await journal.failed()
        await journal.failed()
        await journal.enter("page_sign_in", user="technik")

    asyncio.run(go())
    assert site.entered == [
        ("page_sign_in_failed", {"times": 1}),
        ("page_sign_in_failed", {"times": 5}),
        ("page_sign_in_failed", {"times": 1}),
        ("page_sign_in", {"user": "technik"}),
    ]


def test_a_site_that_does_not_scan_has_none() -> None:
    site = Site(has=False)
    journal = Journal(site)  # type: ignore[arg-type]

    async def go() -> None:
        await journal.enter("x")
        await journal.failed()

    asyncio.run(go())
    assert site.entered == []


def test_one_that_cannot_be_written_holds_nobody_up() -> None:
    site = Site()
    site.fault = sqlite3.OperationalError("disk full")
    journal = Journal(site)  # type: ignore[arg-type]

    async def go() -> None:
        await journal.enter("x")
        await journal.failed()

    asyncio.run(go())
    assert len(site.defects) == 2
