"""Downlinks as ChirpStack sends them, and the answers that it reads."""

import random
from typing import Any

import msgspec
import pytest
from chirpstack_api.gw import gw_pb2
from google.protobuf import json_format

from tests.codecs.chirpstack_gw_fakes import filled
from torhaus.codecs.framing.chirpstack_gw.as_json import from_json, to_json
from torhaus.codecs.framing.chirpstack_gw.as_protobuf import from_protobuf, to_protobuf
from torhaus.codecs.framing.chirpstack_gw.downlink import answers, downlink, downlink_frame, tx_ack
from torhaus.codecs.framing.chirpstack_gw.messages import DownlinkFrame, DownlinkTxAck
from torhaus.codecs.lorawan.downlink import After, AtGpsTime, Downlink, Immediately, TxAnswer, TxItem, TxStatus
from torhaus.codecs.model import DecodeError, RejectReason

GATEWAY = "aa555a0000000101"
RX1 = TxItem(
    b"\x60" * 12, 868_100_000, "LORA", "SF7BW125", After(1_000_000, b"\0\0\0\1"), "4/5", 14.0,
    invert_polarization=True, crc=True, preamble=None, board=0, antenna=0,
)  # fmt: skip
RX2 = msgspec.structs.replace(RX1, freq_hz=869_525_000, datarate="SF12BW125", at=After(2_000_000, b"\0\0\0\1"))


def asked() -> Any:
    """As ChirpStack asks for RX1, then RX2."""
    frame = gw_pb2.DownlinkFrame(downlink_id=4711, gateway_id=GATEWAY)
    for freq, sf, delay in ((868_100_000, 7, 1), (869_525_000, 12, 2)):
        item = frame.items.add(phy_payload=b"\x60" * 12)
        item.tx_info.frequency, item.tx_info.power, item.tx_info.context = freq, 14, b"\0\0\0\1"
        lora = item.tx_info.modulation.lora
        lora.bandwidth, lora.spreading_factor, lora.code_rate = 125_000, sf, gw_pb2.CR_4_5
        lora.polarization_inversion = True
        item.tx_info.timing.delay.delay.seconds = delay
    return frame


def test_rx1_then_rx2_in_either_form() -> None:
    frame = asked()
    for read in (
        from_protobuf(DownlinkFrame, frame.SerializeToString()),
        from_json(DownlinkFrame, json_format.MessageToJson(frame).encode()),
    ):
        assert read.downlink_id == 4711
        assert downlink(read) == Downlink(GATEWAY, (RX1, RX2))


@pytest.mark.parametrize(
    "item",
    [
        RX1,
        RX2,
        msgspec.structs.replace(RX1, at=Immediately(), coderate="4/8", preamble=10, crc=False, board=1, antenna=2),
        msgspec.structs.replace(RX1, at=AtGpsTime(1_451_260_818_123_456), invert_polarization=False, power_dbm=-3.0),
        TxItem(
            b"\x60" * 12, 868_800_000, "FSK", "50000", Immediately(), None, 14.0, invert_polarization=False, crc=True,
            deviation_hz=25_000, board=0, antenna=0,
        ),
    ],
)  # fmt: skip
def test_there_and_back(item: TxItem) -> None:
    wanted = Downlink(GATEWAY, (item,))
    message = downlink_frame(wanted, 9)
    sent = gw_pb2.DownlinkFrame.FromString(to_protobuf(message))
    assert json_format.Parse(to_json(message), gw_pb2.DownlinkFrame()) == sent
    assert (sent.downlink_id, sent.gateway_id) == (9, GATEWAY)
    assert downlink(from_protobuf(DownlinkFrame, sent.SerializeToString())) == wanted


def test_what_is_left_open_is_asked_for_as_is_usual() -> None:
    item = TxItem(b"\x60", 868_100_000, "LORA", "SF9BW125", Immediately())
    sent = gw_pb2.DownlinkFrame.FromString(to_protobuf(downlink_frame(Downlink(GATEWAY, (item,)), 9))).items[0].tx_info
    assert sent.power == 14
    lora = sent.modulation.lora
    assert (lora.polarization_inversion, lora.no_crc, lora.preamble) == (True, True, 0)
    assert lora.code_rate == gw_pb2.CR_4_5
    assert sent.timing.WhichOneof("parameters") == "immediately"


