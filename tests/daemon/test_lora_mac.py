"""The MAC layer with a device at the other end."""

from typing import Any

import pytest

from tests.daemon.lora_device import OtaaDevice
from tests.daemon.mac_scene import MacScene
from torhaus.codecs.lorawan.downlink import After, TxStatus
from torhaus.codecs.lorawan.mac_commands import MacCommand, encode
from torhaus.codecs.model import Frame, RejectReason
from torhaus.daemon.config.lorawan import AdrSetting
from torhaus.daemon.lora.adr import WINDOW
from torhaus.daemon.lora.network import Device
from torhaus.daemon.lora.radio_link import MAX_ASKED
from torhaus.daemon.outbox.mac_state import Mac as Known

BOTH = pytest.mark.parametrize("is_1_1", [False, True])
FINE = b"\x03\x07"  # LinkADRAns: all accepted


def names(commands: list[MacCommand]) -> list[str]:
    return [c.name for c in commands]


@BOTH
def test_adr_converges_and_survives_a_kill(is_1_1: bool) -> None:
    it = OtaaDevice(is_1_1=is_1_1)
    scene = MacScene(it)

    async def body() -> None:
        await scene.join(it)
        for _ in range(WINDOW - 1):
            assert await scene.said(dr=0, snr_db=-2.0, adr=True) == []
        (asked,) = await scene.said(dr=0, snr_db=1.0, adr=True)
        # 1 + 20 - 15 = 6 dB: two steps
        assert (asked.name, asked.values["data_rate"], asked.values["tx_power"]) == ("LinkADRReq", 2, 0)
        assert asked.values["ch_mask"] == 0xFF
        assert scene.frame_adr(), "the network controls the data rate"
        await scene.killed()
        assert await scene.said(fopts=FINE, dr=2, snr_db=1.0, adr=True) == []
        assert (scene.facts().data_rate, scene.facts().tx_power) == (2, 0)
        assert scene.standalone.mac.requests == {("LinkADRReq", "accepted"): 1}
        for _ in range(WINDOW * 2):
            assert await scene.said(dr=2, snr_db=1.0, adr=True) == [], "it is as it should be"

    scene.run(body)


def test_without_the_bit_nothing_is_asked() -> None:
    it = OtaaDevice()
    scene = MacScene(it)

    async def body() -> None:
        await scene.join(it)
        for _ in range(WINDOW + 2):
            assert await scene.said(dr=0, snr_db=8.0) == []

    scene.run(body)


@pytest.mark.parametrize(
    ("adr", "first"),
    [("off", None), (AdrSetting(data_rate=3, tx_power=2), (3, 2)), (AdrSetting(margin_db=2), None)],
)
def test_adr_of_one_device(adr: Any, first: tuple[int, int] | None) -> None:
    it = OtaaDevice()
    scene = MacScene(it, {"adr": adr})

    async def body() -> None:
        await scene.join(it)
        got = await scene.said(dr=5, snr_db=5.0, adr=True)
        assert [(c.values["data_rate"], c.values["tx_power"]) for c in got] == ([first] if first else [])
        if first is not None:
            assert await scene.said(fopts=FINE, dr=3, adr=True) == []
            assert names(await scene.said(dr=2, adr=True)) == ["LinkADRReq"], "it fell back: told once more"
            return
        for _ in range(WINDOW):
            got = await scene.said(dr=5, snr_db=5.0, adr=True)
            if got:
                break
        # 5 + 7.5 - 2 = 10.5 dB: three steps of power
        assert [(c.values["data_rate"], c.values["tx_power"]) for c in got] == ([] if adr == "off" else [(5, 3)])

    scene.run(body)


def test_refused_power_is_remembered() -> None:
    it = OtaaDevice()
    scene = MacScene(it, {"adr": AdrSetting(data_rate=5, tx_power=7)})

    async def body() -> None:
        await scene.join(it)
        assert names(await scene.said(adr=True)) == ["LinkADRReq"]
        assert await scene.said(fopts=b"\x03\x03", adr=True) == []
        assert scene.facts().max_tx_power == 6
        await scene.save()
        await scene.killed()
        assert await scene.said(adr=True) == []
        assert scene.facts().refused

    scene.run(body)


