"""What is wanted of devices, by region. RP002-1.0.4: CFList, RX1DROffset, RX2 and ChMaskCntl of each region."""

import msgspec
import pytest

from torhaus.codecs.lorawan.cf_list import decode_cf_list
from torhaus.codecs.lorawan.mac_commands import decode
from torhaus.daemon.config.lorawan import AdrSetting, Mac, rate_fault
from torhaus.daemon.config.model import Lorawan
from torhaus.daemon.lora.adr import Limits
from torhaus.daemon.lora.plan import Plan, Receive
from torhaus.daemon.outbox.mac_state import Mac as Known


def plan(region: str = "EU868", **mac: object) -> Plan:
    return Plan(Lorawan(region=region, mac=Mac(**mac)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("region", "mac", "freqs_hz", "channels"),
    [
        ("EU868", {}, (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000), ()),
        ("EU868", {"channels_hz": (867_100_000,)}, (867_100_000, 0, 0, 0, 0), ()),
        ("AS923", {"channels_hz": (922_000_000, 922_200_000)}, (922_000_000, 922_200_000, 0, 0, 0), ()),
        ("IN865", {"channels_hz": (865_232_500,)}, (865_232_500, 0, 0, 0, 0), ()),
        ("KR920", {"channels_hz": (922_700_000,)}, (922_700_000, 0, 0, 0, 0), ()),
        ("US915", {"sub_band": 2}, (), (*range(8, 16), 65)),
        ("AU915", {"sub_band": 8}, (), (*range(56, 64), 71)),
    ],
)
def test_cf_lists(region: str, mac: dict[str, object], freqs_hz: tuple[int, ...], channels: tuple[int, ...]) -> None:
    it = decode_cf_list(plan(region, **mac).cf_list())
    assert (it.freqs_hz, it.channels) == (freqs_hz, channels)


def test_no_cf_list() -> None:
    assert plan("US915").cf_list() == plan("KR920").cf_list() == plan(channels_hz=()).cf_list() == b""


def test_windows_before_and_after_a_device_agreed() -> None:
    it = Plan(Lorawan(rx1_delay_s=5, mac=Mac(rx1_dr_offset=2, rx2_dr=3, rx2_hz=869_100_000)))
    assert it.dl_settings() == 0x23
    assert it.join_windows(5) == Receive(869_525_000, 0, 5)
    assert it.receive(it.joined()) == Receive(869_525_000, 3, 5, 2)
    assert it.receive(Known(rx1_delay_s=1)) == Receive(869_525_000, 0, 1)
    assert it.receive(Known(rx1_delay_s=5, rx2_hz=869_100_000, rx2_dr=3)) == Receive(869_100_000, 3, 5)


def test_a_session_of_another_region() -> None:
    known = Known(rx1_delay_s=1, rx2_hz=923_300_000, rx2_dr=8)
    assert plan().receive(known) == Receive(869_525_000, 0, 1)
    assert plan("US915").receive(known) == Receive(923_300_000, 8, 1)


def test_channels_that_are_to_be_told_one_by_one() -> None:
    """A CFList has room for five; a personalised device has had none."""
    seven = (*(867_100_000 + 200_000 * n for n in range(5)), 868_800_000, 869_000_000)
    it = plan(channels_hz=seven)
    told = [decode(c, uplink=False)[0][0].values for c in it.new_channels(Known(), it.cf_list().hex())]
    assert [(v["ch_index"], v["freq_hz"], v["min_dr"], v["max_dr"]) for v in told] == [
        (8, 868_800_000, 0, 5),
        (9, 869_000_000, 0, 5),
    ]
    assert len(it.new_channels(Known(), "")) == 7
    assert it.new_channels(Known(channels=((8, 868_800_000), (9, 869_000_000))), it.cf_list().hex()) == []
    gone = plan(channels_hz=seven[:1]).new_channels(Known(), it.cf_list().hex())
    assert [decode(c, uplink=False)[0][0].values["freq_hz"] for c in gone] == [0] * 4
    assert plan(channels_hz=seven[:1]).channels(Known(channels=((4, 0),)), "zz" * 0)[0] == 868_100_000
    assert plan("US915", sub_band=1).new_channels(Known(), "") == []


def test_masks_of_dynamic_regions() -> None:
    it = plan()
    on = it.wanted_on(Known(channels=((5, 0),)), it.cf_list().hex())
    (command,), _ = decode(it.link_adr(on, 5, 1, 1), uplink=False)
    assert (command.values["ch_mask"], command.values["ch_mask_cntl"]) == (0b1101_1111, 0)


def test_masks_of_fixed_regions() -> None:
    it = plan("US915", sub_band=2)
    found, _ = decode(it.link_adr(it.wanted_on(Known(), ""), 3, 0, 1), uplink=False)
    assert [(c.values["ch_mask_cntl"], c.values["ch_mask"]) for c in found] == [(7, 0b10), (0, 0xFF00)]
    assert {c.values["data_rate"] for c in found} == {3}
    assert plan("US915").wanted_on(Known(), "") == frozenset(range(72))
    assert plan("US915").wanted_on(Known(channels_on=(3,)), "") == {3}


def test_limits() -> None:
    assert plan().limits(Known()) == Limits(5, 7, 0)
    assert plan().limits(Known(max_dr=3, max_tx_power=4)) == Limits(3, 4, 0)
    assert plan("AS923").limits(Known()) == Limits(5, 7, 2), "400 ms at most until TxParamSetupReq"
    assert plan("AS923").limits(Known(dwell=0x05)) == Limits(5, 7, 0)
    assert plan("US915").limits(Known()) == Limits(3, 14, 0)


def test_dwell_time() -> None:
    assert plan("AS923").tx_param() is None
    assert plan("AS923", dwell_time=True).tx_param() == 0x35, "16 dBm"
    assert plan("AU915", dwell_time=False).tx_param() == 0x0D, "30 dBm"
    assert plan("AS923").receive(Known(dwell=0x35)).dwell


@pytest.mark.parametrize(
    ("region", "mac", "text"),
    [
        ("US915", {"channels_hz": (903_000_000,)}, "channels_hz US915 has fixed channels"),
        ("EU868", {"channels_hz": (871_000_000,)}, "channels_hz 871000000 is none of EU868"),
        ("EU868", {"channels_hz": (867_100_050,)}, "channels_hz 867100050 is none of EU868"),
        ("EU868", {"channels_hz": (868_100_000,)}, "channels_hz has a channel twice"),
        ("EU868", {"channels_hz": (867_100_000, 867_100_000)}, "such as 867100000"),
        ("EU868", {"dl_channels_hz": ((866_100_000, 868_100_000),)}, "dl_channels_hz 866100000 is no channel here"),
        ("EU868", {"dl_channels_hz": ((867_100_000, 871_000_000),)}, "dl_channels_hz 871000000 is none of EU868"),
        ("EU868", {"dl_channels_hz": ((867_100_000, 868_100_000),) * 2}, "dl_channels_hz has an uplink"),
        ("US915", {"dl_channels_hz": ((902_300_000, 923_300_000),)}, "dl_channels_hz US915 has fixed"),
        ("EU868", {"sub_band": 1}, "sub_band EU868 has none"),
        ("US915", {"rx1_dr_offset": 4}, "rx1_dr_offset US915 has 0 to 3"),
        ("US915", {"rx2_dr": 3}, "rx2_dr US915 has 8, 9"),
        ("EU868", {"rx2_hz": 915_000_000}, "rx2_hz EU868 has"),
        ("EU868", {"dwell_time": True}, "dwell_time EU868 has no"),
        ("EU868", {"rejoin_count_n": 1}, "rejoin_count_n goes with"),
        ("EU868", {"adr_ack_delay_n": 1}, "adr_ack_limit_n goes with"),
        ("EU868", {"adr": AdrSetting(data_rate=14)}, "adr EU868 has no DR14"),
        ("US915", {"adr": AdrSetting(data_rate=10)}, "adr devices do not send with DR10"),
        ("EU868", {"adr": AdrSetting(data_rate=5, tx_power=9)}, "adr EU868 has tx_power 0 to 7"),
    ],
)
def test_what_does_not_fit_a_region(region: str, mac: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=f"^mac: .*{text}"):
        plan(region, **mac)


def test_settings_of_adr() -> None:
    assert (
        rate_fault("on", "EU868") is rate_fault(None, "EU868") is rate_fault(AdrSetting(margin_db=5), "EU868") is None
    )
    assert msgspec.convert({"data_rate": 3}, AdrSetting) == AdrSetting(data_rate=3)
    for wrong in ({}, {"data_rate": 3, "margin_db": 10}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, AdrSetting)
