"""How devices were heard, by the newest records: as of their present session, bounded, and without what is unknown."""

from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import Box, with_box
from torhaus.codecs.model import Reception, Stamp, Value
from torhaus.daemon.lora import past_links as module
from torhaus.daemon.lora.past_links import past_links
from torhaus.daemon.outbox.record import Lora, Record
from torhaus.daemon.outbox.store import MAIN, Limits

MINUTE_NS = 60 * 10**9


def uplink(
    device: str, fcnt: int, snr: float | None, session: int = 1, boot_ns: int | None = None
) -> tuple[Stamp, Record]:
    at = 1_795_000_000 * 10**9 + fcnt * MINUTE_NS
    rx = [Reception("aa555a0000000101", snr_db=snr, tmst_us=1), Reception("aa555a0000000102", snr_db=-30.0, tmst_us=2)]
    lora = Lora(868_100_000, "LORA", "SF9BW125", "4/5", 3, "26011234", fcnt, 5, rx=rx, session=session)
    record = Record("reading", "roof", device, "a81758fffe0312ab", fields={"n": Value(1)}, lora=lora, raw=b"x")
    return Stamp(at, fcnt * MINUTE_NS if boot_ns is None else boot_ns, synced=True), record


async def put(box: Box, *records: tuple[Stamp, Record]) -> None:
    box.put(MAIN, list(records), 100)
    box.commit(None)
    await box.settled()


def test_links_of_the_newest_session(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        other = Stamp(1, 1, synced=True), Record("reading", "meter", "zaehler", fields={"n": Value(1)})
        await put(box, uplink("flur", 700, 9.0, session=1), uplink("keller", 3, None), other)
        await put(box, *(uplink("flur", n, float(n), session=2) for n in (0, 1, 3)))
        await put(box, uplink("flur", 4, 2.0, session=2, boot_ns=5))
        flur, keller = sorted(await past_links(box), key=lambda v: v.device)
        assert (flur.device, flur.fcnt, flur.datarate, flur.gateways[0]) == ("flur", 4, "SF9BW125", "aa555a0000000101")
        assert (flur.snr_db, flur.margin_db, flur.loss) == (2.0, 3.0 + 12.5, 0.2)
        assert flur.expected_at_ns == flur.last_at_ns + 3 * MINUTE_NS // 2
        assert (flur.device_class, flur.tx_power, flur.battery) == (None, None, None)
        assert (keller.fcnt, keller.snr_db, keller.expected_at_ns) == (3, -30.0, None)

    with_box(work, lambda: Box(tmp_path, Limits(commit_window_s=0)))


def test_only_the_newest_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORDS", 5)
    monkeypatch.setattr(module, "_BATCH", 2)

    async def work(box: Box) -> None:
        await put(box, uplink("alt", 1, 1.0), *(uplink("flur", n, 1.0) for n in range(5)))
        (view,) = await past_links(box)
        assert (view.device, view.fcnt) == ("flur", 4)
        assert await past_links(box) == [view]

    with_box(work, lambda: Box(tmp_path, Limits(commit_window_s=0)))
