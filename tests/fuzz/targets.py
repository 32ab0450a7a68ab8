"""Everything that reads bytes from outside: what it starts from, and what reads it.

A reader returns whether it took the bytes for good. DecodeError is its refusal; anything else that leaves it is a
defect.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from tests.codecs.golden import vectors
from tests.codecs.station_messages import said
from tests.codecs.test_basics_station_station import windows
from tests.fuzz import mac_answers, meters, nats, scans, wmbus
from torhaus.codecs import tus
from torhaus.codecs.framing import chirpstack_app, semtech_udp_client, semtech_udp_down, tts_app
from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.framing.basics_station import station, upward
from torhaus.codecs.framing.basics_station.cups import parse_update_info
from torhaus.codecs.framing.basics_station.discovery import parse_question
from torhaus.codecs.framing.chirpstack_gw.as_json import from_json, to_json
from torhaus.codecs.framing.chirpstack_gw.as_protobuf import from_protobuf, to_protobuf
from torhaus.codecs.framing.chirpstack_gw.commands import Event, GatewayCommandExecRequest, Mesh
from torhaus.codecs.framing.chirpstack_gw.downlink import answers, downlink, downlink_frame, tx_ack
from torhaus.codecs.framing.chirpstack_gw.messages import DownlinkFrame, DownlinkTxAck
from torhaus.codecs.framing.chirpstack_gw.stats import gateway_stats, stat_values
from torhaus.codecs.framing.chirpstack_gw.uplink import received, uplink_frame
from torhaus.codecs.framing.sml_transport import SmlFramer, unwrap, wrap
from torhaus.codecs.lorawan import mac_commands
from torhaus.codecs.lorawan.cf_list import decode_cf_list
from torhaus.codecs.lorawan.downlink import After, Downlink, Immediately, TxAnswer, TxItem, TxStatus
from torhaus.codecs.lorawan.explain import Root, explain
from torhaus.codecs.lorawan.join import (
    JoinAcceptBody,
    build_join_accept,
    build_join_request,
    build_rejoin_request,
    open_join_accept,
)
from torhaus.codecs.lorawan.phy import JoinAccept, parse
from torhaus.codecs.lorawan.qr import parse_qr
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.model import DecodeError, Radio, Reception, RejectReason
from torhaus.codecs.registry import CODECS, load
from torhaus.daemon.demo.gateway import push_data, stat
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.lora.orders import OrderRefused, parse_order

Reader = Callable[[bytes], object]
EUI: Final = "aa555a0000000101"
KEY: Final = bytes(range(16))
EU868: Final = region("EU868")
UPDATE_INFO: Final = (
    b'{"router":"::1","cupsUri":"https://localhost:6040","tcUri":"","cupsCredCrc":2948861651,"tcCredCrc":2077607535,'
    b'"station":"2.0.6(linux/std)","model":"linux","package":"1.0.0","keys":[4047409090]}'
)

ORDER: Final = (
    b'{"device": "ventil", "fport": 10, "hex": "0102ff", "ref": "auftrag-7", "expires_s": 3600, "priority": 9}'
)
QR = "LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122:OAABBCCDDEEFF:SYYWWNNNNNN:PFOOBAR:CAF2C"


class Target(msgspec.Struct, frozen=True):
    """One reader, and good bytes for it."""

    seeds: list[bytes]
    read: Reader


def targets() -> dict[str, Target]:
    """All by name."""
    found = {
        "gwmp": Target(_datagrams(), _gwmp),
        "gwmp/down": Target(_pull_resps(), semtech_udp_down.parse_pull_resp),
        "gwmp/tx_ack": Target(_tx_acks(), semtech_udp_down.parse_tx_ack),
        "gwmp/answer": Target([b"\2\1\2\1", b"\2\1\2\4"], semtech_udp_client.parse_answer),
        "chirpstack_app": Target(
            _events(), partial(_event, chirpstack_app.parse, f"application/1/device/{EUI}/event/")
        ),
        "tts_app": Target(_messages(), partial(_event, tts_app.parse, "v3/rathaus@ttn/devices/flur/")),
        "chirpstack/down-json": Target([to_json(_downlink())], lambda d: downlink(from_json(DownlinkFrame, d))),
        "chirpstack/down": Target([to_protobuf(_downlink())], lambda d: downlink(from_protobuf(DownlinkFrame, d))),
        "chirpstack/exec": Target([to_json(_EXEC)], lambda d: from_json(GatewayCommandExecRequest, d)),
        "concentratord/event": Target(_published(), _concentratord),
        "concentratord/answer": Target(
            [to_protobuf(tx_ack(7, EUI, (TxAnswer(TxStatus.TOO_LATE), TxAnswer(TxStatus.OK))))],
            lambda d: answers(from_protobuf(DownlinkTxAck, d), 3),
        ),
        "lorawan": Target(_frames(), _phy),
        "lorawan/join-accept": Target([_join_accept()], _open_join_accept),
        "lorawan/explain": Target([*_frames(), _join_accept()], _explain),
        "lorawan/mac-up": Target([b"\x02\x03\x07\x06\xff\x1f\x0d"], partial(mac_commands.decode, uplink=True)),
        "lorawan/mac-down": Target(
            [b"\x03\x51\xff\x00\x01\x05\x02\xd2\xad\x84"], partial(mac_commands.decode, uplink=False)
        ),
        "lorawan/mac-answers": Target(mac_answers.SEEDS, mac_answers.read),
        "lorawan/cf-list": Target([bytes.fromhex("184f84e85684b85e84886684586e8400")], decode_cf_list),
        "lorawan/order": Target([ORDER], _order),
        "lorawan/qr": Target([QR.encode()], lambda d: parse_qr(d.decode("utf-8", "replace"))),
        "tus/metadata": Target(
            [b"filename c2Nhbi5wZGY=,sha256 YWI=,is_confidential", b"name eA=="], _field(tus.parse_metadata)
        ),
        "tus/checksum": Target([b"sha1 qUqP5cyxm6YcTAhz05Hph5gvu9M="], _field(tus.parse_checksum)),
        "tus/concat": Target([b"partial", b"final;/tus/a/1 /tus/a/2"], _field(tus.parse_concat)),
        "tus/number": Target([b"0", b"4611686018427387903"], _field(tus.parse_number)),
        "station/question": Target([b'{"router":"aa55:5a00::101"}', b'{"router":1}'], parse_question),
        "station/message": Target(_said(), _station),
        "station/server": Target([windows()], _server_of_a_station),
        "station/update-info": Target([UPDATE_INFO], parse_update_info),
        "nats/server": Target(nats.SEEDS, nats.read),
        "sml/transport": Target([wrap(p) for p in taken("sml")], _sml_stream),
    }
    found |= {name: Target(*what) for name, what in meters.readers().items()}
    found |= {name: Target(*what) for name, what in wmbus.readers().items()}
    found |= {name: Target(*what) for name, what in scans.readers().items()}
    for name in CODECS:
        found[f"codec/{name}"] = Target(taken(name), partial(_codec, name, ports(name)))
    return found


def _field(parse: Callable[[str], object]) -> Reader:
    """A header field, as a server has it: bytes that are not UTF-8 are lone surrogates."""
    return lambda data: parse(data.decode("utf-8", "surrogateescape"))


def taken(name: str) -> list[bytes]:
    """The bytes of a codec's golden vectors that it takes."""
    return [bytes.fromhex(vector["hex"]) for vector in vectors(name) if "reject" not in vector]


