"""The scenarios of scan stations: from a folder or an upload to the spool, and on to a target."""

from typing import Final

from bench.scenario import Scenario
from bench.scenarios import scans, uploads

SCANS: Final[list[Scenario]] = [
    Scenario(
        "scans/intake-large",
        "(e) documents of 50 MB, hot folder to spool",
        lambda plan: scans.scans(max(2, plan.records // 10_000), 50_000_000, is_delivered=False),
        "share_of_alone_ratio",
        targets=("share_of_alone_ratio >= 0.6",),
        runs=1,
    ),
    Scenario(
        "scans/intake-small",
        "(e) documents of 200 KB, hot folder to spool",
        lambda plan: scans.scans(max(10, plan.records // 200), 200_000, is_delivered=False),
        "documents_per_s",
        targets=("documents_per_s >= 100",),
        runs=1,
    ),
    Scenario(
        "scans/intake-pictures",
        "(e) scanned pages of 200 KB (PDF, JPEG), hot folder to spool",
        lambda plan: scans.scans(max(10, plan.records // 200), 200_000, is_delivered=False, is_picture=True),
        "documents_per_s",
        runs=1,
    ),
    Scenario(
        "scans/intake-sealed",
        "(e) documents of 200 KB, hot folder to an encrypted spool",
        lambda plan: scans.scans(max(10, plan.records // 200), 200_000, is_delivered=False, is_sealed=True),
        "documents_per_s",
        runs=1,
    ),
    Scenario(
        "scans/intake-tiny",
        "(e) documents of 1 KB, hot folder to spool",
        lambda plan: scans.scans(max(10, plan.records // 100), 1_000, is_delivered=False),
        "documents_per_s",
        runs=1,
    ),
    Scenario(
        "scans/large",
        "(e) documents of 50 MB, hot folder to folder",
        lambda plan: scans.scans(max(2, plan.records // 10_000), 50_000_000, is_delivered=True),
        "share_of_alone_ratio",
        runs=1,
    ),
    Scenario(
        "scans/small",
        "(e) documents of 200 KB, hot folder to folder",
        lambda plan: scans.scans(max(10, plan.records // 200), 200_000, is_delivered=True),
        "documents_per_s",
        runs=1,
    ),
    Scenario(
        "scans/intake-huge",
        "(e) one document of 1 GB, hot folder to spool",
        lambda plan: scans.huge(max(1, plan.records // 200_000) * 1_000_000_000),
        "peak_mib",
        runs=1,
    ),
    Scenario(
        "scans/upload-huge",
        "(e) one document of 1 GB by HTTP",
        lambda plan: uploads.huge(max(1, plan.records // 200_000) * 1_000_000_000),
        "peak_mib",
        runs=1,
    ),
    *(
        Scenario(
            f"scans/upload-{name}", f"(e) documents of {size} by HTTP, four at once", run, "documents_per_s", runs=1
        )
        for name, size, run in uploads.SIZES
    ),
]
