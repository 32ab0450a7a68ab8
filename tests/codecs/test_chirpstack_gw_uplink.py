"""Uplinks as ChirpStack has them, both ways. It decides: what is written is read by its own classes."""

import random
from typing import Any

import msgspec
import pytest
from chirpstack_api.gw import gw_pb2
from google.protobuf import json_format

from tests.codecs.chirpstack_gw_fakes import filled
from torhaus.codecs.framing.chirpstack_gw.as_json import to_json
from torhaus.codecs.framing.chirpstack_gw.as_protobuf import from_protobuf, to_protobuf
from torhaus.codecs.framing.chirpstack_gw.fields import Moment, Span
from torhaus.codecs.framing.chirpstack_gw.messages import CrcStatus, Location, UplinkFrame
from torhaus.codecs.framing.chirpstack_gw.uplink import gateway_of, received, uplink_frame, uplink_id
from torhaus.codecs.lorawan.gps_time import gps_ns
from torhaus.codecs.model import DecodeError, Radio, Reception, RejectReason

GATEWAY = "aa555a0000000101"
PHY = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")
AT_NS = 1_767_225_600_123_456_789  # 2026-01-01T00:00:00.123456789Z
SECOND = 1_000_000_000


def frame(trusted_ns: int | None = AT_NS, /, **heard: Any) -> UplinkFrame:
    reception = Reception(GATEWAY, **heard)
    radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [reception])
    return uplink_frame(PHY, radio, reception, uplink_id=7, trusted_ns=trusted_ns)


def both(message: UplinkFrame) -> Any:
    """ChirpStack's reading of it, which must be the same from either form."""
    sent = gw_pb2.UplinkFrame.FromString(to_protobuf(message))
    assert json_format.Parse(to_json(message), gw_pb2.UplinkFrame()) == sent
    return sent


def test_a_frame_of_a_packet_forwarder() -> None:
    message = frame(rssi_dbm=-97.4, snr_db=7.5, channel=2, rf_chain=1, board=0, antenna=1, tmst_us=0x01020304, crc=1)
    sent = both(message)
    assert sent.phy_payload == PHY
    assert sent.tx_info.frequency == 868_100_000
    lora = sent.tx_info.modulation.lora
    assert (lora.bandwidth, lora.spreading_factor) == (125_000, 7)
    assert lora.code_rate == gw_pb2.CR_4_5
    rx = sent.rx_info
    assert (rx.gateway_id, rx.uplink_id, rx.rssi, rx.snr) == (GATEWAY, 7, -97, 7.5)
    assert (rx.channel, rx.rf_chain, rx.board, rx.antenna) == (2, 1, 0, 1)
    assert rx.context == b"\1\2\3\4"
    assert rx.crc_status == gw_pb2.CRC_OK
    assert rx.gw_time.ToJsonString() == "2026-01-01T00:00:00.123456789Z"
    assert rx.time_since_gps_epoch.ToNanoseconds() == gps_ns(AT_NS)


def test_without_a_clock_that_is_right_no_time_is_stated() -> None:
    sent = both(frame(None, time="2012-01-01T00:00:00Z", gps_time_ms=1_451_260_818_000, fine_time_ns=5))
    for name in ("gw_time", "time_since_gps_epoch", "fine_time_since_gps_epoch", "ns_time"):
        assert not sent.rx_info.HasField(name)


