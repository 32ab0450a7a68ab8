import asyncio
import sqlite3
from types import SimpleNamespace
from typing import Any

from torhaus.daemon.evidence.log import FaultLog, LogClass, class_of
from torhaus.daemon.page.journal import FAILED, Journal


class Site:
    """A site with a journal, or without one."""

    def __init__(self, *, has: bool = True) -> None:
        self.entered: list[tuple[str, str, dict[str, Any]]] = []
        self.fault: Exception | None = None
        self.defects: list[BaseException] = []
        self.watch = SimpleNamespace(defect=lambda _, error: self.defects.append(error))
        self.faults = FaultLog()
        self.evidence = self
        self._has = has

    def scans(self) -> Any:
        return self if self._has else None

    async def used(self, what: str, account: str, _: None, **data: Any) -> None:
        if self.fault is not None:
            raise self.fault
        self.entered.append((what, account, data))


def test_what_people_do_is_entered_without_their_names() -> None:
    site = Site()
    asyncio.run(Journal(site).enter("page_sign_in", "technik", role="admin"))  # type: ignore[arg-type]
    ((what, account, data),) = site.entered
    assert (what, data) == ("page_sign_in", {"role": "admin"})
    assert account.startswith("page:")
    assert "technik" not in account


def test_failures_are_a_number() -> None:
    site = Site()
    journal = Journal(site)  # type: ignore[arg-type]
    for _ in range(5):
        journal.failed()
    assert site.faults.take() == {(FAILED, ""): 5}
    assert class_of(f"fault.{FAILED}") is LogClass.FAULT


def test_a_site_that_does_not_scan_has_none() -> None:
    site = Site(has=False)
    journal = Journal(site)  # type: ignore[arg-type]
    asyncio.run(journal.enter("x", "technik"))
    journal.failed()
    assert (site.entered, site.faults.is_empty) == ([], True)


def test_one_that_cannot_be_written_holds_nobody_up() -> None:
    site = Site()
    site.fault = sqlite3.OperationalError("disk full")
    asyncio.run(Journal(site).enter("x", "technik"))  # type: ignore[arg-type]
    assert site.defects == [site.fault]
