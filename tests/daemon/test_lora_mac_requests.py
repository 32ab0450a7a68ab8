"""Requests, and what answers make of them."""

import pytest
from msgspec.structs import replace

from tests.daemon.lora_device import OtaaDevice
from tests.daemon.mac_scene import MacScene
from torhaus.codecs.lorawan.mac_commands import decode, encode
from torhaus.daemon.config.lorawan import Mac
from torhaus.daemon.config.model import Lorawan
from torhaus.daemon.lora.adr import Setting
from torhaus.daemon.lora.mac_requests import MAX_REFUSED, Outcome, answered, wanted
from torhaus.daemon.lora.plan import Plan
from torhaus.daemon.outbox.mac_state import STARTED
from torhaus.daemon.outbox.mac_state import Mac as Known

US915 = Plan(Lorawan(region="US915", mac=Mac(sub_band=1)))
EU868 = Plan(Lorawan())
BLOCK = US915.link_adr(US915.fixed_on, 3, 2, 1)
ADR = EU868.link_adr(frozenset(range(8)), 5, 3, 2)


def told(plan: Plan, pending: bytes, answers: bytes, mac: Known | None = None) -> tuple[Known, list[tuple[str, str]]]:
    before = Known(pending=pending.hex()) if mac is None else mac
    after, outcomes = answered(plan, before, "", decode(answers, uplink=True)[0], 17)
    assert after.pending == ""
    return after, [(o.name, o.result) for o in outcomes]


@pytest.mark.parametrize("answers", [b"\x03\x07", b"\x03\x07\x03\x07"])
def test_a_block_is_one_request(answers: bytes) -> None:
    """LoRaWAN 1.0.2 and later answer each LinkADRReq of a block alike, others answer once."""
    after, outcomes = told(US915, BLOCK, answers)
    assert outcomes == [("LinkADRReq", "accepted")]
    assert (after.data_rate, after.tx_power, after.channels_on) == (3, 2, (*range(8), 64))


def test_a_block_of_which_one_is_refused() -> None:
    after, outcomes = told(US915, BLOCK, b"\x03\x07\x03\x06")
    assert outcomes == [("LinkADRReq", "refused")]
    assert (after.data_rate, after.channels_on, after.refused) == (None, None, (BLOCK.hex(),))


@pytest.mark.parametrize(
    ("answer", "max_dr", "max_tx_power"), [(b"\x03\x06", None, None), (b"\x03\x05", 4, None), (b"\x03\x03", None, 2)]
)
def test_refused_bits(answer: bytes, max_dr: int | None, max_tx_power: int | None) -> None:
    after, _ = told(EU868, ADR, answer)
    assert (after.max_dr, after.max_tx_power, after.refused) == (max_dr, max_tx_power, (ADR.hex(),))
    assert (after.data_rate, after.tx_power, after.nb_trans) == (None, 0, 1), "all or nothing"


def test_answers_in_order_and_those_that_are_missing() -> None:
    pending = b"\x08\x05" + b"\x04\x03" + b"\x06" + b"\x0f\x24"
    after, outcomes = told(EU868, pending, b"\x08" + b"\x06\xfe\x3f" + b"\x02" + b"\x08")
    assert outcomes == [
        ("RXTimingSetupReq", "accepted"),
        ("DevStatusReq", "accepted"),
        ("DutyCycleReq", "unanswered"),
        ("RejoinParamSetupReq", "unanswered"),
    ]
    assert (after.rx1_delay_s, after.battery, after.margin_db, after.status_at_ns) == (5, 254, -1, 17)


def test_answers_that_nobody_asked_for_change_nothing() -> None:
    before = Known(rx1_delay_s=3)
    assert told(EU868, b"", b"\x03\x00\x08\x05\x00\x07\x00\x0f\x01\x09", before) == (before, [])


def test_keep_means_keep() -> None:
    keep = EU868.link_adr(frozenset(range(3)), 15, 15, 0)
    before = Known(data_rate=3, tx_power=2, nb_trans=3, pending=keep.hex())
    after, _ = told(EU868, b"", b"\x03\x07", before)
    assert (after.data_rate, after.tx_power, after.nb_trans, after.channels_on) == (3, 2, 3, (0, 1, 2))


def test_what_is_remembered_of_refusals_is_bounded() -> None:
    mac = Known(refused=tuple(str(n) for n in range(MAX_REFUSED)), pending=ADR.hex())
    after, _ = told(EU868, b"", b"\x03\x00", mac)
    assert len(after.refused) == MAX_REFUSED
    assert after.refused[-1] == ADR.hex()


