"""Answers to MAC commands as the specification has them, and what is changed by them."""

from random import Random

import pytest

from torhaus.codecs.lorawan.cf_list import FREQUENCIES, MASKS, CfList, encode_cf_list
from torhaus.codecs.lorawan.join import JoinAcceptBody
from torhaus.codecs.lorawan.mac_commands import decode, encode
from torhaus.codecs.lorawan.region import region
from torhaus.daemon.simulate.settings import Settings

EU868 = region("EU868")
MORE_HZ = (867_100_000, 867_300_000, 0, 867_700_000, 867_900_000)


def link_adr(dr: int = 3, power: int = 2, mask: int = 7, cntl: int = 0, nb_trans: int = 2) -> bytes:
    return encode("LinkADRReq", data_rate=dr, tx_power=power, ch_mask=mask, ch_mask_cntl=cntl, nb_trans=nb_trans)


def said(it: Settings) -> list[tuple[str, dict[str, int]]]:
    found, rest = decode(it.answers(), uplink=True)
    assert rest == b""
    return [(c.name, c.values) for c in found]


def joined(*, cf_list: bytes = b"", settings: int = 0x12, delay: int = 5) -> Settings:
    it = Settings(EU868)
    it.joined(JoinAcceptBody(1, 0x13, 1, settings, delay, cf_list))
    return it


def test_a_join_accept_sets_windows_and_channels() -> None:
    it = joined(cf_list=encode_cf_list(CfList(FREQUENCIES, MORE_HZ)))
    assert (it.rx1_delay_s, it.rx1_dr_offset, it.rx2_dr, it.rx2_hz) == (5, 1, 2, 869_525_000)
    assert sorted(it.channels) == [0, 1, 2, 3, 4, 6, 7]
    assert it.channels[6].freq_hz == 867_700_000
    assert joined(delay=0).rx1_delay_s == 1
    assert joined(cf_list=bytes(15) + b"\x09").channels.keys() == {0, 1, 2}  # of no type
    assert joined(cf_list=encode_cf_list(CfList(MASKS, channels=(1,)))).enabled == {0, 1, 2}  # not of this region
    us = Settings(region("US915"), 3)
    us.joined(JoinAcceptBody(1, 0x13, 1, 0, 1, encode_cf_list(CfList(MASKS, channels=tuple(range(8, 16))))))
    assert us.enabled == set(range(8, 16))
    number, hz = us.channel(3, Random(1)) or (0, 0)
    assert hz == 902_300_000 + 200_000 * number


def test_link_adr_is_done_whole() -> None:
    it = joined()
    it.take(link_adr(mask=5))
    assert (it.dr, it.tx_power, it.nb_trans, sorted(it.enabled)) == (3, 2, 2, [0, 2])
    assert said(it) == [("LinkADRAns", {"channel_mask_ack": 1, "data_rate_ack": 1, "power_ack": 1})]
    it.take(link_adr(15, 15, 7, nb_trans=0))
    assert (it.dr, it.tx_power, it.nb_trans, sorted(it.enabled)) == (3, 2, 1, [0, 1, 2])  # 15: as before


@pytest.mark.parametrize(
    ("request_", "acks"),
    [
        (link_adr(mask=0x108), (0, 1, 1)),  # channels that there are none of
        (link_adr(mask=0), (0, 1, 1)),
        (link_adr(cntl=3), (0, 1, 1)),
        (link_adr(dr=12), (1, 0, 1)),
        (link_adr(dr=8), (1, 0, 1)),  # LR-FHSS
        (link_adr(power=9), (1, 1, 0)),
        (link_adr(dr=12, power=9), (1, 0, 0)),
    ],
)
def test_link_adr_that_cannot_be_done_changes_nothing(request_: bytes, acks: tuple[int, int, int]) -> None:
    it = joined()
    it.take(request_)
    assert (it.dr, it.tx_power, it.nb_trans, sorted(it.enabled)) == (5, 0, 1, [0, 1, 2])
    ((_, values),) = said(it)
    assert tuple(values.values()) == acks


def test_requests_in_a_row_are_one() -> None:
    it = joined()
    it.take(link_adr(dr=2, mask=1) + link_adr(dr=4, mask=0, cntl=6) + encode("DevStatusReq"))
    assert (it.dr, sorted(it.enabled)) == (4, [0, 1, 2])
    assert [name for name, _ in said(it)] == ["LinkADRAns", "LinkADRAns", "DevStatusAns"]


def test_windows_are_changed_and_told_until_it_is_heard() -> None:
    it = joined()
    setup = encode("RXParamSetupReq", rx2_data_rate=3, rx1_dr_offset=2, freq_hz=868_500_000)
    it.take(setup + encode("RXTimingSetupReq", delay_s=3))
    assert (it.rx2_hz, it.rx2_dr, it.rx1_dr_offset, it.rx1_delay_s) == (868_500_000, 3, 2, 3)
    assert [name for name, _ in said(it)] == ["RXParamSetupAns", "RXTimingSetupAns"]
    assert [name for name, _ in said(it)] == ["RXParamSetupAns", "RXTimingSetupAns"]
    it.take(b"")
    assert said(it) == []
    it.take(encode("RXParamSetupReq", rx2_data_rate=9, rx1_dr_offset=7, freq_hz=902_300_000))
    ((_, values),) = said(it)
    assert set(values.values()) == {0}
    assert it.rx2_hz == 868_500_000