@BOTH
def test_windows_change_on_both_sides_at_once(is_1_1: bool) -> None:
    it = OtaaDevice(is_1_1=is_1_1)
    scene = MacScene(it, rx2_hz=869_100_000, rx2_dr=3)

    async def body() -> None:
        await scene.join(it)
        assert it.body is not None
        assert it.body.rx2_data_rate == 3
        assert names(await scene.said()) == ["RXParamSetupReq"], "a join-accept cannot say RX2's frequency"
        first = scene.radio.sent[-1]
        assert [(i.freq_hz, i.datarate) for i in first.items][1] == (869_525_000, "SF9BW125")
        await scene.killed()
        assert await scene.said(fopts=b"\x05\x07") == []
        answer = scene.radio.sent[-1]
        assert answer is not first, "a downlink, so that the device stops repeating itself"
        assert [(i.freq_hz, i.datarate) for i in answer.items][1] == (869_100_000, "SF9BW125")
        assert len(scene.radio.sent) == 3
        await scene.killed()
        await scene.said()
        assert len(scene.radio.sent) == 3
        await scene.said(fopts=b"\x05\x07")
        assert len(scene.radio.sent) == 4, "it missed the answer, and repeats itself"
        assert scene.facts().rx2_hz == 869_100_000

    scene.run(body)


def test_rx1_delay_of_a_personalised_device() -> None:
    """Starts with 1 s; the answer to the new delay comes after the new delay."""
    it = OtaaDevice()
    scene = MacScene(it, rx1_delay_s=5)

    async def body() -> None:
        await scene.join(it)
        device = scene.network._by_id[f"{it.eui}/1"]
        assert device.join is not None
        scene.joins.change(device, mac=Known(rx1_delay_s=1))
        assert names(await scene.said()) == ["RXTimingSetupReq"]
        assert scene.last().at == After(1_000_000, scene.context())
        assert await scene.said(fopts=b"\x08") == []
        assert scene.last().at == After(5_000_000, scene.context())

    scene.run(body)


def test_all_that_a_device_is_told_goes_in_few_frames() -> None:
    seven = (*(867_100_000 + 200_000 * n for n in range(5)), 868_800_000, 869_000_000)
    it = OtaaDevice(is_1_1=True)
    scene = MacScene(it, channels_hz=seven, max_duty_cycle=7, rejoin_count_n=3, rejoin_time_n=10, dev_status_s=60)
    seen: list[tuple[str, int | None, int | None]] = []

    async def body() -> None:
        scene.standalone.mac.on_status = status
        await scene.join(it)
        got = await scene.said()
        assert names(got) == ["NewChannelReq", "NewChannelReq", "DutyCycleReq", "RejoinParamSetupReq"]
        assert scene.radio.sent[-1].items
        fopts = b"\x07\x03\x07\x01\x04\x0f\x00"  # the second channel is refused
        assert await scene.said(fopts=fopts) == []
        assert scene.facts().channels == ((8, 868_800_000),)
        assert (scene.facts().max_duty_cycle, scene.facts().rejoin) == (7, 0xA3)
        await scene.clock.pass_s(61, step_s=10)
        assert names(await scene.said()) == ["DevStatusReq"]
        await scene.said(payload=encode("DevStatusAns", battery=128, margin_db=-3), fport=0)
        assert seen == [("flur", 128, -3)]
        assert await scene.said() == []
        assert scene.standalone.mac.requests["NewChannelReq", "refused"] == 1

    def status(device: Device, _: Frame, mac: Known) -> None:
        seen.append((device.name, mac.battery, mac.margin_db))

    scene.run(body)


