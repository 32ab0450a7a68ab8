"""Meters are found by primary and by secondary address, also many, and noise ends a search."""

import pytest

from tests.drivers.fakes import run
from tests.drivers.mbus_fakes import FakeBus, Meter, noise
from torhaus.codecs.framing.mbus_address import Secondary
from torhaus.drivers.mbus_scan import MAX_UNCLEAR, Found, primary, secondary
from torhaus.drivers.mbus_talk import Talk
from torhaus.drivers.polling import NoAnswer

ANY = Secondary("FFFFFFFF")


async def found_primary(bus: FakeBus, first: int = 0, last: int = 250) -> tuple[list[Found], list[tuple[int, int]]]:
    told: list[tuple[int, int]] = []
    talk = Talk(bus, 0.5, 1, 0.05)
    return [f async for f in primary(talk, first, last, lambda done, total: told.append((done, total)))], told


async def found_secondary(bus: FakeBus, found: list[Found], mask: Secondary = ANY) -> list[int]:
    told: list[int] = []
    async for f in secondary(Talk(bus, 0.5, 1, 0.05), mask, lambda done, _: told.append(done)):
        found += [f]
    return told


def test_primary_addresses() -> None:
    meters = [Meter(0), Meter(5), Meter(250)]
    found, told = run(found_primary(FakeBus(meters, echo=True)))
    assert found == [Found(m.address, m.secondary) for m in meters]
    assert told == [(n, 251) for n in range(251)]
    assert run(found_primary(FakeBus(meters), 1, 5))[0] == [Found(5, meters[1].secondary)]


@pytest.mark.parametrize("staggered", [False, True])
def test_two_with_one_primary_address_are_somebody(staggered: bool) -> None:
    bus = FakeBus([Meter(1, "11111111"), Meter(1, "22222222")])
    bus.staggered = staggered
    (found,), _ = run(found_primary(bus, 0, 3))
    assert found.address == 1
    assert found.secondary is None
    assert "several meters with this address" in found.detail


@pytest.mark.parametrize("staggered", [False, True])
def test_secondary_addresses_of_many(staggered: bool) -> None:
    numbers = [f"{n * 7_919_317 % 100_000_000:08d}" for n in range(1, 61)] + ["12345678", "12345679", "00000000"]
    meters = [Meter(0, number) for number in numbers]
    found: list[Found] = []
    bus = FakeBus(meters)
    bus.staggered = staggered
    told = run(found_secondary(bus, found))
    assert [f.address for f in found] == sorted((m.secondary for m in meters), key=lambda s: s.number)
    assert told == sorted(told), "progress never goes back"
    assert len(bus.heard) < 2000


def test_only_those_who_match() -> None:
    meters = [Meter(0, "12345678"), Meter(0, "22345678")]
    found: list[Found] = []
    run(found_secondary(FakeBus(meters), found, Secondary("1FFFFFFF")))
    assert found == [Found(meters[0].secondary, meters[0].secondary)]


@pytest.mark.parametrize("staggered", [False, True])
def test_two_with_the_same_number_are_said_to_be(staggered: bool) -> None:
    meters = [Meter(0, "12345678"), Meter(0, "12345678")]
    meters[1].secondary = Secondary.parse("12345678ABCD3A03")
    found: list[Found] = []
    bus = FakeBus(meters)
    bus.staggered = staggered
    run(found_secondary(bus, found))
    (one,) = found
    assert str(one.address) == "12345678FFFFFFFF"
    assert "several meters with this number" in one.detail


def test_an_empty_bus() -> None:
    found: list[Found] = []
    bus = FakeBus([])
    run(found_secondary(bus, found))
    assert found == []
    assert len(bus.heard) == 2, "asked twice, and no digit after that"


def test_nothing_but_noise_ends() -> None:
    class Noisy(FakeBus):
        async def _write(self, data: bytes) -> None:
            await super()._write(data)
            self._said += noise(len(self.heard))

    found: list[Found] = []
    bus = Noisy([])
    with pytest.raises(NoAnswer, match="nothing but noise: wrong rate"):
        run(found_secondary(bus, found))
    assert len(found) == MAX_UNCLEAR
