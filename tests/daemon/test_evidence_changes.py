import asyncio
from pathlib import Path

from tests.daemon.evidence_scene import read
from tests.daemon.scans_fakes import SITE, Bench
from torhaus.daemon.evidence.changes import hashes_of
from torhaus.daemon.scans.queue import ScanQueue


def test_changes_of_the_configuration_are_entered_once(tmp_path: Path) -> None:
    first, part = tmp_path / "torhaus.toml", tmp_path / "conf.d" / "scan.toml"
    part.parent.mkdir()
    first.write_text("a")
    part.write_text("b")

    def entered() -> list[tuple[str, object, object]]:
        entries = [read(tmp_path).get(n) for n in range(1, len(read(tmp_path).entries) + 1)]
        return [(str(e.data["name"]), e.data["was"], e.data["sha256"]) for e in entries if e.event == "config.file"]

    def again() -> None:
        async def go() -> None:
            b = Bench(tmp_path)
            queue = ScanQueue(b.config, tmp_path / "state", SITE, b.clock, b.events.append, files=[first, part])
            await queue.open()
            await queue.close()

        asyncio.run(go())

    again()
    a, b = (hashes_of([path])[name] for path, name in ((first, "torhaus.toml"), (part, "conf.d/scan.toml")))
    assert entered() == [("conf.d/scan.toml", None, b), ("torhaus.toml", None, a)]
    again()
    assert len(entered()) == 2
    first.write_text("c")
    part.unlink()
    again()
    c = hashes_of([first])["torhaus.toml"]
    assert entered()[2:] == [("conf.d/scan.toml", b, None), ("torhaus.toml", a, c)]
    keys = [read(tmp_path).get(n) for n in read(tmp_path).seqs("config.key")]
    assert len(keys) == 1