def test_commands_that_do_not_fit_into_fopts() -> None:
    seven = (*(867_100_000 + 200_000 * n for n in range(5)), 868_800_000, 869_000_000)
    it = OtaaDevice()
    scene = MacScene(it, channels_hz=seven)

    async def body() -> None:
        await scene.join(it)
        device = scene.network._by_id[f"{it.eui}/1"]
        scene.joins.change(device, cf_list="")
        assert names(await scene.said()) == ["NewChannelReq"] * 7
        frame_ = scene.radio.sent[-1].items[0]
        assert len(frame_.data) == 13 + 7 * 6
        assert await scene.said(fopts=b"\x07\x03" * 7) == []
        assert len(scene.facts().channels) == 7

    scene.run(body)


def test_who_never_answers_is_not_asked_for_ever() -> None:
    it = OtaaDevice()
    scene = MacScene(it, max_duty_cycle=3)

    async def body() -> None:
        await scene.join(it)
        asked = [n for n in range(600) if await scene.said()]
        assert len(asked) == MAX_ASKED
        assert asked[:4] == [0, 1, 4, 11], "ever less often"
        assert scene.standalone.mac.requests["DutyCycleReq", "unanswered"] == MAX_ASKED

    scene.run(body)


def test_a_request_that_no_gateway_could_send() -> None:
    it = OtaaDevice()
    scene = MacScene(it, max_duty_cycle=3)

    async def body() -> None:
        await scene.join(it)
        scene.radio.refuses = [TxStatus.TOO_LATE] * 2
        assert await scene.said() == []
        assert scene.facts().pending == ""
        assert names(await scene.said()) == ["DutyCycleReq"]
        assert scene.standalone.mac.requests["DutyCycleReq", "not_sent"] == 1

    scene.run(body)


def test_channels_of_us915() -> None:
    it = OtaaDevice()
    scene = MacScene(it, region="US915", sub_band=2)

    async def body() -> None:
        scene.network.region = "US915"
        await scene.join_at(903_900_000, 0)
        got = await scene.said(dr=0, freq_hz=903_900_000)
        assert [(c.values["ch_mask_cntl"], c.values["ch_mask"]) for c in got] == [(7, 2), (0, 0xFF00)]
        assert (scene.last().freq_hz, scene.last().datarate) == (923_300_000, "SF10BW500")
        assert await scene.said(fopts=FINE * 2, dr=0, freq_hz=903_900_000) == []
        assert scene.facts().channels_on == (*range(8, 16), 65)
        assert await scene.said(dr=0, freq_hz=903_900_000) == []

    scene.run(body)


@pytest.mark.parametrize(("freq_hz", "dr", "channel"), [(908_700_000, 3, 32), (903_000_000, 4, 64)])
def test_channel_numbers_of_fixed_regions_are_in_the_mic(freq_hz: int, dr: int, channel: int) -> None:
    it = OtaaDevice(is_1_1=True)
    scene = MacScene(it, region="US915")

    async def body() -> None:
        scene.network.region = "US915"
        await scene.join_at(903_900_000, 0)
        assert scene.up(freq_hz=freq_hz, dr=dr, channel=channel).reason is None
        it.fcnt_up += 1
        assert scene.up(freq_hz=freq_hz, dr=dr, channel=channel - 1).reason is RejectReason.MIC

    scene.run(body)


def test_what_people_see() -> None:
    it = OtaaDevice()
    scene = MacScene(it)

    async def body() -> None:
        assert scene.standalone.mac.views() == []
        await scene.join(it)
        for n in range(5):
            await scene.said(dr=5, snr_db=float(n), skip=int(n == 3))
            await scene.clock.pass_s(60, step_s=10)
        (view,) = scene.standalone.mac.views()
        assert (view.device, view.fcnt, view.datarate, view.device_class) == ("flur", 5, "SF7BW125", "A")
        assert (view.snr_db, view.margin_db, view.loss) == (4.0, 11.5, round(1 / 6, 4))
        assert view.expected_at_ns is not None
        assert 59e9 < view.expected_at_ns - view.last_at_ns < 62e9
        assert view.gateways == ["aa555a0000000101"]

    scene.run(body)
