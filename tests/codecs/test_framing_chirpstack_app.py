"""ChirpStack's events for applications, against messages as its documentation describes them."""

import contextlib
import json
import random
from typing import Any

import pytest

from torhaus.codecs.framing.chirpstack_app import MAX_GATEWAYS, MAX_PAYLOAD, parse
from torhaus.codecs.framing.chirpstack_gw.times import parse_moment
from torhaus.codecs.model import DecodeError, RejectReason

EUI = "0101010101010101"
TOPIC = f"application/ae2012c2-75a1-407d-98ab-1520fb511edf/device/{EUI}/event/"
UP: dict[str, Any] = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": "2026-11-23T09:34:15.775023242+00:00",
    "deviceInfo": {
        "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
        "tenantName": "Stadt",
        "applicationId": "ae2012c2-75a1-407d-98ab-1520fb511edf",
        "deviceProfileName": "Klima",
        "deviceName": "sitzungssaal",
        "devEui": EUI,
        "tags": {"ort": "Rathaus"},
        "deviceClassEnabled": "CLASS_A",
    },
    "devAddr": "00189440",
    "adr": True,
    "dr": 1,
    "fCnt": 4,
    "fPort": 5,
    "confirmed": True,
    "data": "AQIDBA==",
    "object": {"temperatureSensor": {"1": 25.5}},
    "rxInfo": [
        {
            "gatewayId": "0016C001F153A14C",
            "uplinkId": 4217106255,
            "gwTime": "2026-11-23T09:34:15.775023Z",
            "timeSinceGpsEpoch": "1448000000.123s",
            "rssi": -36,
            "snr": 10.5,
            "channel": 2,
            "rfChain": 1,
            "location": {"latitude": 51.76, "longitude": 8.56},
            "context": "E3OWOQ==",
            "metadata": {"region_common_name": "EU868"},
            "crcStatus": "CRC_OK",
        },
        {"gatewayId": "0016c001f153a14d", "rssi": -101, "snr": -7.25},
    ],
    "txInfo": {
        "frequency": 867100000,
        "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 11, "codeRate": "CR_4_5"}},
    },
}


def encoded(**changes: Any) -> bytes:
    return json.dumps({k: v for k, v in {**UP, **changes}.items() if v is not None}).encode()


def test_an_uplink() -> None:
    served = parse(TOPIC + "up", encoded())
    assert served is not None
    assert (served.dev_eui, served.key, served.fport, served.fcnt) == (EUI, UP["deduplicationId"], 5, 4)
    assert (served.confirmed, served.payload, served.event) == (True, b"\1\2\3\4", None)
    assert served.at_ns == parse_moment("2026-11-23T09:34:15.775023242Z")
    radio = served.radio
    assert radio is not None
    assert (radio.freq_hz, radio.modulation, radio.datarate, radio.coderate) == (867100000, "LORA", "SF11BW125", "4/5")
    one, two = radio.rx
    assert (one.gateway, one.rssi_dbm, one.snr_db, one.channel, one.rf_chain) == ("0016c001f153a14c", -36, 10.5, 2, 1)
    assert (one.time, one.gps_time_ms, one.crc) == ("2026-11-23T09:34:15.775023Z", 1448000000123, 1)
    assert (one.context, one.meta) == (None, None), "the business of somebody else's gateway"
    assert (two.gateway, two.rssi_dbm, two.snr_db) == ("0016c001f153a14d", -101, -7.25)


def test_what_is_zero_is_left_out_by_the_server() -> None:
    served = parse(TOPIC + "up", encoded(fCnt=None, fPort=None, data=None, confirmed=None, rxInfo=None, time=None))
    assert served is not None
    assert (served.fcnt, served.fport, served.payload, served.confirmed) == (0, None, None, False)
    assert (served.radio, served.at_ns) == (None, None)


def test_an_empty_payload_is_one() -> None:
    served = parse(TOPIC + "up", encoded(data=None))
    assert served is not None
    assert served.payload == b""


def test_topics_may_have_a_prefix() -> None:
    assert parse("eu868/stadt/" + TOPIC + "up", encoded()) is not None


def test_a_join() -> None:
    served = parse(TOPIC + "join", encoded(devAddr="00189440", data=None))
    assert served is not None
    assert (served.dev_eui, served.event, served.payload) == (EUI, {"event": "join", "dev_addr": "00189440"}, None)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"margin": -7, "batteryLevel": 98.4}, {"margin_db": -7, "external_power": 0, "battery_percent": 98.4}),
        ({"externalPowerSource": True}, {"margin_db": 0, "external_power": 1}),
        ({"margin": 10, "batteryLevelUnavailable": True}, {"margin_db": 10, "external_power": 0}),
    ],
)
def test_a_status(said: dict[str, Any], expected: dict[str, Any]) -> None:
    served = parse(TOPIC + "status", encoded(**said))
    assert served is not None
    assert served.event == {"event": "status", **expected}


