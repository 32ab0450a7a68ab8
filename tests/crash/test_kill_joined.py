"""kill -9 while devices join and are acknowledged: the real process in real time, no session lost, no counter twice."""

import asyncio
import json
from base64 import b64encode
from pathlib import Path

import pytest

from tests.crash.load import rounds
from tests.e2e.site import Site, running
from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.simulate.ends import Order
from torhaus.daemon.simulate.identity import identities
from torhaus.daemon.simulate.model import Habits
from torhaus.daemon.simulate.run import Plan, Simulation

VERSIONS = ("1.0.3", "1.0.4", "1.1")
KNOWN = tuple(identities(6, VERSIONS, 1))
HABITS = Habits(period_s=2.0, confirmed_every=1, spread_s=1.0, join_pause_s=(1.0, 3.0), is_limited=False)


class Watched(Simulation):
    """Keeps what is under each counter that the daemon used."""

    def __init__(self, port: int) -> None:
        to = (f"udp://127.0.0.1:{port}",)
        plan = Plan(known=KNOWN, to=to, gateways=2, habits=HABITS, radius_km=0.05, pull_s=0.2)
        super().__init__(plan, SystemClock())
        self.used: dict[tuple[int, bool, int], set[bytes]] = {}

    def _order(self, n: int, order: Order) -> None:
        frame = parse(order.phy)
        if isinstance(frame, DataFrame):
            self.used.setdefault((frame.dev_addr, bool(frame.fport), frame.fcnt16), set()).add(order.phy)
        super()._order(n, order)

    def all_joined(self) -> bool:
        return all(d.is_joined for d in self.town.devices)

    def acked(self) -> list[int]:
        return [d.counts["acked"] for d in self.town.devices]


def site_of(folder: Path) -> Site:
    more = f'[[forwarder]]\nname = "archive"\ntype = "file"\npath = "{folder}/out.jsonl"\n'
    limits = '[lorawan]\nmode = "standalone"\n'
    site = Site(folder, [], more, devices="".join(one.config() for one in KNOWN), limits=limits)
    (folder / "devices.keys.toml").write_text("".join(one.key_table() for one in KNOWN))
    return site


def assert_no_key(town: Watched, folder: Path, shown: list[bytes]) -> None:
    """No root key and no session key is in what is logged, shown, kept or backed up."""
    keys = [k for one in KNOWN for k in (one.app_key, one.nwk_key) if k is not None]
    for device in town.town.devices:
        session = device.member.keys
        assert session is not None
        keys += [session._keys.f_nwk_s_int_key, session._keys.s_nwk_s_int_key, session._keys.nwk_s_enc_key]
        keys.append(session._keys.app_s_key)
    forms = [form for key in keys for form in (key, key.hex().encode(), key.hex().upper().encode(), b64encode(key))]
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "devices.keys.toml"]
    assert {"log.txt", "out.jsonl", "backup", "state.db"} <= {path.name for path in files}
    for name, data in [*((path.name, path.read_bytes()) for path in files), *(("page", page) for page in shown)]:
        assert not any(form in data for form in forms), name


async def until_all(condition: object, limit_s: float = 60.0) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110 - whatever is waited for
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(5, marks=pytest.mark.timeout(600), id="short"),
        pytest.param(rounds(50), marks=[pytest.mark.crash, pytest.mark.timeout(3600)], id="long"),
    ],
)
def test_no_session_is_lost_and_no_counter_used_twice(tmp_path: Path, kills: int) -> None:
    with running(site_of(tmp_path)) as site:

        async def go() -> Watched:
            town = Watched(site.udp)
            task = asyncio.create_task(town.run())
            await until_all(town.all_joined)
            for n in range(kills):
                town.town.reset(n % len(KNOWN))  # its accept may be sent, and is on air only after the kill
                await asyncio.sleep(0.2 + 1.2 * (n * 0.618 % 1))
                await asyncio.to_thread(site.kill)
                await asyncio.to_thread(site.start)
            await until_all(town.all_joined)
            before = town.acked()
            await until_all(lambda: all(now > then for now, then in zip(town.acked(), before, strict=True)))
            task.cancel()
            await asyncio.wait([task])
            return town

        town = asyncio.run(go())
        shown = [site.get("/metrics"), site.get("/healthz"), site.get("/")]
        assert site.torhaus("backup", str(tmp_path / "backup")).returncode == 0
        assert site.stop() == 0
    assert_no_key(town, tmp_path, shown)
    assert town.town.counts()["reused_counters"] == 0
    assert [key for key, frames in town.used.items() if len(frames) > 1] == []
    joins = [d.counts["joined"] for d in town.town.devices]
    assert all(n <= 1 + -(-kills // len(KNOWN)) for n in joins)  # once, and once for each reset
    ids: dict[tuple[str, str, int], set[str]] = {}
    for line in (tmp_path / "out.jsonl").read_text().splitlines():
        body = json.loads(line)
        if body["kind"] == "reading":
            key = body["device"], body["lora"]["dev_addr"], body["lora"]["fcnt"]
            ids.setdefault(key, set()).add(body["id"])
    assert {device for device, _, _ in ids} == {one.name for one in KNOWN}
    assert all(len(of) == 1 for of in ids.values())
