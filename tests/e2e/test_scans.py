"""Scans end to end: taken in once, whole, delivered and verified, whatever is killed meanwhile."""

import asyncio
import hashlib
import json
import random
from functools import partial
from pathlib import Path

import pytest

from tests.daemon.scans_server import FakeServer
from tests.e2e.site import Site, running, wait_for
from tests.peers import free_port
from torhaus.daemon.demo.documents import document, drop

SCANS = 200
KILLS = 10


def station(folder: Path, target: str) -> str:
    return (
        f'[[scan.station]]\nname = "mailroom"\ntype = "folder"\npath = "{folder / "in"}"\n'
        f'stable_s = 0.2\nscan_interval_s = 0.1\ntarget = "archive"\n[[scan.target]]\nname = "archive"\n{target}'
    )


def at_most(folder: Path, count: int) -> bool:
    return len(list(folder.glob("*.pdf"))) <= count


def verified(site: Site) -> int:
    found = site.torhaus("scans", "list", "--state", "verified", "--json")
    return len(json.loads(found.stdout)) if found.returncode == 0 else 0


@pytest.mark.timeout(240)
def test_two_hundred_scans_while_killed_ten_times(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    port = free_port()
    rng = random.Random(8)
    with running(Site(tmp_path, [], station(tmp_path, f'type = "http"\nurl = "http://127.0.0.1:{port}/in"\n'))) as site:
        hashes = {hashlib.sha256(document(n)).hexdigest() for n in range(SCANS)}
        for kill in range(KILLS):  # the target is down all the while
            for n in range(kill * SCANS // KILLS, (kill + 1) * SCANS // KILLS):
                drop(tmp_path / "in", n)
            left = rng.randrange(1, SCANS // KILLS)
            wait_for(partial(at_most, tmp_path / "in", left), "some were taken")
            site.kill()  # in the middle of taking them in
            site.start()

        async def receive() -> FakeServer:
            async with FakeServer(port) as server:
                for _ in range(2000):
                    if len(server.stored) >= SCANS and await asyncio.to_thread(verified, site) >= SCANS:
                        break
                    await asyncio.sleep(0.05)
                return server

        server = asyncio.run(receive())
        assert len(server.stored) == SCANS  # each once: as many ids as documents
        assert {hashlib.sha256(body).hexdigest() for body in server.stored.values()} == hashes
        assert not server.faults
        assert not list((tmp_path / "in").glob("*.pdf"))
        wait_for(lambda: site.status()["scans"].get("target archive", {}).get("verified") == SCANS, "status shows it")
        assert (
            f'torhaus_scan_documents{{state="verified",station="mailroom"}} {SCANS}.0' in site.get("/metrics").decode()
        )
        assert "scan-0" not in site.log()  # names of documents are personal data


@pytest.mark.timeout(60)
def test_folder_target_and_quarantine(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    target = f'type = "folder"\npath = "{tmp_path / "out"}"\n'
    with running(
        Site(tmp_path, [], station(tmp_path, target).replace("stable_s", "give_up_s = 1.0\nstable_s"))
    ) as site:
        drop(tmp_path / "in", 1, pages=3)
        (tmp_path / "in" / "half.pdf").write_bytes(document(2)[:-40])
        wait_for(lambda: list((tmp_path / "out").glob("*.pdf")), "delivered")
        found = wait_for(
            lambda: site.torhaus("scans", "list", "--state", "quarantined").stdout.count("half.pdf"), "kept"
        )
        assert found == 1
        wait_for(lambda: any("1 quarantined" in p for p in site.status()["problems"]), "status says so")
        (delivered,) = (tmp_path / "out").glob("*.pdf")
        assert delivered.read_bytes() == document(1, pages=3)
        scan_id = json.loads(site.torhaus("scans", "list", "--state", "verified", "--json").stdout)[0]["id"]
        shown = json.loads(site.torhaus("scans", "show", scan_id, "--json").stdout)
        events = [e["event"] for e in shown["entries"]]
        assert events[:2] == ["arrived", "spooled"]
        assert {"source_removed", "sealed", "transferred", "verified"} <= set(events)
        assert site.torhaus("scans", "show", "nobody/knows/1").returncode == 64
        assert site.stop() == 0
        listed = site.torhaus("scans", "list", "--json")  # read from the files while the daemon is down
        assert {row["state"] for row in json.loads(listed.stdout)} == {"verified", "quarantined"}
