import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.lorawan.phy import (
    MAX_PHY_BYTES,
    DataFrame,
    JoinAccept,
    JoinRequest,
    MType,
    Phy,
    Proprietary,
    RejoinRequest,
    parse,
)
from torhaus.codecs.model import DecodeError, RejectReason

UPLINK = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")
FOPTS = bytes.fromhex("4004030201030000020305016a3798f5b64dc039")
JOIN = bytes.fromhex("0039363463336913aa05693574323831330489c65b1304")
REJOIN_0 = bytes.fromhex("c000112233112233445566778811228b658839")
REJOIN_1 = bytes.fromhex("c0010807060504030201100f0e0d0c0b0a09db00eac31072")
ACCEPT = bytes.fromhex("2023cf335489aae3183c0be0baa8dee5f3")
GOOD = (UPLINK, FOPTS, JOIN, REJOIN_0, REJOIN_1, ACCEPT)


def outcome(phy: bytes) -> Phy | RejectReason:
    try:
        return parse(phy)
    except DecodeError as error:
        return error.reason


def reason(phy: bytes) -> RejectReason:
    with pytest.raises(DecodeError) as caught:
        parse(phy)
    return caught.value.reason


def data(phy: bytes) -> DataFrame:
    frame = parse(phy)
    assert isinstance(frame, DataFrame)
    return frame


def test_fields_of_an_uplink() -> None:
    assert parse(UPLINK) == DataFrame(
        mhdr=0x40,
        uplink=True,
        confirmed=False,
        dev_addr=0x49BE7DF1,
        adr=False,
        adr_ack_req=False,
        ack=False,
        f_pending_or_class_b=False,
        fcnt16=2,
        fopts=b"",
        fport=1,
        frm_payload=bytes.fromhex("95437876"),
        mic=bytes.fromhex("2b11ff0d"),
    )


@pytest.mark.parametrize(
    ("mhdr", "mtype", "uplink", "confirmed"),
    [
        (0x40, MType.UNCONFIRMED_UP, True, False),
        (0x60, MType.UNCONFIRMED_DOWN, False, False),
        (0x80, MType.CONFIRMED_UP, True, True),
        (0xA0, MType.CONFIRMED_DOWN, False, True),
    ],
)
def test_message_types(mhdr: int, mtype: MType, uplink: bool, confirmed: bool) -> None:
    frame = data(bytes([mhdr]) + UPLINK[1:])
    assert (frame.mtype, frame.uplink, frame.confirmed, frame.major) == (mtype, uplink, confirmed, 0)


@pytest.mark.parametrize("bit", range(4, 8))
def test_each_bit_of_fctrl(bit: int) -> None:
    frame = data(UPLINK[:5] + bytes([1 << bit]) + UPLINK[6:])
    flags = (frame.f_pending_or_class_b, frame.ack, frame.adr_ack_req, frame.adr)
    assert flags == tuple(bit == n for n in range(4, 8))


def test_no_port_is_not_an_empty_payload() -> None:
    without = data(UPLINK[:8] + UPLINK[-4:])
    empty = data(UPLINK[:9] + UPLINK[-4:])
    assert (without.fport, without.frm_payload) == (None, b"")
    assert (empty.fport, empty.frm_payload) == (1, b"")


def test_fopts_up_to_the_mic_without_a_port() -> None:
    frame = data(FOPTS[:11] + FOPTS[-4:])
    assert (frame.fopts, frame.fport) == (bytes.fromhex("020305"), None)


def test_port_0_is_allowed_without_fopts_only() -> None:
    assert data(UPLINK[:8] + b"\0\x02" + UPLINK[-4:]).fport == 0
    assert reason(FOPTS[:11] + b"\0" + FOPTS[12:]) is RejectReason.SYNTAX


def test_fopts_longer_than_the_frame() -> None:
    assert reason(FOPTS[:10] + FOPTS[-4:]) is RejectReason.SHORT
    assert reason(UPLINK[:5] + b"\x0f" + UPLINK[6:8] + UPLINK[-4:]) is RejectReason.SHORT


def test_reserved_bits_of_mhdr_are_ignored() -> None:
    frame = data(b"\x5c" + UPLINK[1:])
    assert (frame.mhdr, frame.mtype) == (0x5C, MType.UNCONFIRMED_UP)


