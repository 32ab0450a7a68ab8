"""Conversations on a wired M-Bus: telegram after telegram, and meters with bad manners."""

import asyncio
from collections.abc import Callable

import pytest

from tests.drivers.fakes import run
from tests.drivers.mbus_fakes import FakeBus, Meter, noise
from torhaus.codecs.framing.mbus import ACK, SND_NKE, long, short
from torhaus.codecs.framing.mbus_address import Address, Secondary
from torhaus.codecs.meter.mbus.telegram import decode
from torhaus.codecs.model import RejectReason
from torhaus.drivers.base import DriverGone
from torhaus.drivers.mbus_talk import MAX_ANSWER_BYTES, Heard, Talk
from torhaus.drivers.polling import NoAnswer

FIRST, SECOND, LAST = b"\x0c\x13\x01\x00\x00\x00\x1f", b"\x0c\x13\x02\x00\x00\x00\x1f", b"\x0c\x13\x03\x00\x00\x00"


async def read(bus: FakeBus, address: Address = 5, most: int = 16, retries: int = 2) -> tuple[list[bytes], Talk]:
    talk = Talk(bus, 1, retries, 0.05)
    return [frame async for frame in talk.read(address, most)], talk


def volumes(frames: list[bytes]) -> list[object]:
    return [decode(frame)["volume"].value for frame in frames]


@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize("piece", [1, 7, 300])
@pytest.mark.parametrize("address", [5, 254, Secondary.parse("00000005ABCD0107"), Secondary.parse("0000000FFFFFFFFF")])
def test_all_telegrams_of_a_meter(echo: bool, piece: int, address: Address) -> None:
    bus = FakeBus([Meter(5, says=[FIRST, SECOND, LAST])], echo=echo)
    bus.piece = piece
    frames, talk = run(read(bus, address))
    assert volumes(frames) == [0.001, 0.002, 0.003]
    assert talk.rejects == []
    at = address if isinstance(address, int) else 253
    assert bus.heard[1:] == [short(0x7B, at), short(0x5B, at), short(0x7B, at)], "the frame count bit is turned"
    assert bus.heard[0] == (short(SND_NKE, at) if at != 253 else long(0x53, 253, 0x52, address.wire))  # type: ignore[union-attr]


def test_a_second_reading_begins_with_the_first_telegram() -> None:
    bus = FakeBus([Meter(5, says=[FIRST, LAST])])
    for _ in range(3):
        assert volumes(run(read(bus))[0]) == [0.001, 0.003]


def test_no_more_telegrams_than_wanted_and_none_for_ever() -> None:
    assert volumes(run(read(FakeBus([Meter(5, says=[FIRST, SECOND, LAST])]), most=2))[0]) == [0.001, 0.002]
    stuck = Meter(5, says=[FIRST, SECOND])
    stuck.ignores_fcb = True
    assert volumes(run(read(FakeBus([stuck])))[0]) == [0.001], "it says the same for ever"


def test_a_meter_that_does_not_acknowledge_a_reset() -> None:
    meter = Meter(5)
    meter.knows_nke = False
    assert volumes(run(read(FakeBus([meter])))[0]) == [12345.678]


def flipped(answer: bytes) -> bytes:
    return answer[:-3] + bytes((answer[-3] ^ 1,)) + answer[-2:]


OTHER = long(0x08, 9, 0x72, Secondary.parse("00000009ABCD0107").wire + bytes(4) + LAST)


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        (lambda a: b"", None),
        (lambda a: a[:10], RejectReason.SHORT),
        (flipped, RejectReason.CRC),
        (lambda a: noise(3), RejectReason.SYNTAX),
        (lambda a: ACK, None),
        (lambda a: OTHER, RejectReason.UNKNOWN_DEVICE),
        (lambda a: b"\x68\x68\x68" + a[:-1], RejectReason.SHORT),  # a start of a longer frame
    ],
)
def test_a_bad_answer_is_asked_for_again_and_kept(
    manner: Callable[[bytes], bytes], reason: RejectReason | None
) -> None:
    meter = Meter(5)
    meter.manners = [manner, lambda a: a]
    bus = FakeBus([meter])
    frames, talk = run(read(bus))
    assert volumes(frames) == [12345.678]
    assert [bus.heard[-1], bus.heard[-2]] == [short(0x7B, 5)] * 2, "the same request, so the same telegram"
    assert (reason in {r.reason for r in talk.rejects}) or reason is None