def ports(name: str) -> list[int | None]:
    """The FPorts of these."""
    return sorted({vector.get("fport") for vector in vectors(name)}, key=str)


def _frames() -> list[bytes]:
    sensors = [Sensor(n, codec) for n, codec in enumerate(("elsys", "cayenne_lpp"))]
    joins = [build_join_request(KEY, 1, 2, 3), build_rejoin_request(KEY, 1, 1, 2, 3)]
    return [*(s.uplink() for s in sensors), *joins, b"\xe0proprietary"]


def _datagrams() -> list[bytes]:
    good = {"time": "2026-01-01 00:00:00 GMT", "lati": 51.7, "long": 8.5, "alti": 110, "rxnb": 3, "ackr": 99.5}
    first = push_data(EUI, 2, 1, _frames())
    rsig = first.replace(
        b'"rssi"', b'"rsig":[{"ant":0,"chan":1,"rssic":-80,"lsnr":5.5,"etime":"AAEC","foff":-12}],"rssi"'
    )
    acks = [b"\2\1\2\2" + bytes.fromhex(EUI), b"\1\1\2\5" + bytes.fromhex(EUI)]
    return [first, rsig, push_data(EUI, 1, 2, _frames()[:1]), stat(EUI, 2, 3, good), *acks, *_tx_acks()]


