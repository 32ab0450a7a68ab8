"""Child of test_evidence_crash.py: kills a scan queue at random steps of a document's life, its evidence included.

    python -m tests.daemon.evidence_crash ROOT KILLS

A life is: taken in, delivered, put under a root at midnight, stated for, exported. Each is killed twice before it is
let finish. One JSON line each says what was found.
"""

import asyncio
import hashlib
import json
import random
import sys
from pathlib import Path
from typing import Any

from tests.daemon.evidence_scene import read
from tests.daemon.scans_crash import Death, bench, files, in_child, mortal
from tests.daemon.scans_fakes import Bench, fake_pdf
from torhaus.daemon.evidence.verifier import check_journal


async def live(b: Bench, death: Death | None = None) -> None:
    if death is not None:
        mortal(b, death)
    async with b:
        await b.look()
        await b.deliver()
        await b.queue.record_head()
        b.clock.pass_s(86_400)
        await b.queue.record_head()
        for scan in await b.queue.list():
            await b.queue.evidence.state(scan.id, ["match=yes"], "S17", "uid:0")
            await b.queue.evidence.export(scan.id, "uid:0")
        await b.queue.record_head()


def steps(root: Path) -> int:
    """How many a whole life has."""
    root.mkdir()
    bench(root, "").put("a.pdf", fake_pdf())
    death = Death(1 << 30)
    asyncio.run(live(bench(root, ""), death))
    return (1 << 30) - death.left


def one(root: Path, first: int, second: int) -> dict[str, Any]:
    root.mkdir()
    bench(root, "").put("a.pdf", fake_pdf(first))
    heads: list[tuple[int, str]] = []
    for n in (first, second):
        in_child(lambda n=n: asyncio.run(live(bench(root, ""), Death(n))))  # type: ignore[misc]
        head = root / "state/scans/evidence.head"
        if head.exists():  # published: whatever comes after must still contain it
            said = json.loads(head.read_text())
            heads.append((said["seq"], said["hash"]))
    finished = in_child(lambda: asyncio.run(live(bench(root, ""))))
    journal = read(root)
    kept = [{"seq": seq, "hash": digest} for seq, digest in heads]
    faults = [fault.text for fault in check_journal(journal.lines(), "", kept).faults]
    roots = [json.loads(line)["root"] for line in journal.top if line.startswith(b'{"root"')]
    written = {path.name: json.loads(path.read_text()) for path in (root / "state/scans/roots").glob("*.json")}
    return {
        "at": [first, second],
        "finished": finished,
        "faults": faults,
        "roots": {f"{r['day']}-{r['seq']}.json": r for r in roots} == written,
        "want": hashlib.sha256(fake_pdf(first)).hexdigest(),
        **asyncio.run(found(root)),
    }


async def found(root: Path) -> dict[str, Any]:
    b = bench(root, "")
    async with b:
        scans = await b.queue.list()
        store = [fault.text for fault in (await b.queue.verify_evidence()).faults]
        return {"states": [scan.state.value for scan in scans], "store": store, **files(b)}


def main(arguments: list[str]) -> None:
    root, kills = Path(arguments[0]), int(arguments[1])
    total, rng = steps(root / "whole"), random.Random(9)
    for n in range(kills):
        result = one(root / str(n), rng.randint(1, total), rng.randint(1, total))
        print(json.dumps(result), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
