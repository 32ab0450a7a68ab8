"""What ChirpStack says of a session, written by its own classes; hostile bytes. No text has a key."""

import random

import pytest
from chirpstack_api.api import device_pb2

from torhaus.codecs.framing.chirpstack_api import Activation, DeviceActivation, build_request, parse_response
from torhaus.codecs.lorawan.keys import Version, keys_1_0, keys_1_1
from torhaus.codecs.model import MAX_DETAIL, DecodeError, RejectReason

EUI = "a81758fffe0312ab"
NWK, APP = bytes(range(16)), bytes(range(16, 32))


def activation(**other: object) -> bytes:
    said: dict[str, object] = {"dev_eui": EUI, "dev_addr": "01020304", "app_s_key": APP.hex(), "f_cnt_up": 70_000}
    for name in ("nwk_s_enc_key", "s_nwk_s_int_key", "f_nwk_s_int_key"):
        said[name] = NWK.hex()
    one = device_pb2.DeviceActivation(**(said | other))
    answer = device_pb2.GetDeviceActivationResponse(device_activation=one)
    answer.join_server_context.session_key_id = "not for us"
    data: bytes = answer.SerializeToString()
    return data


def refusal(data: bytes, version: Version = Version.V1_0) -> RejectReason | None:
    refused = None
    try:
        parse_response(data, EUI, version)
    except DecodeError as e:
        refused = e
    assert refused is None or len(refused.detail) <= MAX_DETAIL
    assert APP.hex() not in str(refused)
    return refused.reason if refused else None


def test_a_question_as_chirpstack_reads_it() -> None:
    assert device_pb2.GetDeviceActivationRequest.FromString(build_request(EUI)).dev_eui == EUI


def test_sessions() -> None:
    found = Activation(0x01020304, keys_1_0(NWK, APP), 70_000)
    assert parse_response(activation(dev_eui=EUI.upper()), EUI, Version.V1_0) == found
    more = {"s_nwk_s_int_key": "01" * 16, "nwk_s_enc_key": "02" * 16}
    one = parse_response(activation(**more), EUI, Version.V1_1)
    assert one is not None
    assert one.keys == keys_1_1(NWK, b"\1" * 16, b"\2" * 16, APP)
    assert parse_response(b"", EUI, Version.V1_0) is None
    assert parse_response(activation(dev_addr=""), EUI, Version.V1_0) is None


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"dev_eui": "00" * 8}, RejectReason.RANGE),
        ({"app_s_key": ""}, RejectReason.KEY),
        ({"app_s_key": "zz" * 16}, RejectReason.KEY),
        ({"app_s_key": "00 " * 10 + "00"}, RejectReason.KEY),
        ({"nwk_s_enc_key": "02" * 16}, RejectReason.KEY),
        ({"f_nwk_s_int_key": "02" * 15}, RejectReason.KEY),
        ({"dev_addr": "0102"}, RejectReason.SYNTAX),
        ({"app_s_key": "0" * 300}, RejectReason.LONG),
    ],
)
def test_what_cannot_be_used(other: dict[str, object], reason: RejectReason) -> None:
    assert refusal(activation(**other)) is reason


def test_cut_and_mangled_it_leaves_with_the_one_error() -> None:
    whole, rng = activation(), random.Random(3)
    for end in range(len(whole)):
        assert refusal(whole[:end]) in {None, RejectReason.SYNTAX, RejectReason.KEY}
    for _ in range(2000):
        data = bytearray(whole)
        data[rng.randrange(len(data))] = rng.randrange(256)
        refusal(bytes(data))


def test_it_prints_no_key() -> None:
    assert APP.hex() not in repr(DeviceActivation(app_s_key=APP.hex()))
    assert repr(parse_response(activation(), EUI, Version.V1_0)).count("…") == 1