def _said() -> list[bytes]:
    return [json.dumps(said(phy)).encode() for phy in (*_frames()[:2], _frames()[-1])] + [
        b'{"msgtype":"version","station":"2.0.6(linux/std)","package":null,"protocol":2,"features":"rmtsh gps"}',
        b'{"msgtype":"dntxed","diid":7,"DR":5,"Freq":868100000,"xtime":19422017552421418}',
        b'{"msgtype":"timesync","txtime":9007199254740993}',
    ]


def _station(data: bytes) -> object:
    heard = upward.parse(data)
    return upward.frame(heard, EU868, EUI) if isinstance(heard, upward.Heard) else heard


def _server_of_a_station(data: bytes) -> object:
    said = station.parse_message(data)
    return said.phy() if isinstance(said, station.DnMsg) else said


def _gwmp(data: bytes) -> object:
    header = gwmp.parse_header(data)
    if header.kind == gwmp.PUSH_DATA:
        push = gwmp.parse_push(data, header.gateway)
        for reject in push.rejects:
            assert isinstance(reject.reason, RejectReason)
        msgspec.msgpack.encode(push.frames)
        msgspec.json.encode(push.stat)
        return push
    return gwmp.ack(header) if header.kind == gwmp.PULL_DATA else semtech_udp_down.parse_tx_ack(data)


def _pull_resps() -> list[bytes]:
    txpk = {"tmst": 1, "freq": 868.1, "rfch": 0, "powe": 14, "modu": "LORA", "datr": "SF7BW125", "codr": "4/5"}
    bodies = [txpk | {"ipol": True, "size": 3, "data": "YAEC"}, {"imme": True, "freq": 868.8, "modu": "FSK"}]
    bodies[1] |= {"datr": 50000, "fdev": 25000, "size": 3, "data": "YAEC", "tmms": 1_400_000_000_000}
    return [b"\2\1\2\3" + msgspec.json.encode({"txpk": body}) for body in bodies]


def _tx_acks() -> list[bytes]:
    head = b"\2\1\2\5" + bytes.fromhex(EUI)
    bodies: list[dict[str, object]] = [{"error": "TOO_LATE"}, {"warn": "TX_POWER", "value": 14}, {"error": "NONE"}]
    return [head, *(head + msgspec.json.encode({"txpk_ack": body}) for body in bodies)]


def _events() -> list[bytes]:
    """ChirpStack's, for applications."""
    rx = {"gatewayId": EUI, "gwTime": "2026-11-23T09:34:15.7Z", "rssi": -36, "snr": 10.5, "crcStatus": "CRC_OK"}
    lora = {"bandwidth": 125000, "spreadingFactor": 11, "codeRate": "CR_4_5"}
    common = {"deduplicationId": "3ac7e3c4", "time": "2026-11-23T09:34:15Z", "deviceInfo": {"devEui": EUI}}
    up = {
        "fCnt": 4,
        "fPort": 5,
        "data": "AQID",
        "rxInfo": [rx],
        "txInfo": {"frequency": 1, "modulation": {"lora": lora}},
    }
    return [msgspec.json.encode(common | more) for more in (up, {"devAddr": "00189440"}, {"margin": -7})]