@pytest.mark.parametrize(("modulation", "datarate"), [("LORA", "50000"), ("FSK", "SF7BW125"), ("LR-FHSS", "M0CW137")])
def test_what_gateways_do_not_send(modulation: str, datarate: str) -> None:
    item = msgspec.structs.replace(RX1, modulation=modulation, datarate=datarate)
    with pytest.raises(DecodeError):
        downlink_frame(Downlink(GATEWAY, (item,)), 9)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f: f.ClearField("items"), RejectReason.RANGE),
        (lambda f: f.ClearField("gateway_id"), RejectReason.SYNTAX),
        (lambda f: f.items[1].ClearField("tx_info"), RejectReason.SHORT),
        (lambda f: f.items[1].ClearField("phy_payload"), RejectReason.RANGE),
        (lambda f: setattr(f.items[0], "phy_payload", b"x" * 256), RejectReason.RANGE),
        (lambda f: setattr(f.items[0].tx_info, "frequency", 0), RejectReason.RANGE),
        (lambda f: setattr(f.items[0].tx_info, "power", 1000), RejectReason.RANGE),
        (lambda f: f.items[0].tx_info.ClearField("modulation"), RejectReason.UNKNOWN_TYPE),
        (lambda f: setattr(f.items[0].tx_info.modulation.lr_fhss, "operating_channel_width", 137_000),
         RejectReason.UNSUPPORTED),
        (lambda f: f.items[0].tx_info.ClearField("timing"), RejectReason.SHORT),
        (lambda f: f.items[0].tx_info.ClearField("context"), RejectReason.RANGE),
        (lambda f: setattr(f.items[0].tx_info, "context", b"x" * 65), RejectReason.RANGE),
        (lambda f: setattr(f.items[0].tx_info.timing.delay.delay, "seconds", 61), RejectReason.RANGE),
        (lambda f: setattr(f.items[0].tx_info.timing.delay.delay, "seconds", -1), RejectReason.RANGE),
        (lambda f: f.items[0].tx_info.timing.gps_epoch.SetInParent(), RejectReason.RANGE),
    ],
)  # fmt: skip
def test_downlinks_that_cannot_be_sent(change: Any, reason: RejectReason) -> None:
    frame = asked()
    change(frame)
    with pytest.raises(DecodeError) as refusal:
        downlink(from_protobuf(DownlinkFrame, frame.SerializeToString()))
    assert refusal.value.reason is reason


def test_whatever_comes_leaves_with_the_one_error_or_can_be_sent_on() -> None:
    rng = random.Random(868)
    for _ in range(500):
        frame = filled(DownlinkFrame, rng)
        frame.gateway_id = GATEWAY
        for item in frame.items:
            item.tx_info.power = 14
        try:
            wanted = downlink(from_protobuf(DownlinkFrame, frame.SerializeToString()))
        except DecodeError:
            continue
        assert downlink(downlink_frame(wanted, 1)) == wanted


def test_an_answer_has_one_status_for_each_item() -> None:
    said = tuple(TxAnswer(status) for status in TxStatus)
    sent = gw_pb2.DownlinkTxAck.FromString(to_protobuf(tx_ack(4711, GATEWAY, said)))
    assert (sent.downlink_id, sent.gateway_id) == (4711, GATEWAY)
    names = [gw_pb2.TxAckStatus.Name(item.status) for item in sent.items]
    assert names == [*(s.value for s in TxStatus)][:12] + ["INTERNAL_ERROR"] * 2


def test_answers_are_read_item_by_item() -> None:
    ack = gw_pb2.DownlinkTxAck(downlink_id=1, gateway_id=GATEWAY)
    for status in ("TOO_LATE", "OK", "IGNORED"):
        ack.items.add(status=status)
    read = from_protobuf(DownlinkTxAck, ack.SerializeToString())
    assert [a.status for a in answers(read, 3)] == [TxStatus.TOO_LATE, TxStatus.OK, TxStatus.IGNORED]
    assert [a.status for a in answers(read, 2)] == [TxStatus.TOO_LATE, TxStatus.OK]
    assert [a.status for a in answers(read, 4)][3:] == [TxStatus.NO_ANSWER]
