"""A gateway's own report: what means something is kept, what cannot be is not."""

import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.gateway_fakes import report
from torhaus.daemon.lora.report import COUNTERS, Report, read

AT = FakeClock().stamp()


def test_a_whole_report() -> None:
    values: dict[str, float | int | str] = {
        "time": "2026-11-25 10:00:00 GMT", "lati": 51.7660, "long": 8.5660, "alti": -3.5, "temp": 31, "ackr": 98.5,
        "rxnb": 20, "rxok": 18, "rxfw": 17, "dwnb": 3, "txnb": 2, "boot": "x",
    }  # fmt: skip
    told, counted = read(report(AT, values))
    assert told == Report(AT.wall_ns, 51.766, 8.566, -3.5, 31.0, 0.985)
    assert counted == {
        "received": 20, "received_crc_ok": 18, "forwarded": 17, "downlinks_received": 3, "transmitted": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"temp": "hot", "ackr": "all", "rxnb": "many", "lati": "here", "long": "there"},
        {"temp": 1e9, "ackr": 101, "lati": 91, "long": 8, "alti": 20, **dict.fromkeys(COUNTERS, -1)},
        {"temp": float("nan"), "ackr": -0.1, "lati": 51.7, **dict.fromkeys(COUNTERS, 1 << 62)},
        {"long": 8.5, "alti": 10},
    ],
)
def test_what_cannot_be(values: dict[str, float | int | str]) -> None:
    assert read(report(AT, values)) == (Report(AT.wall_ns), {})
