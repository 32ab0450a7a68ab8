"""What a satellite receiver's time says of our clock. All else of the driver: tests/drivers/test_contract.py."""

from torhaus.codecs.model import Stamp, Value
from torhaus.codecs.text.nmea import checksum
from torhaus.drivers.nmea import clock_offset

NOON_S = 1_795_608_000  # 2026-11-25T12:00:00Z


def sentence(text: str) -> bytes:
    return f"${text}*{checksum(text.encode()):02X}\r\n".encode()


def test_how_far_the_clock_is_off() -> None:
    rmc = sentence("GPRMC,120000.00,A,5145.0000,N,00833.0000,E,0.0,,251126,,,A")
    for ours_s, offset in ((NOON_S, 0), (NOON_S + 1.2, -1), (NOON_S - 3600, 3600)):
        stamp = Stamp(int(ours_s * 1e9), 0, synced=False)
        assert clock_offset(rmc, stamp) == {"clock_offset": Value(offset, "s", derived=True)}


def test_no_time_and_no_sense() -> None:
    assert clock_offset(sentence("GPGGA,120000.00,,,,,0,00,,,M,,M,,"), Stamp(0, 0, synced=True)) is None
    assert clock_offset(b"x", Stamp(0, 0, synced=True)) is None