def test_channels_come_and_go() -> None:
    it = joined()
    new = {"ch_index": 3, "freq_hz": 867_100_000, "min_dr": 0, "max_dr": 5}
    it.take(encode("NewChannelReq", **new) + encode("DlChannelReq", ch_index=3, freq_hz=868_300_000))
    assert (it.channels[3].freq_hz, it.down_hz[3], 3 in it.enabled) == (867_100_000, 868_300_000, True)
    assert [set(v.values()) for _, v in said(it)] == [{1}, {1}]
    it.take(encode("NewChannelReq", **(new | {"freq_hz": 0})))
    assert 3 not in it.channels
    said(it)
    for bad, acks in (
        ({"ch_index": 0}, [0, 0]),
        ({"ch_index": 16}, [0, 0]),
        ({"freq_hz": 902_300_000}, [0, 1]),
        ({"min_dr": 6}, [1, 0]),
    ):
        it.take(encode("NewChannelReq", **(new | bad)))
        ((_, values),) = said(it)
        assert list(values.values()) == acks
    it.take(encode("DlChannelReq", ch_index=9, freq_hz=868_300_000))
    assert said(it) == [("DlChannelAns", {"channel_frequency_ok": 1, "uplink_frequency_exists": 0})]
    it.take(encode("DlChannelReq", ch_index=1, freq_hz=868_300_000) + encode("DlChannelReq", ch_index=0, freq_hz=100))
    assert said(it) == [
        ("DlChannelAns", {"channel_frequency_ok": 1, "uplink_frequency_exists": 1}),
        ("DlChannelAns", {"channel_frequency_ok": 0, "uplink_frequency_exists": 1}),
    ]
    us = Settings(region("US915"), 3)
    us.take(encode("NewChannelReq", **new) + encode("DlChannelReq", ch_index=3, freq_hz=868_300_000))
    assert said(us) == []


def test_the_rest() -> None:
    it = joined()
    it.margin_db = 50
    it.take(
        encode("DevStatusReq")
        + encode("DutyCycleReq", max_duty_cycle=4)
        + encode("LinkCheckAns", margin_db=9, gw_cnt=2)
    )
    it.take(encode("ADRParamSetupReq", limit_exp=3, delay_exp=2) + encode("DeviceTimeAns", gps_s=9, fraction_256=0))
    it.take(encode("TxParamSetupReq", max_eirp=1, uplink_dwell_time=0, downlink_dwell_time=0))  # not in EU868
    it.take(encode("RejoinParamSetupReq", max_count_n=1, max_time_n=1))
    it.take(encode("ForceRejoinReq", data_rate=2, rejoin_type=2, max_retries=0, period=0) + b"\xff\x02")
    assert (it.max_duty_cycle, list(it.link_checks), it.gps_s, it.rejoin) == (4, [(9, 2)], 9, (2, 2))
    assert (it.adr_ack_limit, it.adr_ack_delay) == (8, 4)
    assert said(it) == [
        ("DevStatusAns", {"battery": 200, "margin_db": 31}),
        ("DutyCycleAns", {}),
        ("ADRParamSetupAns", {}),
        ("RejoinParamSetupAns", {"time_ok": 0}),
    ]
    asia = Settings(region("AS923"))
    asia.take(encode("TxParamSetupReq", max_eirp=1, uplink_dwell_time=0, downlink_dwell_time=0))
    assert [name for name, _ in said(asia)] == ["TxParamSetupAns"]


def test_1_1_says_that_it_has_new_keys_until_that_is_confirmed() -> None:
    it = Settings(EU868, is_1_1=True)
    assert said(it) == said(it) == [("RekeyInd", {"minor": 1})]
    it.take(encode("RekeyConf", minor=1))
    it.take(link_adr(nb_trans=3))
    it.take(link_adr(nb_trans=0))
    assert it.nb_trans == 3  # in 1.1: as before
    assert [name for name, _ in said(it)] == ["LinkADRAns"] * 2


def test_what_has_no_room_waits() -> None:
    it = joined()
    it.take(b"".join(link_adr() for _ in range(9)) + encode("RXTimingSetupReq", delay_s=1))
    assert [len(it.answers()) for _ in range(3)] == [15, 5, 1]


def test_when_nothing_is_heard_for_long() -> None:
    it = joined()
    it.take(link_adr(dr=2, power=3, mask=1, nb_trans=3))
    seen = []
    for _ in range(4):
        it.back_off()
        seen.append((it.tx_power, it.dr, len(it.enabled), it.nb_trans))
    assert seen == [(0, 2, 1, 3), (0, 1, 1, 3), (0, 0, 1, 3), (0, 0, 3, 1)]


def test_hostile_commands() -> None:
    random, it = Random(6), joined()
    for _ in range(2000):
        it.take(random.randbytes(random.randint(0, 15)))
        decode(it.answers(), uplink=True)
        assert it.enabled
        assert it.enabled <= it.channels.keys()
        assert it.has_rate(it.dr) or not any(c.min_dr <= it.dr <= c.max_dr for c in it.channels.values())