@pytest.mark.parametrize("kind", ["ack", "txack", "log", "location", "integration"])
def test_other_events_are_of_no_use(kind: str) -> None:
    assert parse(TOPIC + kind, b"anything") is None


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("application/1/device/0101/event/up", encoded(), RejectReason.UNKNOWN_TYPE),
        ("gateway/0016c001f153a14c/event/up", encoded(), RejectReason.UNKNOWN_TYPE),
        (TOPIC + "up/x", encoded(), RejectReason.UNKNOWN_TYPE),
        (TOPIC + "up", b"", RejectReason.UNSUPPORTED),
        (TOPIC + "up", b"\n\x10protobuf", RejectReason.UNSUPPORTED),
        (TOPIC + "up", b"{", RejectReason.SYNTAX),
        (TOPIC + "up", b"{}", RejectReason.SYNTAX),
        (TOPIC + "up", encoded(deviceInfo={"devEui": "0101010101010102"}), RejectReason.SYNTAX),
        (TOPIC + "up", encoded(data="!"), RejectReason.SYNTAX),
        (TOPIC + "up", encoded(data="A" * 324), RejectReason.LONG),
        (TOPIC + "up", encoded(fPort=256), RejectReason.RANGE),
        (TOPIC + "up", encoded(fCnt=-1), RejectReason.RANGE),
        (TOPIC + "up", encoded(txInfo=None), RejectReason.SHORT),
        (TOPIC + "up", encoded(rxInfo=[{"gatewayId": "roof"}]), RejectReason.SYNTAX),
        (TOPIC + "up", encoded(time="yesterday"), RejectReason.SYNTAX),
        (TOPIC + "up", encoded(time="2826-11-23T09:34:15Z"), RejectReason.RANGE),
        (TOPIC + "up", encoded(object="x" * 70_000), RejectReason.LONG),
        (TOPIC + "join", b"[]", RejectReason.UNSUPPORTED),
    ],
)
def test_what_is_wrong(topic: str, payload: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as e:
        parse(topic, payload)
    assert e.value.reason is reason


def test_limits() -> None:
    many = [{"gatewayId": f"{n:016x}", "rssi": -n} for n in range(100)]
    served = parse(TOPIC + "up", encoded(rxInfo=many, data="A" * 320))
    assert served is not None
    assert served.radio is not None
    assert len(served.radio.rx) == MAX_GATEWAYS
    assert served.payload is not None
    assert len(served.payload) <= MAX_PAYLOAD


def test_only_refusals_leave_it_whatever_comes() -> None:
    rng = random.Random(41)
    whole = encoded()
    for n in range(6000):
        data = bytearray(whole[: rng.randrange(len(whole))] if n % 3 == 0 else whole)
        for _ in range(rng.randrange(1, 6)):
            if data:
                data[rng.randrange(len(data))] = rng.choice(b'{}[]":,0-9\\nulltrue\x00\xff')
        for kind in ("up", "join", "status"):
            with contextlib.suppress(DecodeError):
                parse(TOPIC + kind, bytes(data))


def test_against_chirpstacks_own_definition() -> None:
    """The names and numbers above are not ours to choose: what its library writes is read."""
    from chirpstack_api.integration import integration_pb2
    from google.protobuf.json_format import MessageToJson, ParseDict

    for kind, message, dropped in (
        ("up", integration_pb2.UplinkEvent(), ()),
        (
            "join",
            integration_pb2.JoinEvent(),
            ("adr", "dr", "fCnt", "fPort", "confirmed", "data", "object", "rxInfo", "txInfo"),
        ),
    ):
        ParseDict({k: v for k, v in UP.items() if k not in dropped}, message)
        text = MessageToJson(message).encode()
        assert parse(TOPIC + kind, text) == parse(TOPIC + kind, encoded())
    status = integration_pb2.StatusEvent()
    ParseDict(
        {**{k: UP[k] for k in ("deduplicationId", "time", "deviceInfo")}, "margin": -7, "batteryLevel": 98.4}, status
    )
    served = parse(TOPIC + "status", MessageToJson(status).encode())
    assert served is not None
    assert served.event == {"event": "status", "margin_db": -7, "external_power": 0, "battery_percent": 98.4}
