"""JSON both ways, against protobuf's own JSON mapping of ChirpStack's classes; hostile text."""

import json
import random
from typing import Any

import pytest
from google.protobuf import json_format

from tests.codecs.chirpstack_gw_fakes import TOP, filled, theirs
from torhaus.codecs.framing.chirpstack_gw.as_json import from_json, to_json
from torhaus.codecs.framing.chirpstack_gw.as_protobuf import from_protobuf
from torhaus.codecs.framing.chirpstack_gw.commands import Command, ConnState, Event, GetGatewayIdRequest
from torhaus.codecs.framing.chirpstack_gw.fields import MAX_MESSAGE, Message
from torhaus.codecs.framing.chirpstack_gw.messages import (
    DownlinkFrame,
    DownlinkTxAck,
    DownlinkTxAckItem,
    GatewayStats,
    State,
    TxAckStatus,
    UplinkFrame,
    UplinkRxInfo,
)
from torhaus.codecs.model import MAX_DETAIL, DecodeError, RejectReason

every_message = pytest.mark.parametrize("of", TOP, ids=lambda of: of.__name__)


def refusal(of: type[Message], data: bytes) -> RejectReason | None:
    refused = None
    try:
        from_json(of, data)
    except DecodeError as e:
        refused = e
    assert refused is None or len(refused.detail) <= MAX_DETAIL
    return refused.reason if refused else None


@every_message
def test_it_is_the_text_that_chirpstack_would_write(of: type[Message]) -> None:
    rng = random.Random(868)
    for _ in range(30):
        sent = filled(of, rng)
        ours = to_json(from_protobuf(of, sent.SerializeToString()))
        assert json_format.Parse(ours, theirs(of)()) == sent
        assert json.loads(ours).keys() == json.loads(json_format.MessageToJson(sent)).keys()


@every_message
@pytest.mark.parametrize("options", [{}, {"preserving_proto_field_name": True}, {"use_integers_for_enums": True}])
def test_what_chirpstack_writes_is_read(of: type[Message], options: dict[str, Any]) -> None:
    rng = random.Random(433)
    for _ in range(20):
        sent = filled(of, rng)
        text = json_format.MessageToJson(sent, **options).encode()
        # floats are written in their shortest form: compare in 32 bits
        assert json_format.Parse(to_json(from_json(of, text)), theirs(of)()) == sent


@every_message
def test_cut_anywhere_it_is_refused(of: type[Message]) -> None:
    text = json_format.MessageToJson(filled(of, random.Random(5))).encode()
    for end in range(len(text)):
        assert refusal(of, text[:end]) is RejectReason.SYNTAX
    assert refusal(of, b"junk" + text) is RejectReason.SYNTAX
    assert refusal(of, text + b"junk") is RejectReason.SYNTAX


@every_message
def test_mangled_text_leaves_with_the_one_error(of: type[Message]) -> None:
    rng = random.Random(1)
    wild = [
        b"null",
        b"[]",
        b"{}",
        b"1e999",
        b'"\xff"',
        b'"\\ud800"',
        b"true",
        b"-1",
        b'"NaN"',
        b"[[[[",
        b"123456789012345678901234",
    ]
    for _ in range(200):
        text = json_format.MessageToJson(filled(of, rng)).encode()
        at = rng.randrange(len(text))
        refusal(of, text[:at] + rng.choice(wild) + text[at + rng.randrange(4) :])
        values = [b'"x"', b"7", b"false", b'{"a": [1]}', *wild]
        refusal(of, b"{" + b",".join(b'"%b": %b' % (f.encode(), rng.choice(values)) for f in json.loads(text)) + b"}")


def test_the_mapping_is_read_in_full() -> None:
    read = from_json(
        UplinkFrame,
        b'{"phy_payload": "_-8", "rxInfo": {"rssi": "-97", "snr": "7.5", "channel": 2.0, "crcStatus": 2, "board": null,'
        b'"metadata": {"ort": "Rathaus"}, "newer": {"x": 1}}}',
    )
    assert read.phy_payload == b"\xff\xef"
    assert read.rx_info is not None
    assert (read.rx_info.rssi, read.rx_info.snr, read.rx_info.channel) == (-97, 7.5, 2)
    assert read.rx_info.crc_status.value == "CRC_OK"
    assert read.rx_info.metadata == {"ort": "Rathaus"}