def test_the_most_urgent_first_and_nothing_refused_again() -> None:
    plan = Plan(
        Lorawan(
            region="AS923",
            rx1_delay_s=5,
            mac=Mac(dwell_time=False, channels_hz=(922_000_000,), max_duty_cycle=1, rx1_dr_offset=1),
        )
    )
    found = wanted(plan, STARTED, "", is_1_1=False, adr=Setting(4, 0), dr=2, status_due=True)
    names = [decode(r, uplink=False)[0][0].name for r in found]
    assert names == [
        "RXTimingSetupReq",
        "RXParamSetupReq",
        "TxParamSetupReq",
        "NewChannelReq",
        "LinkADRReq",
        "DutyCycleReq",
        "DevStatusReq",
    ]
    refused = Known(rx1_delay_s=1, refused=(found[0].hex(), found[4].hex()))
    left = wanted(plan, refused, "", is_1_1=False, adr=Setting(4, 0), dr=2, status_due=False)
    assert left == [found[1], found[2], found[3], found[5]]


def test_outcomes_name_the_request() -> None:
    _, outcomes = answered(EU868, Known(pending="0403"), "", [], 0)
    assert outcomes == [Outcome("DutyCycleReq", "0403", "unanswered")]


@pytest.mark.parametrize("is_1_1", [False, True])
def test_what_only_1_1_is_told(is_1_1: bool) -> None:
    it = OtaaDevice(is_1_1=is_1_1)
    scene = MacScene(it, adr_ack_limit_n=7, adr_ack_delay_n=4)

    async def body() -> None:
        await scene.join(it)
        got = await scene.said()
        assert [(c.name, c.values) for c in got] == [("ADRParamSetupReq", {"delay_exp": 4, "limit_exp": 7})] * is_1_1
        assert await scene.said(fopts=b"\x0c" * is_1_1) == []
        assert scene.facts().adr_param == (0x74 if is_1_1 else None)
        device = scene.network._by_id[f"{it.eui}/1"]
        scene.joins.change(device, mac=replace(scene.facts(), force_rejoin=2))
        await scene.save()
        await scene.killed()
        got = await scene.said(dr=3)
        values = {"data_rate": 3, "rejoin_type": 2, "max_retries": 2, "period": 0}
        assert [(c.name, c.values) for c in got] == [("ForceRejoinReq", values)] * is_1_1

    scene.run(body)


def test_rx1_on_another_frequency() -> None:
    it = OtaaDevice()
    scene = MacScene(it, dl_channels_hz=((868_100_000, 867_100_000), (868_300_000, 868_500_000)))

    async def body() -> None:
        await scene.join(it)
        got = await scene.said()
        assert [(c.name, c.values["ch_index"], c.values["freq_hz"]) for c in got] == [
            ("DlChannelReq", 0, 867_100_000),
            ("DlChannelReq", 1, 868_500_000),
        ]
        assert scene.last().freq_hz == 868_100_000
        assert await scene.said(fopts=b"\x0a\x03\x0a\x01") == []
        assert scene.facts().down_hz == ((868_100_000, 867_100_000),), "the other one is refused"
        assert scene.last().freq_hz == 867_100_000
        await scene.save()
        await scene.killed()
        await scene.said(confirmed=True)
        assert scene.last().freq_hz == 867_100_000

    scene.run(body)


def test_rx1_is_as_it_was_when_nobody_wants_it_otherwise() -> None:
    mac = Known(down_hz=((868_100_000, 867_100_000),), channels=((3, 867_900_000),))
    (back,) = EU868.dl_channels(mac, "")
    assert decode(back, uplink=False)[0][0].values == {"ch_index": 0, "freq_hz": 868_100_000}
    after, outcomes = told(EU868, b"", b"\x0a\x03", replace(mac, pending=back.hex()))
    assert (outcomes, after.down_hz) == ([("DlChannelReq", "accepted")], ())
    moved = replace(mac, down_hz=((867_900_000, 868_100_000),))
    request = encode("NewChannelReq", ch_index=3, freq_hz=867_300_000, min_dr=0, max_dr=5)
    after, _ = told(EU868, b"", b"\x07\x03", replace(moved, pending=request.hex()))
    assert after.down_hz == (), "a channel that is another one begins anew"
