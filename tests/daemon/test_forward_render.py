"""Records as messages: id, times, lane."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.model import Reception, Stamp, Value
from torhaus.daemon.forward.message import Kind, Message
from torhaus.daemon.forward.render import render, render_all, rfc3339
from torhaus.daemon.outbox.record import Lora, Record, Stored

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LORA = Lora(868_100_000, "LORA", "SF7BW125", rx=[Reception("aa555a0000000101")])
BOOT = "b" * 32
SECOND = 10**9


def stored(record: Record, at: Stamp | None = None) -> Stored:
    return Stored(17, "3f2a91c0", 184_467, BOOT, at or Stamp(1_795_427_605_400_999_999, 5, synced=True), record)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, (1 << 63) - 1))
def test_rfc3339_is_what_datetime_says(wall_ns: int) -> None:
    want = EPOCH + timedelta(milliseconds=wall_ns // 1_000_000)
    assert rfc3339(wall_ns) == want.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("wall_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1970-01-01T00:00:00.000Z"),
        (999_999, "1970-01-01T00:00:00.000Z"),
        (951_782_400 * SECOND, "2000-02-29T00:00:00.000Z"),
        (4_107_542_400 * SECOND - 1, "2100-02-28T23:59:59.999Z"),
        (4_107_542_400 * SECOND, "2100-03-01T00:00:00.000Z"),  # no leap year
        (253_402_300_799_999_999_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_rfc3339_at_the_edges(wall_ns: int, text: str) -> None:
    assert rfc3339(wall_ns) == text


FIELDS = {"temperature": Value(21.4, "Cel")}
READING = Record("reading", "roof", "flur", "a81758fffe0312ab", "elsys", FIELDS, lora=LORA, raw=b"\x01")
REFUSED = Record("frame", "roof", "flur", None, "elsys", None, "short", "3 bytes", LORA, raw=b"\x02")
EVENT = Record("event", "roof", event={"gateway": "aa555a0000000101", "rxnb": 3})
ID, AT = "rathaus/3f2a91c0/184467", "2026-11-23T09:53:25.400Z"


@pytest.mark.parametrize(
    ("record", "kind", "message"),
    [
        (
            READING,
            "reading",
            Message(
                ID, "reading", "rathaus", AT, "synced", False, "flur", "a81758fffe0312ab", "roof", "elsys", FIELDS,
                None, None, LORA, None, b"\x01",
            ),
        ),
        (
            READING,
            "frame",
            Message(
                ID, "frame", "rathaus", AT, "synced", False, "flur", "a81758fffe0312ab", "roof", "elsys",
                lora=LORA, raw=b"\x01",
            ),
        ),
        (
            REFUSED,
            "frame",
            Message(
                ID, "frame", "rathaus", AT, "synced", False, "flur", None, "roof", "elsys",
                reason="short", detail="3 bytes", lora=LORA, raw=b"\x02",
            ),
        ),
        (
            EVENT,
            "event",
            Message(ID, "event", "rathaus", AT, "synced", False, driver="roof", event=EVENT.event),
        ),
    ],
)  # fmt: skip
def test_a_record_as_a_message(record: Record, kind: Kind, message: Message) -> None:
    assert render(stored(record), "rathaus", {}, kind=kind, late=False) == message


@pytest.mark.parametrize("late", [False, True])
def test_the_lane_is_in_the_message(late: bool) -> None:
    assert render(stored(READING), "rathaus", {}, kind="reading", late=late).late is late


@pytest.mark.parametrize(
    ("synced", "boots", "clock", "at"),
    [
        (True, {}, "synced", "1970-01-01T00:00:10.000Z"),
        (True, {BOOT: 77 * SECOND}, "synced", "1970-01-01T00:00:10.000Z"),
        (False, {}, "unsynced", "1970-01-01T00:00:10.000Z"),
        (False, {"c" * 32: 77 * SECOND}, "unsynced", "1970-01-01T00:00:10.000Z"),
        (False, {BOOT: 1_795_427_600 * SECOND}, "corrected", "2026-11-23T09:53:25.000Z"),
    ],
)
def test_time_is_honest(synced: bool, boots: dict[str, int], clock: str, at: str) -> None:
    message = render(
        stored(READING, Stamp(10 * SECOND, 5 * SECOND, synced)), "rathaus", boots, kind="reading", late=False
    )
    assert (message.clock, message.at) == (clock, at)


def test_a_batch_is_what_its_records_are_one_by_one() -> None:
    """Records that share their time, that only have the same one, and of boots whose clock came to be known or not."""
    shared, late, early = (
        Stamp(wall, 7 * SECOND, synced=is_synced) for wall, is_synced in ((5, True), (9, False), (1, False))
    )
    record = Record("reading", "roof", "pump", fields={"n": Value(1)}, lora=LORA)
    one = stored(record, shared)
    batch = [one, stored(record, shared), stored(record, Stamp(5, 7 * SECOND, synced=True)), stored(record, late)]
    batch += [Stored(18, "3f2a91c0", 5, "c" * 32, late, record), stored(record, late), stored(record, early)]
    boots = {BOOT: 1_795_427_605 * SECOND}
    kinds: list[Kind | None] = ["reading", "frame", None, "reading", "reading", "reading", "reading"]
    by_id = dict(zip(map(id, batch), kinds, strict=True))
    made = render_all(batch, "rathaus", boots, lambda s: by_id[id(s)], late=True)
    assert made == [
        render(s, "rathaus", boots, kind=kind or "frame", late=True) for s, kind in zip(batch, kinds, strict=True)
    ]
    assert [m.clock for m in made] == ["synced"] * 3 + ["corrected", "unsynced", "corrected", "corrected"]