@pytest.mark.parametrize(
    "manner",
    [lambda a: noise(1) + a, lambda a: a + noise(2), lambda a: OTHER + a, lambda a: ACK + a, lambda a: b"\x68\x30" + a],
)
def test_a_good_answer_among_others(manner: Callable[[bytes], bytes]) -> None:
    meter = Meter(5)
    meter.manners = [manner]
    bus = FakeBus([meter])
    assert volumes(run(read(bus, retries=0))[0]) == [12345.678]


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        (lambda a: b"", "address 5: no answer within 1 s"),
        (lambda a: ACK, "acknowledges, but says nothing"),
        (lambda a: OTHER, r"another meter answered \(address 9\)"),
        (flipped, "an answer that is none: checksum"),
        (lambda a: bytes(2 * MAX_ANSWER_BYTES), "an answer that is none: no start"),
    ],
)
def test_what_is_said_when_it_is_given_up(manner: Callable[[bytes], bytes], words: str) -> None:
    meter = Meter(5)
    meter.manners = [manner]
    with pytest.raises(NoAnswer, match=words):
        run(read(FakeBus([meter])))


def test_a_dead_meter_costs_no_more_than_its_time_outs() -> None:
    bus = FakeBus([])

    async def main() -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises(NoAnswer):
            await read(bus)
        return asyncio.get_running_loop().time() - began

    assert run(main()) < 4.7


def test_a_secondary_address_that_nobody_has_or_somebody_else_answers() -> None:
    with pytest.raises(NoAnswer, match="00000006ABCD0107: nobody has this address"):
        run(read(FakeBus([Meter(5)]), Secondary.parse("00000006ABCD0107")))
    two = [Meter(0, "00000005"), Meter(0, "00000007")]
    two[1].secondary = Secondary.parse("00000005ABCD0207")
    bus = FakeBus(two)
    with pytest.raises(NoAnswer, match="an answer that is none"):
        run(read(bus, Secondary.parse("00000005FFFFFFFF")))
    frames, _ = run(read(bus, Secondary.parse("00000005ABCD0207")))
    assert len(frames) == 1


@pytest.mark.parametrize("staggered", [False, True])
def test_of_two_who_match_neither_is_taken_for_the_other(staggered: bool) -> None:
    meters = [Meter(0, "00000005"), Meter(0, "00000007")]
    bus = FakeBus(meters)
    bus.staggered = staggered
    with pytest.raises(NoAnswer, match=r"0000000FFFFFFFFF: (several meters answer|an answer that is none)"):
        run(read(bus, Secondary.parse("0000000FFFFFFFFF")))
    meters[0].is_dead = True
    assert len(run(read(bus, Secondary.parse("0000000FFFFFFFFF")))[0]) == 1


def test_a_reset_for_all_waits_for_nobody() -> None:
    bus = FakeBus([Meter(5)])
    assert run(Talk(bus, 1, 0, 0.05).reset(255)) is Heard.NOTHING
    assert bus.heard == [short(SND_NKE, 255)]
    assert run(Talk(bus, 1, 0, 0.05).reset(5)) is Heard.ACK


def test_a_link_that_is_lost_is_a_loss_wherever_it_happens() -> None:
    for at in range(1, 30):
        bus = FakeBus([Meter(5, says=[FIRST, LAST])])
        bus.pulls_in = at
        try:
            assert len(run(read(bus))[0]) == 2
        except DriverGone:
            continue
        assert at > 5
