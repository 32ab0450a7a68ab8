"""A town whose power comes back, and a town's day: everybody joins, every reading is there once, attacks are refused.

Here a small town; the large one is in tests/crash (make test-crash).
"""

from collections import Counter
from random import Random
from typing import Any

from tests.daemon.town_scene import TownScene
from torhaus.codecs.lorawan.build import build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.join import build_join_request
from torhaus.codecs.lorawan.phy import JoinRequest, parse
from torhaus.codecs.model import Radio, RejectReason
from torhaus.codecs.registry import load
from torhaus.daemon.simulate.air import FLOOR_DB, NOISE_DBM
from torhaus.daemon.simulate.model import SECOND_US

HOUR_S = 3600.0
VERSIONS = ("1.0.2", "1.0.3", "1.0.4", "1.1")


def power_cut(count: int, gateways: int, seed: int = 1) -> TownScene:
    """All devices get their power at once, and join within the hour for which the back-off has 36 s of airtime."""
    scene = TownScene(count, gateways, seed, VERSIONS, radius_km=1.5, spread_s=60.0, period_s=900.0, confirmed_every=2)

    async def body() -> None:
        for _ in range(60):
            await scene.pass_s(60.0)
            if scene.town.counts()["joined_now"] == count:
                break
        await scene.pass_s(1800.0)

    scene.run(body)
    counts = scene.town.counts()
    assert counts["joined_now"] == count
    assert max(d.joined_us - d.on_since_us for d in scene.town.devices if d.joined_us is not None) < HOUR_S * SECOND_US
    assert counts["reused_counters"] == 0
    assert all(len(frames) == 1 for frames in scene.sent.values())
    assert scene.late == []  # what was sent was at the gateway in time for RX1
    assert scene.missed_rx1 == 0  # no gateway is asked that is known to be sending
    assert counts["rx1"] > 5 * counts["rx2"]  # another gateway's RX1 comes first
    assert scene.book.results["established"] == count
    assert_every_reading_once(scene)
    return scene


def assert_every_reading_once(scene: TownScene) -> None:
    found = scene.readings()
    assert set(found) == set(scene.heard)
    assert set(found.values()) == {1}
    for record in scene.store.main:
        if record.kind == "reading":
            assert record.lora is not None
            key = (record.device or "", int(record.lora.dev_addr or "", 16), record.lora.fcnt or 0)
            codec, payload, fport = scene.heard[key]
            assert record.fields == load(codec)(payload, fport)


def day(count: int, gateways: int, hours: float, seed: int = 2, **habits: Any) -> TownScene:
    """Losses, collisions, devices that are reset, and an attacker who repeats, forges and clones."""
    scene = TownScene(count, gateways, seed, VERSIONS, loss=0.05, radius_km=2.0, spread_s=300.0, **habits)
    random, attacks = Random(f"attacker {seed}"), Counter[str]()

    async def body() -> None:
        for _ in range(round(hours * 6)):
            await scene.pass_s(600.0)
            if random.random() < 0.5:
                scene.town.reset(random.randrange(count))
            attack(scene, random, attacks)

    scene.run(body)
    assert attacks.keys() == {"recording", "join", "clone", "forged"}
    assert_every_reading_once(scene)
    assert scene.book.results["wrong_key"] == attacks["clone"]
    assert scene.book.results["nonce_used"] > 0
    counts = scene.town.counts()
    assert counts["reused_counters"] == 0
    assert all(len(frames) == 1 for frames in scene.sent.values())
    assert counts["joined_now"] >= 0.95 * count
    return scene


def attack(scene: TownScene, random: Random, attacks: Counter[str]) -> None:
    """A few recordings, a forged frame for a known DevAddr, and a stranger with a known DevEUI: each is refused."""

    def try_(kind: str, phy: bytes, radio: Radio, *reasons: RejectReason) -> None:
        kept, before = len(scene.store.main), scene.refused()
        scene.replay(phy, radio)
        (reason,) = scene.refused() - before
        assert reason in reasons, (kind, reason)
        assert len(scene.store.main) == kept
        attacks[kind] += 1

    long_ago = [it for it in scene.recorded if scene.now_us - it[2] > 60 * SECOND_US]
    for phy, radio, _ in random.sample(long_ago, min(5, len(long_ago))):
        over = RejectReason.UNKNOWN_DEVICE, RejectReason.MIC  # of a session that there is no more
        try_("recording", phy, radio, RejectReason.REPLAY, RejectReason.DUPLICATE, *over)
    joins = [it for it in long_ago if isinstance(parse(it[0]), JoinRequest)]
    for phy, radio, _ in random.sample(joins, min(2, len(joins))):
        try_("join", phy, radio, RejectReason.REPLAY)
    one, radio = random.choice(scene.known), scene.recorded[-1][1]
    clone = build_join_request(random.randbytes(16), one.join_eui, one.dev_eui, random.randrange(1 << 16))
    try_("clone", clone, radio, RejectReason.MIC)
    victim = random.choice([d.member for d in scene.town.devices if d.member.dev_addr is not None])
    keys = SessionKeys.v1_0(random.randbytes(16), random.randbytes(16))
    forged = build_uplink(keys, victim.dev_addr or 0, victim.fcnt_up, 5, b"\x01\x7f\xff")
    try_("forged", forged, radio, RejectReason.MIC)


def test_a_town_whose_power_comes_back() -> None:
    power_cut(60, 3)


def test_a_few_hours_of_a_town() -> None:
    scene = day(40, 3, 4.0, period_s=600.0, confirmed_every=5)
    counts = scene.town.counts()
    assert scene.town.air.collisions + scene.town.unheard > 0
    assert counts["repeats"] > 0
    assert counts["joined"] > 40
    assert len(scene.heard) > 500


def test_data_rates_settle_where_the_link_allows() -> None:
    """Devices that begin as slow as they can: each ends at a rate that fits its link, and is left alone then."""
    scene = TownScene(8, 3, 4, VERSIONS, radius_km=2.0, spread_s=60.0, period_s=40.0, is_limited=False)
    devices = scene.town.devices
    asked: list[int] = []

    async def body() -> None:
        await scene.pass_s(900.0)
        assert all(d.is_joined for d in devices)
        for device in devices:
            device.settings.dr = 0
        for _ in range(3):
            await scene.pass_s(HOUR_S)
            asked.append(sum(d.settings.heard.count("LinkADRReq") for d in devices))

    scene.run(body)
    assert_every_reading_once(scene)
    for n, device in enumerate(devices):
        margin_db = 16.0 + max(scene.town.air._gain_db[n]) - NOISE_DBM - FLOOR_DB[7]
        assert device.settings.dr == 5 or margin_db < 15.0
        assert device.settings.dr >= 3
        assert device.settings.tx_power > 0 or margin_db < 20.0
    assert asked[-1] - asked[-2] <= len(devices) // 4  # nearly all has been said by then
    assert scene.town.unheard <= 0.02 * scene.town.counts()["uplinks"]
