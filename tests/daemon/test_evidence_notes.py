from pathlib import Path

import pytest

from tests.daemon.scans_fakes import Bench, fake_pdf, with_bench


def test_of_a_batch(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        for n in range(3):
            b.put(f"{n}.pdf", fake_pdf(n))
        await b.look()
        desk = b.queue.evidence
        with pytest.raises(KeyError):
            await desk.batch_note("post-7")
        await b.queue._db.run(lambda tx: tx.conn.execute("UPDATE scan SET batch = 'post-7' WHERE seq < 3"))
        note = await desk.state_batch("post-7", ["completeness=complete"], "S17", "uid:0")
        assert (note.count, [each.batch for each in note.documents]) == (2, ["post-7", "post-7"])
        assert all(each.completeness != "open" for each in note.documents)
        assert note == await desk.batch_note("post-7")
        last = (await b.queue.list())[0]
        assert (await desk.note(last.id)).completeness == "open"

    with_bench(tmp_path, work)
