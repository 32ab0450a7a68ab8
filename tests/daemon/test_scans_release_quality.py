from pathlib import Path

import pytest

from tests.daemon.release_scene import DAY_S, Scene, with_scene
from torhaus.daemon.evidence.note import Stated
from torhaus.daemon.scans.release.papers import Result


def test_what_was_found_is_in_the_journal_and_in_the_transfer_note(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(1)
        [paper] = await s.look_at_sample(lot, Result.PAGE_MISSING)
        note = await s.queue.evidence.note(paper.id)
        assert isinstance(note.quality, Stated)
        assert isinstance(note.completeness, Stated)
        assert (note.quality.value, note.quality.by, note.completeness.value) == ("failed", "S17", "incomplete")
        await s.say(paper)
        note = await s.queue.evidence.note(paper.id)
        assert isinstance(note.quality, Stated)
        assert note.quality.value == "passed"
        entries = [e for e in (await s.queue.show(paper.id))[1] if e.event == "use.quality"]
        assert [(e.data["result"], e.data["by"], e.data["account"]) for e in entries] == [
            ("page-missing", "S17", "uid:7"), ("ok", "S17", "uid:7"),
        ]  # fmt: skip

    with_scene(tmp_path, work)


def test_feedback_blocks_its_document_only(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(3)
        await s.look_at_sample(lot)
        first = (await s.papers(lot))[0]
        await s.queue.release.say("feedback", first.id, Result.RESCAN, "B04", "uid:9")
        s.clock.pass_s(31 * DAY_S)
        assert [p.waits_for for p in await s.papers(lot)] == ["feedback", "person", "person"]
        await s.queue.release.say("feedback", first.id, Result.OK, "B04", "uid:9")
        assert [p.waits_for for p in await s.papers(lot)] == ["person"] * 3

    with_scene(tmp_path, work)


def test_feedback_may_come_before_the_batch_is_closed(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        s.put("a.pdf", b"%PDF-1.7\na\n%%EOF\n")
        await s.look()
        scan = (await s.queue.list())[0]
        with pytest.raises(ValueError, match="only just come"):
            await s.queue.release.say("quality", scan.id, Result.OK, "S17", "uid:7")
        await s.queue.release.say("feedback", scan.id, Result.BAD, "B04", "uid:9")
        lot = await s.day(0)
        [paper] = await s.papers(lot)
        assert (paper.feedback, paper.sampled) == ("bad", True)

    with_scene(tmp_path, work)


def test_what_is_not_there(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        with pytest.raises(KeyError):
            await s.queue.release.say("quality", "rathaus/0/9", Result.OK, "S17", "uid:7")
        with pytest.raises(KeyError):
            await s.queue.release.say_of_rest("none", Result.OK, "S17", "uid:7")
        with pytest.raises(KeyError):
            await s.papers("none")

    with_scene(tmp_path, work)
