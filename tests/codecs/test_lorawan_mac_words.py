from random import Random

import pytest

from torhaus.codecs.lorawan.mac_commands import COMMANDS, decode
from torhaus.codecs.lorawan.mac_words import describe
from torhaus.codecs.lorawan.region import REGIONS, region


def words(data: str, *, uplink: bool = False, name: str | None = "EU868") -> str:
    [command], rest = decode(bytes.fromhex(data), uplink=uplink)
    assert rest == b""
    return describe(command, region(name) if name else None)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("035207ff01", "use DR5 (SF7BW125), TXPower 2 (12 dBm), channels 0-2, 8-15 of 0 to 15, send each uplink once"),
        ("03f0000063", "keep the data rate, TXPower 0 (16 dBm), all channels on, send each uplink 3 times"),
        ("0552d2ad84", "RX1DROffset 5, RX2 is at 869.525 MHz with DR2 (SF10BW125)"),
        ("0400", "no duty cycle of the network's own"),
        ("0407", "send at most 1/128 of the time"),
        ("0703c06e8450", "channel 3 is at 867.9104 MHz for DR0 (SF12BW125) to DR5 (SF7BW125)"),
        ("070300000050", "delete channel 3"),
        ("0800", "RX1 opens 1 s after the uplink, RX2 one second later"),
        ("0925", "send with 16 dBm at most; uplinks last without limit, downlinks 400 ms at most"),
        ("0d120b9f5580", "the time is 2025-07-14T00:00:00.500Z (GPS 1436486418 s)"),
        ("0e251c", "rejoin with type 2 at DR5 (SF7BW125), 5 times, 256 s and a random time apart"),
        ("13000000", "beacons are at the default frequency"),
    ],
)
def test_downlinks(data: str, says: str) -> None:
    assert words(data) == says


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("0307", "accepted"),
        ("0304", "refused because of the channels and the data rate"),
        ("06fe3f", "battery 100 %, the last DevStatusReq came with -1 dB SNR"),
        ("060007", "on external power, the last DevStatusReq came with 7 dB SNR"),
        ("06ff00", "battery unknown, the last DevStatusReq came with 0 dB SNR"),
        ("1005", "class B: listens every 32 s"),
        ("2002", "the device is now class C"),
    ],
)
def test_uplinks(data: str, says: str) -> None:
    assert words(data, uplink=True) == says


def test_channel_masks_of_fixed_plans() -> None:
    assert "sub-bands 2, " in words("0350020051", name="US915")
    assert "no 125 kHz channels, 500 kHz channels 65," in words("0350020071", name="US915")
    assert "all 125 kHz channels, 500 kHz channels none," in words("0350000061", name="US915")
    assert "channels 8-15 of 0 to 15" in words("035000ff01", name="US915")


def test_without_a_region() -> None:
    assert words("035207ff01", name=None).startswith(
        "use DR5, TXPower 2, channel mask 1111111100000111 with ChMaskCntl 0"
    )


def test_every_command_with_any_values_has_words() -> None:
    random = Random(2)
    for command in COMMANDS:
        for _ in range(50):
            data = bytes((command.cid,)) + random.randbytes(command.size)
            [found], _ = decode(data, uplink=command.uplink)
            assert describe(found)
            assert describe(found, region(random.choice(REGIONS)))
