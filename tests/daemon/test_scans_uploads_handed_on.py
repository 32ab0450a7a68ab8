"""From a box's hot folder to what the central side hands it on to: every step proved by the next one's own hash."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from tests.daemon.far_sides.s3 import S3Server
from tests.daemon.scans_fakes import Bench, fake_pdf
from tests.daemon.site_scene import SiteBench
from tests.daemon.upload_fakes import with_bench
from torhaus.daemon.scans.targets import folder, http
from torhaus.daemon.scans.targets.base import TargetConfig


class Central(SiteBench):
    """Hands on to `target`, whatever that is called."""

    def __init__(self, root: Path, target: TargetConfig) -> None:
        super().__init__(root)
        self.config = msgspec.structs.replace(self.config, target=(msgspec.structs.replace(target, name="archive"),))
        self.queue = self.new_queue()


def token_file(root: Path, text: str) -> Path:
    root.mkdir()
    token = root / "token"
    token.touch(mode=0o600)
    token.write_text(text)
    return token


async def box_to(central: Central, root: Path, documents: list[bytes]) -> None:
    """A box that delivers these, and believes nothing but receipts."""
    token = token_file(root, central.text)
    key = central.queue.evidence.signer.public
    target = http.Config("central", url=f"{central.url}/sites/rathaus", token_file=str(token), receipt_key=key)
    async with Bench(root, target) as box:
        for number, data in enumerate(documents):
            box.put(f"{number}.pdf", data)
        await box.look()
        await box.deliver()
        assert await box.states() == ["verified"] * len(documents)
        assert (await box.queue.verify_evidence()).faults == []


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_what_a_box_delivers_is_handed_on_whole_and_once(tmp_path: Path, kind: str) -> None:
    documents = [fake_pdf(n) for n in range(3)]
    central_root = tmp_path / "central"
    central_root.mkdir()

    async def work(central: SiteBench) -> None:
        assert isinstance(central, Central)
        for name in ("first", "again"):  # a box that was set up anew has other ids: these are other documents
            await box_to(central, tmp_path / name, documents)
            await central.deliver()
        assert await central.states() == ["verified"] * 6
        assert sum(scan.duplicate_of is not None for scan in await central.queue.list()) == 3
        assert (await central.queue.verify_evidence()).faults == []

    def hashes(stored: list[bytes]) -> list[str]:
        return sorted({hashlib.sha256(data).hexdigest() for data in stored})

    server = S3Server()

    async def with_server(central: SiteBench) -> None:
        async with server:
            target = msgspec.structs.replace(server.config(central_root), name="archive")
            central.config = msgspec.structs.replace(central.config, target=(target,))
            await central.restart()
            await work(central)
            await central.queue.deliveries[0].close()

    (tmp_path / "out").mkdir()
    central = Central(central_root, folder.Config("archive", str(tmp_path / "out")))
    with_bench(central, work if kind == "folder" else with_server)
    assert server.faults == []
    stored = server.documents() or [path.read_bytes() for path in (tmp_path / "out").iterdir()]
    assert len(stored) == 6
    assert hashes(stored) == hashes(documents)
