"""The Things Stack's events for applications, against messages as its documentation describes them."""

import contextlib
import json
import random
from typing import Any

import pytest

from torhaus.codecs.framing.chirpstack_gw.times import parse_moment
from torhaus.codecs.framing.tts_app import MAX_GATEWAYS, parse
from torhaus.codecs.model import DecodeError, Radio, RejectReason, Served

EUI = "0004a30b001c0530"
TOPIC = "v3/rathaus@ttn/devices/sitzungssaal-co2/"
UP: dict[str, Any] = {
    "end_device_ids": {
        "device_id": "sitzungssaal-co2",
        "application_ids": {"application_id": "rathaus"},
        "dev_eui": "0004A30B001C0530",
        "join_eui": "800000000000000C",
        "dev_addr": "00BCB929",
    },
    "correlation_ids": ["gs:uplink:01E0WZGT6Y", "as:up:01E0WZGT6Y7657CPFPE5WEYDSQ"],
    "received_at": "2026-11-23T15:15:46.787Z",
    "uplink_message": {
        "session_key_id": "AXBSH1Pk6Z0G166HFhSKmw==",
        "f_port": 5,
        "f_cnt": 70000,
        "frm_payload": "AQIDBA==",
        "decoded_payload": {"temperature": 1.0},
        "rx_metadata": [
            {
                "gateway_ids": {"gateway_id": "gtw1", "eui": "9C5C8E00001A05C4"},
                "time": "2026-11-23T15:15:45.787Z",
                "timestamp": 2463457000,
                "rssi": -35,
                "channel_rssi": -36,
                "snr": 5.2,
                "uplink_token": "ChIKEA==",
                "channel_index": 2,
                "location": {"latitude": 51.76, "source": "SOURCE_REGISTRY"},
            },
            {"gateway_ids": {"gateway_id": "packetbroker"}, "packet_broker": {"message_id": "x"}, "rssi": -90},
        ],
        "settings": {
            "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7, "coding_rate": "4/5"}},
            "frequency": "868300000",
            "timestamp": 2463457000,
        },
        "received_at": "2026-11-23T15:15:45.788Z",
        "consumed_airtime": "0.056576s",
        "confirmed": True,
        "network_ids": {"net_id": "000013"},
    },
}
JOIN: dict[str, Any] = {
    "end_device_ids": UP["end_device_ids"],
    "correlation_ids": ["gs:uplink:01E0WZGT6Y"],
    "received_at": "2026-11-23T15:15:46.787Z",
    "join_accept": {"session_key_id": "AXBSH1Pk6Z0G166HFhSKmw==", "received_at": "2026-11-23T15:15:46.675Z"},
}


def encoded(message: dict[str, Any] = UP, **changes: Any) -> bytes:
    return json.dumps({k: v for k, v in {**message, **changes}.items() if v is not None}).encode()


def uplink(**changes: Any) -> bytes:
    inner = {k: v for k, v in {**UP["uplink_message"], **changes}.items() if v is not None}
    return encoded(uplink_message=inner)


def read(payload: bytes, kind: str = "up") -> Served:
    served = parse(TOPIC + kind, payload)
    assert served is not None
    return served


def test_an_uplink() -> None:
    served = read(encoded())
    assert (served.dev_eui, served.key) == (EUI, "as:up:01E0WZGT6Y7657CPFPE5WEYDSQ")
    assert (served.fport, served.fcnt, served.confirmed, served.payload) == (5, 70000, True, b"\1\2\3\4")
    assert served.at_ns == parse_moment("2026-11-23T15:15:45.788Z")
    radio = served.radio
    assert radio is not None
    assert (radio.freq_hz, radio.modulation, radio.datarate, radio.coderate) == (868300000, "LORA", "SF7BW125", "4/5")
    one, two = radio.rx
    assert (one.gateway, one.rssi_dbm, one.snr_db, one.channel) == ("9c5c8e00001a05c4", -35, 5.2, 2)
    assert (one.tmst_us, one.time) == (2463457000, "2026-11-23T15:15:45.787Z")
    assert (two.gateway, two.rssi_dbm) == ("packetbroker", -90)


def test_what_is_zero_is_left_out_by_the_server() -> None:
    served = read(uplink(f_port=None, f_cnt=None, frm_payload=None, settings=None, rx_metadata=None, confirmed=None))
    assert (served.fport, served.fcnt, served.payload, served.radio, served.confirmed) == (None, 0, None, None, False)
    assert read(uplink(frm_payload=None)).payload == b""


