from pathlib import Path

from tests.daemon.evidence_scene import read
from tests.daemon.scans_fakes import Bench, with_bench
from torhaus.daemon.evidence.log import MAX_KINDS, OTHERS, FaultLog, LogClass, class_of
from torhaus.daemon.scans.events import TargetChanged


def test_a_flood_of_faults_is_one_entry_a_minute(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        for _ in range(10_000):
            b.queue.evidence.faults.add("login_failed", "counter")
        b.queue._report(TargetChanged("archive", False, "refused"))
        await b.queue.record_head()
        journal = read(tmp_path)
        [seq] = journal.seqs("fault.login_failed")
        assert journal.get(seq).data == {"count": 10_000, "where": "counter"}
        assert len(journal.seqs("fault.target_down")) == 1
        await b.queue.record_head()
        assert len(read(tmp_path).seqs("fault.login_failed")) == 1

    with_bench(tmp_path, work)


def test_kinds_of_faults_are_bounded() -> None:
    log = FaultLog()
    for n in range(MAX_KINDS + 10):
        log.add(f"kind{n}")
    counts = log.take()
    assert (len(counts), counts[OTHERS]) == (MAX_KINDS + 1, 10)
    assert log.is_empty
    log.give_back(counts)
    assert sum(log.take().values()) == MAX_KINDS + 10


def test_classes() -> None:
    assert class_of("config.file") is class_of("rights.token_added") is LogClass.CONFIG
    assert class_of("use.exported") is class_of("verified") is class_of("root") is LogClass.USE
    assert class_of("post.split") is LogClass.POST_PROCESSING
    assert class_of("fault.login_failed") is LogClass.FAULT
