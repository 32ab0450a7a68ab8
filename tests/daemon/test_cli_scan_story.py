import msgspec

from torhaus.daemon.cli.scan_story import EVENTS, progress, story
from torhaus.daemon.scans.evidence import Entry
from torhaus.daemon.scans.pages import CutFrom, Part, Row, Shown
from torhaus.daemon.scans.states import State

ROW = Row(
    id="rathaus/0/1", station="post", name="a\x1bb.pdf", state="held", reason="no_route", target=None, sha256="ab" * 32,
    size_bytes=2048, pages=2, media_type="application/pdf", duplicate_of="rathaus/0/0", arrived_ns=1, changed_ns=2,
    tries=0, batch="7-post",
)  # fmt: skip


def test_the_story_is_told_in_words_that_cannot_move_a_cursor() -> None:
    entries = [
        Entry(
            1, 1_795_000_000 * 10**9, ROW.id, "spooled", {"state": "spooled", "sha256": "x", "duplicate_of": None}, ""
        ),
        Entry(2, 1_795_000_001 * 10**9, ROW.id, "held", {"state": "held", "reason": "no_route", "by": "\x1b[2J"}, ""),
        Entry(3, 1_795_000_002 * 10**9, ROW.id, "lot_closed", {"sampled": False, "drawn_from": True}, ""),
        Entry(4, 1_795_000_003 * 10**9, ROW.id, "something.new", {}, ""),
    ]
    text = story(Shown(scan=ROW, entries=entries))
    lines = text.splitlines()
    assert all(line.isprintable() for line in lines)
    assert "stands  held (no_route)" in lines
    assert "came by post, in batch 7-post" in lines
    assert lines[-4].endswith("on our own disk, and hashed")
    assert lines[-2].endswith("its batch is closed, and the sample drawn: in the sample no, in the draw yes")
    assert lines[-3].endswith("waits for a person: reason no_route, by \\x1b[2J")
    assert lines[-1].endswith("something.new")


def test_a_stack_names_its_parts_and_a_part_its_stack() -> None:
    parts = [
        Part(
            id="rathaus/0/2", part=1, first_page=2, last_page=3, state="held", reason="duplicate", target=None,
        ),
        Part(id="rathaus/0/3", part=2, first_page=5, last_page=5, state="verified", reason=None, target="building"),
    ]  # fmt: skip
    lines = story(Shown(scan=ROW, entries=[], parts=parts)).splitlines()
    assert "became  rathaus/0/2, pages 2 to 3: held (duplicate)" in lines
    assert "became  rathaus/0/3, page 5: verified, target building" in lines
    stack = CutFrom(id="rathaus/0/1", part=2, parts=2, first_page=5, last_page=5)
    lines = story(Shown(scan=ROW, entries=[], stack=stack)).splitlines()
    assert "part    2 of 2 of rathaus/0/1, its page 5" in lines


def test_every_state_has_words() -> None:
    assert {state.value for state in State} <= EVENTS.keys()


def test_progress_counts_by_state() -> None:
    rows = [msgspec.structs.replace(ROW, state=state) for state in ("verified", "held", "verified", "sealed")]
    assert progress(rows) == "4 documents: 1 sealed, 2 verified, 1 held"
    assert progress([]) == "no documents"