@pytest.mark.parametrize(
    ("time", "wall_ns"),
    [
        ("2026-01-01T00:00:00.1Z", AT_NS // SECOND * SECOND + 100_000_000),
        ("2025-12-31T23:59:55.2Z", AT_NS - AT_NS % SECOND - SECOND * 5 + 200_000_000),
        ("2012-01-01T00:00:00Z", AT_NS),  # a gateway whose clock was never set
        ("2026-01-01T01:00:00", AT_NS),
        ("soon", AT_NS),
        (None, AT_NS),
    ],
)
def test_the_gateways_own_time_is_taken_when_it_agrees_with_ours(time: str | None, wall_ns: int) -> None:
    info = frame(time=time).rx_info
    assert info is not None
    assert info.gw_time == Moment(wall_ns)
    assert info.time_since_gps_epoch == Span(gps_ns(wall_ns))


def test_gps_time_and_fine_time_of_a_gateway_with_gps() -> None:
    gps_ms = gps_ns(AT_NS) // 1_000_000
    info = frame(gps_time_ms=gps_ms, fine_time_ns=123_450_001).rx_info
    assert info is not None
    assert info.time_since_gps_epoch == Span(gps_ms * 1_000_000)
    assert info.fine_time_since_gps_epoch == Span(gps_ms // 1000 * SECOND + 123_450_001)
    wrong = frame(gps_time_ms=gps_ms - 6_000, fine_time_ns=5).rx_info
    assert wrong is not None
    assert wrong.time_since_gps_epoch == Span(gps_ns(AT_NS))
    assert wrong.fine_time_since_gps_epoch is None


@pytest.mark.parametrize(
    ("crc", "status"),
    [
        (1, CrcStatus.CRC_OK),
        (0, CrcStatus.NO_CRC),
        (-1, CrcStatus.BAD_CRC),
        (None, CrcStatus.CRC_OK),
        (7, CrcStatus.NO_CRC),
    ],
)
def test_the_radio_crc(crc: int | None, status: CrcStatus) -> None:
    info = frame(crc=crc).rx_info
    assert info is not None
    assert info.crc_status is status


def test_what_was_not_reported_is_left_out() -> None:
    sent = both(frame(signal_rssi_dbm=-101.0, channel=-1))
    assert sent.rx_info.rssi == -101
    assert sent.rx_info.channel == 0
    assert sent.rx_info.context == b""


def test_metadata_and_place_are_added() -> None:
    reception = Reception(GATEWAY, meta={"sys": "a", "late": "no"}, context=b"own", grid_steps=8)
    radio = Radio(868_100_000, "LR-FHSS", "M0CW137", "2/6")
    place = Location(51.7653, 8.5665, 96.0)
    sent = both(
        uplink_frame(PHY, radio, reception, uplink_id=1, trusted_ns=None, location=place, metadata={"late": "true"})
    )
    assert dict(sent.rx_info.metadata) == {"sys": "a", "late": "true"}
    assert sent.rx_info.location.latitude == 51.7653
    assert sent.rx_info.context == b"own"
    assert (sent.tx_info.modulation.lr_fhss.grid_steps, sent.tx_info.modulation.lr_fhss.code_rate) == (8, gw_pb2.CR_2_6)
    assert reception.meta == {"sys": "a", "late": "no"}


@pytest.mark.parametrize(("phy", "freq_hz"), [(b"", 868_100_000), (b"x" * 256, 868_100_000), (PHY, 0), (PHY, 1 << 32)])
def test_what_chirpstack_cannot_be_told(phy: bytes, freq_hz: int) -> None:
    with pytest.raises(DecodeError):
        uplink_frame(phy, Radio(freq_hz, "LORA", "SF7BW125"), Reception(GATEWAY), uplink_id=1, trusted_ns=None)


def test_an_uplink_id_is_one_receptions() -> None:
    ids = {uplink_id(seq, index) for seq in range(100) for index in range(16)}
    assert len(ids) == 1600
    assert uplink_id(1 << 60, 15) < 1 << 32


def test_there_and_back_is_what_was_heard() -> None:
    reception = Reception(
        GATEWAY, -97.0, 7.5, channel=2, rf_chain=1, board=3, antenna=4, time="2026-01-01T00:00:00.123456789Z",
        gps_time_ms=gps_ns(AT_NS) // 1_000_000, fine_time_ns=123_456_789, crc=-1, meta={"sys": "a"}, context=b"abcd",
    )  # fmt: skip
    radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [reception])
    message = uplink_frame(PHY, radio, reception, uplink_id=7, trusted_ns=AT_NS)
    assert received(from_protobuf(UplinkFrame, to_protobuf(message))) == (PHY, radio)


def test_a_frame_of_concentratord() -> None:
    sent = gw_pb2.UplinkFrame(phy_payload=PHY)
    sent.tx_info.frequency = 868_300_000
    sent.tx_info.modulation.fsk.datarate = 50_000
    sent.rx_info.gateway_id = GATEWAY.upper()
    sent.rx_info.rssi = -60
    sent.rx_info.snr = 5.1
    sent.rx_info.time_since_gps_epoch.FromMilliseconds(1_451_260_818_123)
    sent.rx_info.context = b"\0\0\0\7"
    sent.rx_info.crc_status = gw_pb2.CRC_OK
    phy, radio = received(from_protobuf(UplinkFrame, sent.SerializeToString()))
    assert phy == PHY
    assert (radio.freq_hz, radio.modulation, radio.datarate, radio.coderate) == (868_300_000, "FSK", "50000", None)
    (rx,) = radio.rx
    assert (rx.gateway, rx.rssi_dbm, rx.snr_db, rx.crc) == (GATEWAY, -60.0, 5.1, 1)
    assert (rx.time, rx.gps_time_ms, rx.fine_time_ns) == (None, 1_451_260_818_123, None)
    assert (rx.context, rx.meta) == (b"\0\0\0\7", None)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("tx_info", None, RejectReason.SHORT),
        ("rx_info", None, RejectReason.SHORT),
        ("phy_payload", b"", RejectReason.RANGE),
        ("phy_payload", b"x" * 256, RejectReason.RANGE),
        ("tx_info.frequency", 0, RejectReason.RANGE),
        ("tx_info.modulation", None, RejectReason.UNKNOWN_TYPE),
        ("rx_info.rssi", 101, RejectReason.RANGE),
        ("rx_info.rssi", -301, RejectReason.RANGE),
        ("rx_info.snr", float("nan"), RejectReason.RANGE),
        ("rx_info.snr", float("-inf"), RejectReason.RANGE),
        ("rx_info.snr", 101.0, RejectReason.RANGE),
        ("rx_info.context", b"x" * 65, RejectReason.LONG),
        ("rx_info.metadata", {"a": "x" * 129}, RejectReason.LONG),
        ("rx_info.metadata", {str(n): "" for n in range(33)}, RejectReason.LONG),
        ("rx_info.gateway_id", "", RejectReason.SYNTAX),
    ],
)
def test_frames_that_cannot_be(path: str, value: object, reason: RejectReason) -> None:
    message = frame()
    *outer, name = path.split(".")
    msgspec.structs.force_setattr(getattr(message, outer[0]) if outer else message, name, value)
    with pytest.raises(DecodeError) as refusal:
        received(message)
    assert refusal.value.reason is reason


@pytest.mark.parametrize(
    "text", ["", "aa555a000000010", GATEWAY + "0", "\u0660" * 16, GATEWAY[:-1] + "\n", "zz555a0000000101"]
)
def test_what_is_no_gateway(text: str) -> None:
    with pytest.raises(DecodeError):
        gateway_of(text)


def test_whatever_comes_leaves_with_the_one_error_or_can_be_stored() -> None:
    rng = random.Random(868)
    good = 0
    for _ in range(800):
        sent = filled(UplinkFrame, rng)
        if rng.random() < 0.7:
            sent.rx_info.gateway_id, sent.rx_info.rssi = GATEWAY, rng.randint(-140, 0)
            sent.rx_info.context = sent.rx_info.context[:64]
            sent.rx_info.metadata.clear()
            sent.tx_info.modulation.fsk.datarate = 50_000
        try:
            phy, radio = received(from_protobuf(UplinkFrame, sent.SerializeToString()))
        except DecodeError:
            continue
        good += 1
        stored = msgspec.msgpack.encode((phy, radio))
        assert msgspec.msgpack.decode(stored, type=tuple[bytes, Radio]) == (phy, radio)
    assert good > 50
