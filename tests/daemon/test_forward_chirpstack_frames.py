"""Records as messages for ChirpStack: what goes, what does not, whatever a record holds."""

import random

import pytest

from tests.daemon.chirpstack_scene import DATA, GATEWAY, JOIN, Scene, Stubborn
from torhaus.codecs.framing.chirpstack_gw.as_json import from_json
from torhaus.codecs.framing.chirpstack_gw.messages import UplinkFrame
from torhaus.codecs.model import Reception
from torhaus.daemon.forward.base import Outcome
from torhaus.daemon.forward.chirpstack_config import Config
from torhaus.daemon.forward.chirpstack_frames import Frames, Parcel, encoder
from torhaus.daemon.forward.relay import LATE_S
from torhaus.daemon.outbox.record import Lora


@pytest.fixture
def scene() -> Scene:
    return Scene(1, None, Stubborn(), {})


def parcels(scene: Scene, item: object, **config: object) -> tuple[list[Parcel], Outcome]:
    outcome = Outcome([], {}, {}, {})
    frames = Frames(Config(name="x", url="mqtts://x", **config), scene.clock, encoder("json"))  # type: ignore[arg-type]
    return frames.parcels([item], outcome), outcome  # type: ignore[list-item]


@pytest.mark.parametrize(("age_s", "is_sent"), [(0, True), (7.9, True), (8.1, False)])
def test_the_age_of_joins_can_be_set(scene: Scene, age_s: float, is_sent: bool) -> None:
    found, outcome = parcels(scene, scene.item(JOIN, age_s), join_max_age_s=8.0)
    assert bool(found) is is_sent
    assert outcome.dropped == ({} if is_sent else {0: "stale_join"})


def test_what_lay_in_the_log_keeps_its_distance_and_is_not_called_late_before_it_is(scene: Scene) -> None:
    for age_s, late, marked in ((0, False, False), (1, True, False), (LATE_S + 0.1, True, True)):
        (parcel,), _ = parcels(scene, scene.item(DATA, age_s))
        message = from_json(UplinkFrame, parcel.payload)
        assert message.rx_info is not None
        assert (parcel.late, "late" in message.rx_info.metadata) == (late, marked)


def test_a_repeat_has_the_same_uplink_id(scene: Scene) -> None:
    item = scene.item()
    assert parcels(scene, item)[0] == parcels(scene, item)[0]


@pytest.mark.parametrize(
    "lora",
    [
        None,
        Lora(868_100_000, "LORA", "SF7BW125"),
        Lora(0, "LORA", "SF7BW125", rx=[Reception(GATEWAY)]),
        Lora(868_100_000, "LORA", "junk", rx=[Reception(GATEWAY)]),
        Lora(868_100_000, "NOISE", "1", rx=[Reception(GATEWAY)]),
        Lora(868_100_000, "LORA", "SF7BW125", rx=[Reception(GATEWAY), Reception("+")]),
    ],
)
def test_what_cannot_be_said_is_refused(scene: Scene, lora: Lora | None) -> None:
    item = scene.item()
    item.message.lora = lora
    found, outcome = parcels(scene, item)
    assert not found
    assert list(outcome.rejected) == [0]


def test_whatever_a_frame_holds(scene: Scene) -> None:
    rng = random.Random(3)
    for _ in range(2000):
        rx = Reception(
            GATEWAY,
            rssi_dbm=rng.choice([None, -97.0, 1e9, -1e9]),
            snr_db=rng.choice([None, 7.5, 1e30]),
            channel=rng.choice([None, -1, 3, 2**33]),
            tmst_us=rng.choice([None, 0, 2**32 - 1, 2**40]),
            time=rng.choice([None, "", "x" * 500, "2026-11-23T09:53:25.4Z", "0000-00-00T00:00:00Z"]),
            gps_time_ms=rng.choice([None, -1, 0, 2**62]),
            fine_time_ns=rng.choice([None, -1, 5, 10**12]),
            crc=rng.choice([None, -1, 0, 1, 7]),
            meta=rng.choice([None, {}, {"a": "ä\0"}, {str(n): "x" for n in range(100)}]),
            context=rng.choice([None, b"", b"x" * 200]),
        )
        item = scene.item(rng.randbytes(rng.choice([0, 1, 12, 23, 255, 256])), rng.choice([0, 60]))
        assert item.message.lora is not None
        item.message.lora.rx = [rx]
        for encoding in ("json", "protobuf"):
            outcome = Outcome([], {}, {}, {})
            frames = Frames(Config(name="x", url="mqtts://x"), scene.clock, encoder(encoding))
            frames.parcels([item], outcome)
