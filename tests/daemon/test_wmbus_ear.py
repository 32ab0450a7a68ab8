"""What is kept of what a receiver hears: own meters' telegrams, once, and one an interval where that is wanted."""

import pytest

from tests.codecs.wmbus_fakes import KEY, Meter
from torhaus.codecs.framing.wmbus import Heard, crc16
from torhaus.codecs.model import DecodeError, Stamp
from torhaus.daemon.config.device_keys import DeviceKeys
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.wmbus import ear
from torhaus.daemon.wmbus.book import Book
from torhaus.daemon.wmbus.meters import Meters
from torhaus.drivers.wmbus import Config, Verdict

AIR, STRANGER = Meter(), Meter("99999999")
KEPT, DROPPED = Verdict(is_kept=True, device="own"), Verdict(is_kept=False, device="own")


class Scene:
    """Own meter `own` (12345678), and receivers with one memory."""

    def __init__(self, key: bytes | None = None) -> None:
        keys = {"own": DeviceKeys(wmbus_key=key)} if key else {}
        self.meters = Meters([DeviceConfig(name="own", wmbus="12345678", codec="wmbus")], keys)
        self.book = Book()
        self.repeats = ear.Repeats()

    def ear(self, interval_s: float = 0, repeat_s: float = 60, *, keep_unknown: bool = False) -> ear.Ear:
        config = Config(
            name="stick",
            link="serial:///dev/ttyUSB0",
            receiver="lines",
            interval_s=interval_s,
            repeat_s=repeat_s,
            keep_unknown=keep_unknown,
        )
        return ear.Ear(config, self.meters, self.book, self.repeats)


def judged(one: ear.Ear, telegram: bytes, second: float = 0) -> Verdict:
    return one.judge(Heard(telegram), Stamp(0, int(second * 1e9), synced=True))


def test_own_ones_are_kept_and_others_listed() -> None:
    scene = Scene()
    one = scene.ear()
    assert judged(one, AIR.plain()) == KEPT
    assert judged(one, STRANGER.plain()) == Verdict(is_kept=False)
    assert (one.unknown, len(scene.book.strangers)) == (1, 1)
    keeping = scene.ear(keep_unknown=True)
    assert judged(keeping, STRANGER.plain()) == Verdict(is_kept=True)
    with pytest.raises(DecodeError):
        judged(one, b"\x05\x44")


def test_repetitions_also_by_another_receiver_and_by_a_repeater() -> None:
    scene = Scene(KEY)
    one, two = scene.ear(), scene.ear()
    telegram = AIR.counter_mode(100)
    assert judged(one, telegram, 0) == KEPT
    assert judged(one, telegram, 10) == DROPPED
    assert judged(two, telegram, 20) == DROPPED
    repeated = telegram[:11] + bytes((telegram[11] | 0x12,)) + telegram[12:]
    assert judged(two, repeated, 30) == DROPPED
    assert judged(one, telegram, 61) == KEPT, "a meter that has nothing new to say is not lost"
    assert (one.repeats, two.repeats, scene.book.own["own"].repeats) == (1, 2, 3)


def test_no_repetitions_are_looked_for_where_that_is_said() -> None:
    one = Scene().ear(repeat_s=0)
    telegram = AIR.plain()
    assert [judged(one, telegram), judged(one, telegram)] == [KEPT, KEPT]


def test_what_is_remembered_is_bounded() -> None:
    repeats = ear.Repeats()
    for n in range(ear.MAX_REMEMBERED + 2):
        repeats.is_repeat(b"%d" % n, 0, 10**9)
    assert repeats.is_repeat(b"%d" % ear.MAX_REMEMBERED, 0, 10**9)
    assert not repeats.is_repeat(b"0", 0, 10**9)


def test_one_an_interval() -> None:
    one = Scene().ear(interval_s=900)
    verdicts = [judged(one, AIR.plain(), second).is_kept for second in (0, 16, 899, 900, 1000, 1800)]
    assert verdicts == [True, False, False, True, False, True]
    assert one.thinned == 3


def test_a_telegram_that_cannot_be_read_does_not_cost_the_interval_its_reading() -> None:
    heads, full = bytes.fromhex("0c13"), bytes.fromhex("0c1378563412")
    frame = b"\x79" + crc16(heads).to_bytes(2, "little") + crc16(full).to_bytes(2, "little")
    small, scene = AIR.telegram(frame + full[2:]), Scene()
    one = scene.ear(interval_s=900, repeat_s=0)
    assert judged(one, small, 0) == KEPT, "that it cannot be read is to be seen, once"
    assert str(scene.book.own["own"].trouble).startswith("unsupported")
    assert judged(one, small, 16) == DROPPED
    assert judged(one, AIR.telegram(b"\x78" + full), 32) == KEPT
    assert scene.book.own["own"].trouble is None
    assert judged(one, small, 48) == DROPPED
    assert judged(one, small, 901) == KEPT, "what was not kept was learned from"


def test_formats_are_learned_from_what_is_not_kept() -> None:
    heads, full = bytes.fromhex("0c13"), bytes.fromhex("0c1378563412")
    frame = b"\x79" + crc16(heads).to_bytes(2, "little") + crc16(full).to_bytes(2, "little")
    small, scene = AIR.telegram(frame + full[2:]), Scene()
    one = scene.ear(interval_s=900)
    assert judged(one, AIR.plain(), 0) == KEPT
    assert judged(one, AIR.telegram(b"\x78" + full), 10) == DROPPED
    assert scene.meters.by_name["own"].can_read(small)