@pytest.mark.parametrize(
    ("of", "text", "reason"),
    [
        (UplinkFrame, b" " * (MAX_MESSAGE + 1), RejectReason.LONG),
        (UplinkFrame, b"[" * 10_000, RejectReason.SYNTAX),
        (UplinkFrame, b'{"a": ' * 5_000 + b"1" + b"}" * 5_000, RejectReason.SYNTAX),
        (UplinkFrame, b"[]", RejectReason.SYNTAX),
        (UplinkFrame, b"{%b}" % b",".join(b'"%d":0' % n for n in range(513)), RejectReason.LONG),
        (UplinkFrame, b'{"phyPayload": 5}', RejectReason.SYNTAX),
        (UplinkFrame, b'{"phyPayload": "*"}', RejectReason.SYNTAX),
        (UplinkFrame, b'{"phyPayload": "%b"}' % (b"A" * 348), RejectReason.LONG),
        (UplinkFrame, b'{"phyPayload": "", "phy_payload": ""}', RejectReason.SYNTAX),
        (UplinkFrame, b'{"txInfo": {"frequency": 4294967296}}', RejectReason.RANGE),
        (UplinkFrame, b'{"txInfo": {"frequency": -1}}', RejectReason.RANGE),
        (UplinkFrame, b'{"txInfo": {"frequency": 1.5}}', RejectReason.SYNTAX),
        (UplinkFrame, b'{"txInfo": {"frequency": true}}', RejectReason.SYNTAX),
        (UplinkFrame, b'{"txInfo": {"modulation": {"lora": {}, "fsk": {}}}}', RejectReason.SYNTAX),
        (UplinkFrame, b'{"rxInfo": {"snr": 1e39}}', RejectReason.RANGE),
        (UplinkFrame, b'{"rxInfo": {"crcStatus": "GOOD"}}', RejectReason.UNKNOWN_TYPE),
        (UplinkFrame, b'{"rxInfo": {"crcStatus": -1}}', RejectReason.UNKNOWN_TYPE),
        (UplinkFrame, b'{"rxInfo": {"gwTime": 5}}', RejectReason.SYNTAX),
        (UplinkFrame, b'{"rxInfo": {"metadata": {"a": 1}}}', RejectReason.SYNTAX),
        (DownlinkFrame, b'{"items": {}}', RejectReason.SYNTAX),
        (DownlinkFrame, b'{"items": [%b]}' % b",".join([b"{}"] * 17), RejectReason.LONG),
        (GatewayStats, b'{"rxPacketsPerFrequency": {"868.1": 1}}', RejectReason.SYNTAX),
        (GatewayStats, b'{"rxPacketsPerFrequency": {"868100000": 1}}', None),
    ],
)
def test_bounds(of: type[Message], text: bytes, reason: RejectReason | None) -> None:
    assert refusal(of, text) is reason


def test_how_it_looks() -> None:
    ack = DownlinkTxAck("aa555a0000000101", 7, [DownlinkTxAckItem(TxAckStatus.TOO_LATE), DownlinkTxAckItem()])
    assert to_json(ack) == b'{"gatewayId":"aa555a0000000101","downlinkId":7,"items":[{"status":"TOO_LATE"},{}]}'
    assert to_json(ConnState("aa555a0000000101", State.ONLINE)) == b'{"gatewayId":"aa555a0000000101","state":"ONLINE"}'
    assert to_json(Command(get_gateway_id=GetGatewayIdRequest())) == b'{"getGatewayId":{}}'
    assert to_json(Event()) == b"{}"


def test_a_number_that_json_has_not_is_left_to_its_default() -> None:
    text = to_json(UplinkFrame(rx_info=UplinkRxInfo(snr=float("nan"))))
    assert from_json(UplinkFrame, text) == UplinkFrame(rx_info=UplinkRxInfo())
