import json
import os
from pathlib import Path

import msgspec
import pytest

from tests.daemon.evidence_scene import read
from tests.daemon.scans_fakes import Bench, fake_pdf, with_bench
from torhaus.daemon.evidence.note import BatchNote, Note, Unstatable, parse_statement

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "transfer-note.schema.json"


def test_what_is_open_until_a_person_says_it(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("Müller, Anna.pdf", fake_pdf())
        await b.look()
        desk, [scan] = b.queue.evidence, await b.queue.list()
        note = await desk.note(scan.id)
        assert note.creator == note.quality == note.completeness == note.match == "open"
        assert (note.original_name, note.clock, note.pages) == ("Müller, Anna.pdf", "synced", 1)
        note = await desk.state(scan.id, ["creator", "match=yes"], "S17", "uid:1000")
        note = await desk.state(scan.id, ["match=no"], "QS-2", "uid:1001")
        assert note.quality == "open"
        assert not isinstance(note.match, str)
        assert (note.match.value, note.match.by, note.match.account) == ("no", "QS-2", "uid:1001")
        assert [read(tmp_path).get(seq).data["value"] for seq in read(tmp_path).seqs("use.stated")] == [
            "self",
            "yes",
            "no",
        ]
        for odd in ("match", "match=maybe", "colour=red", ""):
            with pytest.raises(Unstatable):
                await desk.state(scan.id, ["quality=passed", odd], "S17", "uid:1000")
        assert (await desk.note(scan.id)).quality == "open"  # all or nothing
        with pytest.raises(KeyError):
            await desk.state("rathaus/0/0", ["match=yes"], "S17", "uid:1000")
        assert "ller" not in json.dumps([line.decode() for line in read(tmp_path).lines()], ensure_ascii=False)

    with_bench(tmp_path, work)


def test_the_schema_is_the_one_that_is_documented() -> None:
    made = msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Note | BatchNote)), indent=1).decode() + "\n"
    if os.environ.get("TORHAUS_WRITE_SCHEMA"):
        SCHEMA.write_text(made, encoding="utf-8")
    assert SCHEMA.read_text(encoding="utf-8") == made


def test_statements() -> None:
    assert parse_statement("creator") == parse_statement("creator=self") == ("creator", "self")
    assert parse_statement("match=no") == ("match", "no")
    for odd in ("", "=", "match", "match=", "name=Anna", "creator=other"):
        with pytest.raises(Unstatable):
            parse_statement(odd)