def test_without_an_id_of_its_own_counter_and_time_name_an_uplink() -> None:
    keys = {read(encoded(correlation_ids=ids)).key for ids in ([], ["gs:uplink:1"], None)}
    assert keys == {f"{EUI} 70000 2026-11-23T15:15:45.788Z"}


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ({"lora": {"bandwidth": 812500, "spreading_factor": 12}}, ("LORA", "SF12BW812.5", None)),
        ({"fsk": {"bit_rate": 50000}}, ("FSK", "50000", None)),
        ({"lrfhss": {"operating_channel_width": 137000, "coding_rate": "1/3"}}, ("LR-FHSS", "M0CW137", "1/3")),
    ],
)
def test_modulations(rate: dict[str, Any], expected: tuple[str, str, str | None]) -> None:
    radio = read(uplink(settings={"data_rate": rate, "frequency": 868300000})).radio
    assert isinstance(radio, Radio)
    assert (radio.modulation, radio.datarate, radio.coderate, radio.freq_hz) == (*expected, 868300000)


def test_a_join() -> None:
    served = read(encoded(JOIN), "join")
    assert (served.dev_eui, served.event) == (EUI, {"event": "join", "dev_addr": "00bcb929"})
    assert served.at_ns == parse_moment("2026-11-23T15:15:46.675Z")
    assert served.key == f"join {EUI} 00bcb929 2026-11-23T15:15:46.675Z"


@pytest.mark.parametrize("kind", ["down/ack", "down/nack", "location/solved", "service/data"])
def test_other_messages_are_of_no_use(kind: str) -> None:
    assert parse(TOPIC + kind, b"anything") is None


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("v3/Rathaus@ttn/devices/x/up", encoded(), RejectReason.UNKNOWN_TYPE),
        ("v2/x/devices/x/up", encoded(), RejectReason.UNKNOWN_TYPE),
        (TOPIC + "up", b"", RejectReason.SYNTAX),
        (TOPIC + "up", b"{}", RejectReason.SYNTAX),
        (TOPIC + "up", b"\xff{}", RejectReason.SYNTAX),
        (TOPIC + "up", encoded(JOIN), RejectReason.SYNTAX),
        (TOPIC + "join", encoded(), RejectReason.SYNTAX),
        (TOPIC + "up", encoded(end_device_ids={"dev_eui": "1"}), RejectReason.SYNTAX),
        (TOPIC + "up", uplink(frm_payload="!"), RejectReason.SYNTAX),
        (TOPIC + "up", uplink(frm_payload="A" * 324), RejectReason.LONG),
        (TOPIC + "up", uplink(f_port=256), RejectReason.SYNTAX),
        (TOPIC + "up", uplink(f_cnt=1 << 32), RejectReason.SYNTAX),
        (TOPIC + "up", uplink(received_at="yesterday"), RejectReason.SYNTAX),
        (TOPIC + "up", uplink(received_at="1826-11-23T15:15:45.788Z"), RejectReason.RANGE),
        (TOPIC + "up", uplink(settings={"data_rate": {}, "frequency": "868300000"}), RejectReason.UNKNOWN_TYPE),
        (
            TOPIC + "up",
            uplink(settings={"data_rate": {"fsk": {"bit_rate": 50000}}, "frequency": "x"}),
            RejectReason.SYNTAX,
        ),
        (TOPIC + "up", uplink(rx_metadata=[{"gateway_ids": {"gateway_id": "../.."}}]), RejectReason.SYNTAX),
        (TOPIC + "up", uplink(decoded_payload="x" * 70_000), RejectReason.LONG),
        (TOPIC + "up", b"[" * 5000, RejectReason.SYNTAX),
    ],
)
def test_what_is_wrong(topic: str, payload: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as e:
        parse(topic, payload)
    assert e.value.reason is reason


def test_so_many_gateways_are_kept() -> None:
    many = [{"gateway_ids": {"eui": f"{n:016x}"}, "rssi": -n} for n in range(100)]
    radio = read(uplink(rx_metadata=many)).radio
    assert radio is not None
    assert len(radio.rx) == MAX_GATEWAYS


def test_only_refusals_leave_it_whatever_comes() -> None:
    rng = random.Random(42)
    for n in range(6000):
        whole = encoded(JOIN) if n % 4 == 0 else encoded()
        data = bytearray(whole[: rng.randrange(len(whole))] if n % 3 == 0 else whole)
        for _ in range(rng.randrange(1, 6)):
            if data:
                data[rng.randrange(len(data))] = rng.choice(b'{}[]":,0-9\\nulltrue\x00\xff')
        for kind in ("up", "join"):
            with contextlib.suppress(DecodeError):
                parse(TOPIC + kind, bytes(data))
