"""The simulated meter: what it says can be read like a real one's."""

import os
import select
from collections.abc import Iterator

import pytest

from torhaus.codecs.framing.sml_transport import SmlFramer
from torhaus.codecs.registry import load
from torhaus.daemon.demo.meter import SimulatedMeter


@pytest.fixture
def meter() -> Iterator[SimulatedMeter]:
    it = SimulatedMeter()
    yield it
    it.close()


def test_its_telegrams_are_decoded_and_its_energy_grows(meter: SimulatedMeter) -> None:
    port = os.open(meter.path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    framer, decode = SmlFramer(), load("sml")
    energy = []
    try:
        for _ in range(20):
            assert meter.tick(3600)
            telegrams: list[bytes] = []
            while not telegrams:
                select.select([port], [], [], 10)
                got = framer.feed(os.read(port, 4096))
                telegrams += [t for t in got if isinstance(t, bytes)]
                assert len(telegrams) == len(got)
            (telegram,) = telegrams
            fields = decode(telegram, None)
            power, total = fields["1-0:16.7.0*255"], fields["1-0:1.8.0*255"]
            assert (power.unit, total.unit) == ("W", "W.h")
            assert isinstance(power.value, float | int)
            assert isinstance(total.value, float | int)
            assert 500 <= power.value <= 1400
            energy.append(total.value)
    finally:
        os.close(port)
    assert energy == sorted(energy)
    assert 15 * 500 <= energy[-1] - energy[0] <= 20 * 1400


def test_nobody_reads(meter: SimulatedMeter) -> None:
    """What does not fit is lost, as on a real line; it does not block."""
    assert not all(meter.tick(1) for _ in range(1000))
