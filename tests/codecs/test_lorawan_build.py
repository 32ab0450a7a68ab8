from collections.abc import Callable
from functools import partial

import pytest

from torhaus.codecs.lorawan.build import build_downlink, build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.codecs.model import DecodeError, RejectReason

KEYS = SessionKeys.v1_0(
    bytes.fromhex("44024241ed4ce9a68c6a8bc055233fd3"), bytes.fromhex("ec925802ae430ca77fd3dd73cb2cc588")
)
ADDR = 0x49BE7DF1


def reason(call: Callable[[], object]) -> RejectReason:
    with pytest.raises(DecodeError) as caught:
        call()
    return caught.value.reason


def data(phy: bytes) -> DataFrame:
    frame = parse(phy)
    assert isinstance(frame, DataFrame)
    return frame


def test_the_readme_packet_of_lora_packet() -> None:
    assert build_uplink(KEYS, ADDR, 2, 1, b"test").hex() == "40f17dbe4900020001954378762b11ff0d"


def test_the_ack_of_lora_packet() -> None:
    assert build_downlink(KEYS, ADDR, 2, 1, ack=True).hex() == "60f17dbe4920020001f9d65d27"


def test_1_1_uplink_with_ack_of_brocaar_lorawan() -> None:
    keys = SessionKeys.v1_1(b"\x02" * 15 + b"\x03", b"\x02" * 16, b"\x02" * 15 + b"\x04", b"\x01" * 16)
    phy = build_uplink(keys, 0x01020304, 1, 1, b"hello", adr=True, ack=True, conf_fcnt=1, tx_dr=2, tx_ch=3)
    assert phy.hex() == "4004030201a0010001a694642615f842c4b9"


def test_1_1_downlink_with_encrypted_fopts_of_brocaar_lorawan() -> None:
    keys = SessionKeys.v1_1(
        bytes(16), b"\x01" * 15 + b"\x00", b"\x01" * 14 + b"\x02\x00", bytes.fromhex("100f0e0d0c0b0a090807060504030201")
    )
    phy = build_downlink(keys, 0x01020304, 0, 1, bytes.fromhex("01020304"), fopts=bytes.fromhex("020701"))
    assert phy.hex() == "600403020103000022ac0a01f0b468ddaa5ed13a"


def test_flags() -> None:
    up = data(build_uplink(KEYS, ADDR, 1, None, confirmed=True, adr_ack_req=True, class_b=True))
    assert (up.uplink, up.confirmed, up.adr, up.adr_ack_req, up.ack, up.f_pending_or_class_b) == (
        True,
        True,
        False,
        True,
        False,
        True,
    )
    down = data(build_downlink(KEYS, ADDR, 1, None, confirmed=True, adr=True, f_pending=True))
    assert (down.uplink, down.confirmed, down.adr, down.adr_ack_req, down.ack, down.f_pending_or_class_b) == (
        False,
        True,
        True,
        False,
        False,
        True,
    )
    assert (up.fport, up.frm_payload) == (None, b"")


def test_what_no_frame_can_say() -> None:
    assert reason(lambda: build_uplink(KEYS, ADDR, 1, None, b"x")) is RejectReason.SYNTAX
    assert reason(lambda: build_uplink(KEYS, ADDR, 1, 0, b"x", fopts=b"\x02")) is RejectReason.SYNTAX
    assert reason(lambda: build_uplink(KEYS, ADDR, 1, 5, fopts=bytes(16))) is RejectReason.LONG
    assert reason(lambda: build_uplink(KEYS, ADDR, 1, 5, bytes(243))) is RejectReason.LONG
    assert reason(lambda: build_uplink(KEYS, ADDR, 1, 5, bytes(300))) is RejectReason.LONG
    assert len(build_uplink(KEYS, ADDR, 1, 5, bytes(242))) == 255
    for fport in (-1, 256):
        assert reason(partial(build_downlink, KEYS, ADDR, 1, fport)) is RejectReason.RANGE
    assert reason(lambda: build_downlink(KEYS, 1 << 32, 1, 5)) is RejectReason.RANGE
    assert reason(lambda: build_downlink(KEYS, ADDR, 1 << 32, 5)) is RejectReason.RANGE
