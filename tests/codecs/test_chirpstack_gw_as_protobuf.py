"""Protobuf both ways, against ChirpStack's own classes; hostile bytes."""

import random
import subprocess
import sys

import pytest

from tests.codecs.chirpstack_gw_fakes import TOP, filled, theirs
from torhaus.codecs.framing.chirpstack_gw.as_protobuf import from_protobuf, needed, to_protobuf
from torhaus.codecs.framing.chirpstack_gw.commands import Command, Event, GetGatewayIdRequest
from torhaus.codecs.framing.chirpstack_gw.fields import MAX_MESSAGE, Message, Moment, Span
from torhaus.codecs.framing.chirpstack_gw.messages import (
    DownlinkFrame,
    DownlinkFrameItem,
    DownlinkTxAck,
    GatewayStats,
    UplinkFrame,
    UplinkRxInfo,
    UplinkTxInfo,
)
from torhaus.codecs.model import MAX_DETAIL, DecodeError, RejectReason

every_message = pytest.mark.parametrize("of", TOP, ids=lambda of: of.__name__)


def refusal(of: type[Message], data: bytes) -> RejectReason | None:
    refused = None
    try:
        from_protobuf(of, data)
    except DecodeError as e:
        refused = e
    assert refused is None or len(refused.detail) <= MAX_DETAIL
    return refused.reason if refused else None


@every_message
def test_what_chirpstack_writes_is_read_and_written_back(of: type[Message]) -> None:
    rng = random.Random(868)
    for _ in range(30):
        sent = filled(of, rng)
        read = from_protobuf(of, sent.SerializeToString())
        assert theirs(of).FromString(to_protobuf(read)) == sent


@every_message
def test_cut_anywhere_it_is_refused_or_a_shorter_message(of: type[Message]) -> None:
    data = filled(of, random.Random(5)).SerializeToString()
    for end in range(len(data)):
        assert refusal(of, data[:end]) in {None, RejectReason.SYNTAX}


@every_message
def test_random_and_mangled_bytes_leave_with_the_one_error(of: type[Message]) -> None:
    rng = random.Random(1)
    reasons = set()
    for n in range(600):
        if n % 2:
            data = rng.randbytes(rng.randrange(80))
        else:
            mangled = bytearray(filled(of, rng).SerializeToString() or b"\0")
            for _ in range(rng.randint(1, 4)):
                mangled[rng.randrange(len(mangled))] = rng.randrange(256)
            data = bytes(mangled)
        reasons.add(refusal(of, data))
    assert RejectReason.SYNTAX in reasons


def test_junk_around_a_message_is_refused() -> None:
    data = filled(UplinkFrame, random.Random(2)).SerializeToString()
    assert refusal(UplinkFrame, b"\x07junk" + data) is RejectReason.SYNTAX
    assert refusal(UplinkFrame, data + b"\xff") is RejectReason.SYNTAX


def test_fields_of_a_newer_version_are_ignored() -> None:
    data = to_protobuf(DownlinkTxAck("aa555a0000000101", 7)) + b"\xfa\x3e\x03new"
    assert from_protobuf(DownlinkTxAck, data) == DownlinkTxAck("aa555a0000000101", 7)


@pytest.mark.parametrize(
    ("of", "data", "reason"),
    [
        (UplinkFrame, b"\0" * (MAX_MESSAGE + 1), RejectReason.LONG),
        (UplinkFrame, to_protobuf(UplinkFrame(b"x" * 257)), RejectReason.LONG),
        (DownlinkFrame, to_protobuf(DownlinkFrame(items=[DownlinkFrameItem(b"x")] * 17)), RejectReason.LONG),
        (GatewayStats, to_protobuf(GatewayStats(metadata={str(n): "" for n in range(65)})), RejectReason.LONG),
        (DownlinkTxAck, b"\x2a\x02\x08\x63", RejectReason.UNKNOWN_TYPE),  # a status 99
        (DownlinkTxAck, b"\x2a\x0b\x08" + b"\xff" * 9 + b"\x01", RejectReason.UNKNOWN_TYPE),  # a status -1
        (GatewayStats, b"\x12\x06\x08\xff\xff\xff\xff\x7f" + b"\x12\x06\x08\xff\xff\xff\xff\x7f", None),
        (GatewayStats, b"\x12\x07\x08\xff\xff\xff\xff\xff\x7f", RejectReason.RANGE),  # the year 138,000
        (DownlinkTxAck, b"\x32\x02\xff\xfe", RejectReason.SYNTAX),  # no UTF-8
    ],
)
def test_bounds(of: type[Message], data: bytes, reason: RejectReason | None) -> None:
    assert refusal(of, data) is reason


@pytest.mark.parametrize(
    "message",
    [
        UplinkFrame(tx_info=UplinkTxInfo(frequency=1 << 32)),
        UplinkFrame(rx_info=UplinkRxInfo(rssi=-(1 << 31) - 1)),
        UplinkFrame(rx_info=UplinkRxInfo(channel=-1)),
        UplinkFrame(rx_info=UplinkRxInfo(gw_time=Moment(1 << 100))),
        DownlinkTxAck("\ud800"),
    ],
)
def test_what_does_not_fit_its_field_is_refused(message: Message) -> None:
    with pytest.raises(DecodeError):
        to_protobuf(message)


def test_an_empty_choice_is_a_choice() -> None:
    asked = Command(get_gateway_id=GetGatewayIdRequest())
    assert to_protobuf(asked) == b"\x1a\x00"
    assert from_protobuf(Command, b"\x1a\x00") == asked
    assert from_protobuf(Event, b"") == Event()


def test_a_negative_span_has_the_sign_in_both_parts() -> None:
    info = UplinkRxInfo(time_since_gps_epoch=Span(-1_500_000_000))
    sent = theirs(UplinkFrame).FromString(to_protobuf(UplinkFrame(rx_info=info)))
    span = sent.rx_info.time_since_gps_epoch
    assert (span.seconds, span.nanos) == (-1, -500_000_000)


def test_the_library_is_loaded_when_it_is_needed_and_no_sooner() -> None:
    needed()
    script = (
        "import sys, torhaus.codecs.framing.chirpstack_gw.as_protobuf as p;"
        "assert 'google.protobuf' not in sys.modules; sys.modules['google.protobuf'] = None\n"
        "try: p.needed()\nexcept ModuleNotFoundError as e: print(e.name)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("google.protobuf")
