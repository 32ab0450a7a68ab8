"""A gateway's report in ChirpStack's message and under GWMP's names."""

import random

import msgspec
from chirpstack_api.gw import gw_pb2

from tests.codecs.chirpstack_gw_fakes import filled
from torhaus.codecs.framing.chirpstack_gw.as_protobuf import from_protobuf, to_protobuf
from torhaus.codecs.framing.chirpstack_gw.messages import GatewayStats
from torhaus.codecs.framing.chirpstack_gw.stats import MAX_VALUES, gateway_stats, stat_values
from torhaus.codecs.model import DecodeError

GATEWAY = "aa555a0000000101"
AT_NS = 1_767_225_600_000_000_000


def report() -> GatewayStats:
    """As Concentratord sends one."""
    stats = gw_pb2.GatewayStats(
        gateway_id=GATEWAY, config_version="3", rx_packets_received=12, rx_packets_received_ok=10,
        tx_packets_received=3, tx_packets_emitted=2, metadata={"model": "rak_2287", "hal_version": "2.1.0"},
        rx_packets_per_frequency={868_100_000: 7, 868_300_000: 5}, tx_packets_per_frequency={869_525_000: 2},
        tx_packets_per_status={"OK": 2, "TOO_LATE": 1},
    )  # fmt: skip
    stats.time.FromNanoseconds(AT_NS)
    stats.location.latitude, stats.location.longitude, stats.location.altitude = 51.7653, 8.5665, 96.0
    lora = stats.rx_packets_per_modulation.add(count=9).modulation.lora
    lora.bandwidth, lora.spreading_factor, lora.code_rate = 125_000, 7, gw_pb2.CR_4_5
    stats.rx_packets_per_modulation.add(count=1).modulation.fsk.datarate = 50_000
    hops = stats.rx_packets_per_modulation.add(count=2).modulation.lr_fhss
    hops.operating_channel_width, hops.code_rate = 137_000, gw_pb2.CR_2_6
    band = stats.duty_cycle_stats.bands.add(name="M")
    band.load_max.seconds, band.load_tracked.nanos = 36, 250_000_000
    return from_protobuf(GatewayStats, stats.SerializeToString())


def test_a_report_of_concentratord() -> None:
    assert stat_values(report()) == {
        "time": "2026-01-01 00:00:00 GMT", "lati": 51.7653, "long": 8.5665, "alti": 96.0,
        "rxnb": 12, "rxok": 10, "dwnb": 3, "txnb": 2, "config_version": "3",
        "meta_model": "rak_2287", "meta_hal_version": "2.1.0", "tx_OK": 2, "tx_TOO_LATE": 1,
        "duty_M_s": 0.25, "duty_M_max_s": 36.0, "rx_hz_868100000": 7, "rx_hz_868300000": 5,
        "rx_SF7BW125_4/5": 9, "rx_50000bps": 1, "rx_M0CW137_2/6": 2, "tx_hz_869525000": 2,
    }  # fmt: skip


def test_there_and_back_all_is_there_but_the_duty_cycle() -> None:
    stats = report()
    back = gateway_stats(GATEWAY, stat_values(stats), AT_NS)
    assert back == msgspec.structs.replace(stats, duty_cycle_stats=None)


def test_a_stat_of_a_packet_forwarder() -> None:
    stat: dict[str, float | int | str] = {
        "time": "2026-01-01 00:00:00 GMT", "lati": 51.7653, "long": 8.5665, "alti": 96, "rxnb": 5, "rxok": 4, "rxfw": 4,
        "ackr": 100.0, "dwnb": 1, "txnb": 1, "temp": 41.5, "gateway": GATEWAY,
    }  # fmt: skip
    sent = gw_pb2.GatewayStats.FromString(to_protobuf(gateway_stats(GATEWAY, stat, None)))
    assert not sent.HasField("time")
    assert (sent.rx_packets_received, sent.rx_packets_received_ok) == (5, 4)
    assert (sent.tx_packets_received, sent.tx_packets_emitted) == (1, 1)
    assert sent.location.altitude == 96.0
    assert dict(sent.metadata) == {"rxfw": "4", "ackr": "100", "temp": "41.5"}


def test_what_makes_no_sense_is_left_out() -> None:
    stat: dict[str, float | int | str] = {
        "lati": 95.0, "long": 8.5, "rxnb": -1, "rxok": "many", "txnb": float("nan"), "rx_hz_99999999999": 1,
        "rx_hz_9999999999": 3, "rx_SF99BW9": 1, "tx_OK": -5,
    }  # fmt: skip
    stats = gateway_stats(GATEWAY, stat, None)
    assert stats.location is None
    assert (stats.rx_packets_received, stats.rx_packets_received_ok, stats.tx_packets_emitted) == (0, 0, 0)
    assert stats.rx_packets_per_frequency == {}
    assert stats.tx_packets_per_status == {}
    to_protobuf(stats)


def test_many_values_are_bounded_and_the_chief_ones_stay() -> None:
    stats = GatewayStats(GATEWAY, rx_packets_received=5, metadata={f"k{n}" * 20: "v" * 256 for n in range(64)})
    stats.rx_packets_per_frequency.update(dict.fromkeys(range(256), 1))
    values = stat_values(stats)
    assert len(values) == MAX_VALUES
    assert values["rxnb"] == 5
    assert all(len(name) <= 64 for name in values)
    many: dict[str, float | int | str] = {f"x{n}": "v" * 1000 for n in range(1000)}
    assert from_protobuf(GatewayStats, to_protobuf(gateway_stats(GATEWAY, many, None)))


def test_whatever_comes_can_be_stored_and_told_again() -> None:
    rng = random.Random(868)
    for _ in range(300):
        try:
            stats = from_protobuf(GatewayStats, filled(GatewayStats, rng).SerializeToString())
        except DecodeError:
            continue
        values = stat_values(stats)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(values)) == values
        again = gateway_stats(GATEWAY, values, None)
        assert from_protobuf(GatewayStats, to_protobuf(again))