def _messages() -> list[bytes]:
    """The Things Stack's, for applications."""
    at = "2026-11-23T15:15:45.787Z"
    rx = {"gateway_ids": {"gateway_id": "g", "eui": EUI}, "time": at, "timestamp": 1, "rssi": -35, "snr": 5.2}
    rate = {"lora": {"bandwidth": 125000, "spreading_factor": 7, "coding_rate": "4/5"}}
    up = {"f_port": 5, "f_cnt": 7, "frm_payload": "AQID", "rx_metadata": [rx], "received_at": at}
    up["settings"] = {"data_rate": rate, "frequency": "868300000"}
    common = {"end_device_ids": {"dev_eui": EUI, "dev_addr": "00BCB929"}, "correlation_ids": ["as:up:01"]}
    parts = ({"uplink_message": up}, {"join_accept": {"received_at": at}})
    return [msgspec.json.encode(common | part) for part in parts]


def _event(read: Callable[[str, bytes], object], topic: str, data: bytes) -> object:
    marks = {b"join_accept": "join", b"devAddr": "join", b"margin": "status"}
    found = read(topic + next((kind for mark, kind in marks.items() if mark in data), "up"), data)
    msgspec.msgpack.encode(found)
    return found


def _downlink() -> DownlinkFrame:
    """RX1, RX2 and at once."""
    times = (After(1_000_000, b"\0\0\0\7"), After(2_000_000, b"\0\0\0\7"), Immediately())
    items = tuple(TxItem(b"\x60\1\2\3\4\0\1\0mic!", 868_100_000, "LORA", "SF7BW125", at) for at in times)
    return downlink_frame(Downlink(EUI, items), 4711)


_EXEC: Final = GatewayCommandExecRequest(EUI, "uptime", 7, b"input", {"LANG": "C"})


def _published() -> list[bytes]:
    """What Concentratord publishes: frames, a report, something of a mesh."""
    radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5")
    rx = Reception(EUI, -97.0, 7.5, gps_time_ms=1_451_260_818_123, meta={"a": "b"}, crc=1, context=b"\0\0\0\7")
    frames = [uplink_frame(phy, radio, rx, uplink_id=n, trusted_ns=1 << 60) for n, phy in enumerate(_frames())]
    report = gateway_stats(EUI, {"rxnb": 3, "lati": 51.7, "long": 8.5, "rx_SF7BW125_4/5": 2, "tx_OK": 1}, 1 << 60)
    events = [*(Event(uplink_frame=f) for f in frames), Event(gateway_stats=report), Event(mesh=Mesh(EUI))]
    return [to_protobuf(event) for event in events]


def _concentratord(data: bytes) -> object:
    event = from_protobuf(Event, data)
    if event.gateway_stats is not None:
        return msgspec.msgpack.encode(stat_values(event.gateway_stats))
    return event if event.uplink_frame is None else msgspec.msgpack.encode(received(event.uplink_frame))


def _phy(data: bytes) -> object:
    return parse(data)


def _join_accept() -> bytes:
    return build_join_accept(KEY, JoinAcceptBody(1, 0x13, 0x26011234, 0, 1, b""))


def _order(data: bytes) -> object:
    try:
        return parse_order(data)
    except OrderRefused as e:
        raise DecodeError(RejectReason.SYNTAX, str(e)) from None


def _open_join_accept(data: bytes) -> object:
    if not isinstance(parse(data), JoinAccept):
        raise DecodeError(RejectReason.SYNTAX)
    return open_join_accept(KEY, data)


def _explain(data: bytes) -> object:
    return explain(data, root=Root(app_key=KEY), upper_halves=(0,))


def _sml_stream(data: bytes) -> object:
    framer = SmlFramer()
    found = []
    for at in range(0, len(data), 7):
        for item in framer.feed(data[at : at + 7]):
            found.append(item)
            if isinstance(item, bytes):
                unwrap(item)
    return found


def _codec(name: str, fports: list[int | None], data: bytes) -> object:
    fields = load(name)(data, fports[sum(data) % len(fports)])
    msgspec.msgpack.encode(fields)
    msgspec.json.encode(fields)
    return fields
