"""What is said to a device's MAC commands."""

import pytest

from torhaus.codecs.lorawan.gps_time import gps_ns
from torhaus.codecs.lorawan.mac_commands import decode
from torhaus.codecs.model import Reception
from torhaus.daemon.lora.mac_answers import Asked, answers, asks, margin_db

HEARD = [Reception("a", snr_db=-3.0), Reception("b", snr_db=2.5), Reception("b", snr_db=1)]


def asked(fopts: bytes) -> Asked:
    return asks(decode(fopts, uplink=True)[0])


def test_what_has_an_answer() -> None:
    assert asked(b"\x02\x0d\x0b\x01") == {"LinkCheckReq": 0, "DeviceTimeReq": 0, "RekeyInd": 1}
    assert asked(b"\x06\xff\x1f\x02") == {"LinkCheckReq": 0}
    assert asked(b"") == asked(b"\xff\x02") == {}


def test_all_of_them() -> None:
    at = gps_ns(1_795_000_000_500_000_000)
    fopts = answers(asked(b"\x02\x0d\x0b\x01\x01\x01\x20\x02"), "SF12BW125", HEARD, at)
    assert len(fopts) <= 15
    found, rest = decode(fopts, uplink=False)
    assert rest == b""
    assert {c.name: c.values for c in found} == {
        "ResetConf": {"minor": 1},
        "RekeyConf": {"minor": 1},
        "DeviceModeConf": {"device_class": 2},
        "LinkCheckAns": {"margin_db": 22, "gw_cnt": 2},
        "DeviceTimeAns": {"gps_s": at // 10**9, "fraction_256": 128},
    }


def test_a_time_that_nobody_knows_is_not_told() -> None:
    assert answers({"DeviceTimeReq": 0}, "SF7BW125", HEARD, None) == b""


@pytest.mark.parametrize(
    ("datarate", "snr", "margin"),
    [("SF7BW125", 7.5, 15), ("SF7BW125", -9.0, 0), ("SF12BW125", None, 0), ("50000", 5.0, 0), ("SFxBW", 1.0, 0)],
)
def test_margins(datarate: str, snr: float | None, margin: int) -> None:
    assert margin_db(datarate, [Reception("a", snr_db=snr)]) == margin
