from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec

from tests.daemon.scans_fakes import Bench, fake_pdf, with_bench
from torhaus.daemon.evidence.note_xml import NAMESPACE, note_xml


def test_it_says_what_the_json_says(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put(b"a <b> & \x01\r\xff.pdf", fake_pdf())
        b.put(b"c.pdf", fake_pdf(2))
        await b.look()
        desk = b.queue.evidence
        scan = (await b.queue.list())[-1]
        note = await desk.state(scan.id, ["quality=passed"], "S17", "uid:0")
        tree = ET.fromstring(note_xml(note))
        assert tree.tag == f"{{{NAMESPACE}}}transfer-note"
        said = {child.tag.partition("}")[2].replace("-", "_"): child for child in tree}
        for name, value in msgspec.to_builtins(note).items():
            if isinstance(value, dict | list):
                assert len(said[name]) == len([v for v in value if v is not None] if isinstance(value, list) else value)
            elif value is None:
                assert name not in said
            elif name != "original_name":
                assert (said[name].text or "") == str(value)
        assert "a <b> & " in str(said["original_name"].text)
        await b.queue._db.run(lambda tx: tx.conn.execute("UPDATE scan SET batch = 'x'"))
        batch = ET.fromstring(note_xml(await desk.batch_note("x")))
        documents = batch.find(f"{{{NAMESPACE}}}documents")
        assert documents is not None
        assert len(documents) == 2

    with_bench(tmp_path, work)