@pytest.mark.parametrize("phy", GOOD)
@pytest.mark.parametrize("major", [1, 2, 3])
def test_other_major_versions_are_unsupported(phy: bytes, major: int) -> None:
    assert reason(bytes([phy[0] | major]) + phy[1:]) is RejectReason.UNSUPPORTED


def test_join_and_rejoin_fields() -> None:
    assert parse(JOIN) == JoinRequest(0, 0xAA13693363343639, 0x3331383274356905, 35076, bytes.fromhex("c65b1304"))
    assert parse(REJOIN_0) == RejoinRequest(
        0xC0, 0, 0x332211, None, 0x8877665544332211, 8721, bytes.fromhex("8b658839")
    )
    assert parse(REJOIN_1) == RejoinRequest(
        0xC0, 1, None, 0x0102030405060708, 0x090A0B0C0D0E0F10, 219, bytes.fromhex("eac31072")
    )
    assert parse(ACCEPT) == JoinAccept(0x20, ACCEPT[1:])
    assert parse(ACCEPT + ACCEPT[1:]) == JoinAccept(0x20, ACCEPT[1:] * 2)


def test_proprietary_frames_are_anything() -> None:
    assert parse(b"\xe3") == Proprietary(0xE3, b"")
    assert parse(b"\xe0\x01\x02") == Proprietary(0xE0, b"\x01\x02")


def test_unknown_rejoin_type() -> None:
    assert reason(b"\xc0\x03" + REJOIN_0[2:]) is RejectReason.UNKNOWN_TYPE


def test_bounds_of_length() -> None:
    assert reason(b"") is RejectReason.SHORT
    assert reason(b"\xc0") is RejectReason.SHORT
    assert len(data(UPLINK[:9] + bytes(242) + UPLINK[-4:]).frm_payload) == 242
    assert reason(UPLINK[:9] + bytes(MAX_PHY_BYTES - 12) + UPLINK[-4:]) is RejectReason.LONG


@pytest.mark.parametrize("phy", [UPLINK, FOPTS])
def test_data_frame_cut_short(phy: bytes) -> None:
    for size in range(1, 12):
        assert reason(phy[:size]) is RejectReason.SHORT
    for size in range(12, len(phy)):  # a cut frame may look like a shorter one: then only the MIC tells
        found = outcome(phy[:size])
        if isinstance(found, DataFrame):
            assert found.mic == phy[size - 4 : size]
        else:
            assert found in {RejectReason.SHORT, RejectReason.SYNTAX}


@pytest.mark.parametrize("phy", [JOIN, REJOIN_0, REJOIN_1, ACCEPT])
def test_fixed_lengths_cut_or_with_junk(phy: bytes) -> None:
    for size in range(2, len(phy)):
        assert reason(phy[:size]) is RejectReason.SYNTAX
    assert reason(phy + b"\0") is RejectReason.SYNTAX


@pytest.mark.parametrize("phy", GOOD)
def test_junk_before_and_after_never_escapes(phy: bytes) -> None:
    for junk in range(256):
        for spoiled in (bytes([junk]) + phy, phy + bytes([junk])):
            found = outcome(spoiled)
            if not isinstance(found, RejectReason):
                assert found.mhdr == spoiled[0]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_only_decode_errors_leave(phy: bytes) -> None:
    frame = outcome(phy)
    if isinstance(frame, RejectReason):
        return
    assert frame.mhdr == phy[0]
    if isinstance(frame, DataFrame):
        port = b"" if frame.fport is None else bytes([frame.fport])
        assert phy[8:] == frame.fopts + port + frame.frm_payload + frame.mic


@settings(max_examples=200, deadline=None)
@given(st.sampled_from((0x40, 0x60, 0x80, 0xA0)), st.integers(0, 15), st.binary(max_size=60))
def test_data_frames_of_any_content(mhdr: int, fopts_len: int, tail: bytes) -> None:
    phy = bytes([mhdr]) + b"\x01\x02\x03\x04" + bytes([fopts_len]) + b"\x05\x06" + tail
    frame = outcome(phy)
    if len(tail) < fopts_len + 4:
        assert frame is RejectReason.SHORT
    elif fopts_len and len(tail) > fopts_len + 4 and tail[fopts_len] == 0:
        assert frame is RejectReason.SYNTAX
    else:
        assert isinstance(frame, DataFrame)
        assert (frame.dev_addr, frame.fcnt16, len(frame.fopts)) == (0x04030201, 0x0605, fopts_len)
