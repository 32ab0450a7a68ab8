"""The export of a document, and the file that `torhaus evidence verifier` prints, run in a bare Python."""

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.daemon.evidence_scene import read, some_days
from tests.daemon.scans_fakes import Bench, spool_key_files
from torhaus.daemon.evidence.bundle import write_bundle
from torhaus.daemon.evidence.export import Exported
from torhaus.daemon.evidence.standalone import standalone


class Scene:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.exported = asyncio.run(self.go())
        self.zip = root / "export.zip"
        with self.zip.open("w+b") as out:
            write_bundle(out, self.exported, root / "state/scans", spool_key_files())
        self.journal = read(root)
        self.verify = root / "verify.py"
        self.verify.write_text(standalone(), encoding="utf-8")

    async def go(self) -> Exported:
        async with Bench(self.root) as b:
            await some_days(b)
            scan = (await b.queue.list())[-1]
            await b.queue.evidence.state(scan.id, ["quality=failed"], "S17", "uid:1000")
            await b.queue.evidence.state(scan.id, ["creator", "quality=passed"], "S17", "uid:1000")
            return await b.queue.evidence.export(scan.id, "uid:1000")

    def run(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-I", "-S", "-W", "error", str(self.verify), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.root)
