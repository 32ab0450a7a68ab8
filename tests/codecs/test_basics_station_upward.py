"""Frames put together again from what a station makes of them; everything else that it says."""

import json
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.codecs.station_messages import EUI, GOLDEN, UPINFO, golden, said
from torhaus.codecs.framing.basics_station import upward
from torhaus.codecs.lorawan.region import REGIONS, region
from torhaus.codecs.model import MAX_DETAIL, DecodeError, Radio, RejectReason

EU868 = region("EU868")


def frame(message: bytes | dict[str, object], where: str = "EU868") -> tuple[bytes, Radio]:
    text = message if isinstance(message, bytes) else json.dumps(message).encode()
    heard = upward.parse(text)
    assert isinstance(heard, upward.Heard)
    return upward.frame(heard, region(where), EUI)


@pytest.mark.parametrize("number", range(len(GOLDEN)))
def test_golden_messages(number: int) -> None:
    phy, radio = frame(golden(number))
    assert phy == GOLDEN[number][1]
    assert (radio.freq_hz, radio.modulation, radio.datarate, radio.coderate) == (868_100_000, "LORA", "SF7BW125", None)
    (rx,) = radio.rx
    assert (rx.gateway, rx.rssi_dbm, rx.snr_db) == (EUI, -50, 9)
    assert (rx.time, rx.gps_time_ms, rx.fine_time_ns, rx.tmst_us) == (None, None, None, None)


FRAMES = st.one_of(
    st.binary(min_size=22, max_size=22).map(lambda b: b"\x00" + b),
    st.binary(min_size=22, max_size=22).map(lambda b: b"\xc0" + b),
    st.binary(max_size=254).map(lambda b: b"\xe0" + b),
    st.builds(
        lambda mhdr, addr, fctrl, fcnt, fopts, rest, mic: (
            bytes((mhdr,)) + addr + bytes((fctrl & 0xF0 | len(fopts),)) + fcnt + fopts + rest + mic
        ),
        st.sampled_from([0x40, 0x80, 0x60, 0xA0]),
        st.binary(min_size=4, max_size=4),
        st.integers(0, 255),
        st.binary(min_size=2, max_size=2),
        st.binary(max_size=15),
        st.binary(max_size=200),
        st.binary(min_size=4, max_size=4),
    ),
)


@given(FRAMES)
def test_a_frame_taken_apart_is_the_same_when_put_together(phy: bytes) -> None:
    assert frame(said(phy))[0] == phy


@pytest.mark.parametrize("where", REGIONS)
def test_data_rates_are_the_regions(where: str) -> None:
    table = region(where)
    for dr in range(16):
        message = said(GOLDEN[3][1], DR=dr)
        if dr in table.rates:
            assert frame(message, where)[1].datarate == table.rates[dr].datarate
        else:
            with pytest.raises(DecodeError, match=f"no DR{dr}"):
                frame(message, where)


def test_numbers_of_64_bits_are_exact_and_go_into_the_context() -> None:
    for rctx, xtime in (
        (0, 1),
        (3, (127 << 56) + 1),
        (-1, -(1 << 63)),
        ((1 << 63) - 1, (1 << 63) - 1),
        (7, 1 << 53 | 1),
    ):
        info = UPINFO | {"rctx": rctx, "xtime": xtime, "gpstime": 1_435_000_000_123_456, "fts": 999_999_999}
        _, radio = frame(said(GOLDEN[3][1], upinfo=info))
        rx = radio.rx[0]
        assert rx.context is not None
        assert rx.context == rctx.to_bytes(8, "big", signed=True) + xtime.to_bytes(8, "big", signed=True)
        assert upward.parse_context(rx.context) == (rctx, xtime)
        assert (rx.gps_time_ms, rx.fine_time_ns) == (1_435_000_000_123, 999_999_999)


@pytest.mark.parametrize("size", [0, 4, 15, 17])
def test_a_context_of_another_kind_of_gateway(size: int) -> None:
    with pytest.raises(DecodeError):
        upward.parse_context(bytes(size))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"DevAddr": 1 << 32}, RejectReason.SYNTAX),
        ({"DevAddr": -(1 << 31) - 1}, RejectReason.SYNTAX),
        ({"DevAddr": 1.5}, RejectReason.SYNTAX),
        ({"MIC": "A0A1A2A3"}, RejectReason.SYNTAX),
        ({"MHdr": 256}, RejectReason.SYNTAX),
        ({"MHdr": -1}, RejectReason.SYNTAX),
        ({"FCnt": 65_536}, RejectReason.SYNTAX),
        ({"FCtrl": 2}, RejectReason.SYNTAX),  # one byte of FOpts is there
        ({"FOpts": "F"}, RejectReason.SYNTAX),
        ({"FOpts": "F F"}, RejectReason.SYNTAX),
        ({"FOpts": "FG"}, RejectReason.SYNTAX),
        ({"FOpts": "F" * 32, "FCtrl": 15}, RejectReason.SYNTAX),
        ({"FPort": -2}, RejectReason.SYNTAX),
        ({"FPort": 256}, RejectReason.SYNTAX),
        ({"FPort": -1}, RejectReason.SYNTAX),  # with a payload
        ({"FRMPayload": "00" * 256}, RejectReason.SYNTAX),
        ({"FRMPayload": "00" * 250}, RejectReason.RANGE),
        ({"FRMPayload": "２１"}, RejectReason.SYNTAX),  # noqa: RUF001 - digits of another script
        ({"DR": 16}, RejectReason.SYNTAX),
        ({"DR": 15}, RejectReason.RANGE),
        ({"Freq": 868.1}, RejectReason.SYNTAX),
        ({"upinfo": None}, RejectReason.SYNTAX),
        ({"upinfo": {}}, RejectReason.SYNTAX),
        ({"upinfo": {"xtime": 1 << 63}}, RejectReason.SYNTAX),
        ({"upinfo": {"xtime": 1, "rssi": 1e300}}, RejectReason.SYNTAX),
    ],
)
def test_wrong_members(change: dict[str, object], reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as refused:
        frame(said(GOLDEN[3][1]) | change)
    assert refused.value.reason is reason
    assert len(refused.value.detail) <= MAX_DETAIL


def test_a_join_request_with_names_that_are_none() -> None:
    for name in ("", "EF-CD", "G" * 16, "EF-CD-AB-89-67-45-23-01-00"):
        with pytest.raises(DecodeError):
            frame(said(GOLDEN[2][1], DevEui=name))


def test_an_empty_frame() -> None:
    with pytest.raises(DecodeError, match="0 bytes"):
        frame(said(GOLDEN[1][1], FRMPayload=""))


def test_the_first_words_with_what_a_station_does_not_know() -> None:
    text = b'{"msgtype":"version","station":"2.0.6(linux/std)","firmware":null,"package":null,"model":"linux",'
    found = upward.parse(text + b'"protocol":2,"features":"rmtsh gps"}')
    assert isinstance(found, upward.Version)
    want = {"station": "2.0.6(linux/std)", "model": "linux", "features": "rmtsh gps", "protocol": 2}
    assert found.values() == want
    long = upward.parse(json.dumps({"msgtype": "version", "station": "x" * 9999, "features": ["a", "b"]}).encode())
    assert isinstance(long, upward.Version)
    assert long.values() == {"station": "x" * 128, "features": "a b"}


def test_what_was_sent() -> None:
    text = (
        b'{"msgtype":"dntxed","seqno":7,"diid":7,"DR":5,"Freq":868100000,"DevEui":"01-01-01-01-01-01-01-01","rctx":0,'
        b'"xtime":19422017552421418,"txtime":1.25,"gpstime":0}'
    )
    sent = upward.parse(text)
    assert isinstance(sent, upward.Sent)
    assert (sent.number, sent.DR, sent.Freq, sent.xtime) == (7, 5, 868_100_000, 19_422_017_552_421_418)
    old = upward.parse(b'{"msgtype":"dntxed","seqno":8}')
    assert isinstance(old, upward.Sent)
    assert old.number == 8


def test_the_time_is_asked_for() -> None:
    asked = upward.parse(b'{"msgtype":"timesync","txtime":9007199254740993}')
    assert isinstance(asked, upward.TimeAsked)
    assert asked.txtime == 9_007_199_254_740_993


@pytest.mark.parametrize("kind", ["getxtime", "rmtsh", "error"])
def test_other_words(kind: str) -> None:
    assert upward.parse(json.dumps({"msgtype": kind, "error": "x", "a": [1]}).encode()) == upward.OtherWords(kind)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", RejectReason.SYNTAX),
        (b"null", RejectReason.SYNTAX),
        (b"[]", RejectReason.SYNTAX),
        (b'{"msgtype":5}', RejectReason.SYNTAX),
        (b'{"a":"updf"}', RejectReason.SYNTAX),
        (b'{"msgtype":"updf"}', RejectReason.SYNTAX),
        (b'{"msgtype":"timesync","txtime":9223372036854775808}', RejectReason.SYNTAX),
        (b'{"msgtype":"\xff"}', RejectReason.SYNTAX),
        (b'{"msgtype":' + b"[" * 5000, RejectReason.SYNTAX),
        (b'{"msgtype":"dnmsg"}', RejectReason.UNKNOWN_TYPE),
        (b'{"msgtype":"' + b"x" * 9000 + b'"}', RejectReason.UNKNOWN_TYPE),
        (b" " * (upward.MAX_BYTES + 1), RejectReason.LONG),
    ],
)
def test_what_is_no_message(text: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as refused:
        upward.parse(text)
    assert refused.value.reason is reason


@pytest.mark.parametrize("number", range(len(GOLDEN)))
def test_every_cut_and_junk_around(number: int) -> None:
    text = golden(number)
    for end in range(len(text)):
        with pytest.raises(DecodeError):
            upward.parse(text[:end])
    for junk in (text + b"x", b"x" + text, text + text):
        with pytest.raises(DecodeError):
            upward.parse(junk)
    assert frame(b" \r\n" + text + b"\n ")[0] == GOLDEN[number][1]


def attempt(text: bytes) -> None:
    """Only DecodeError escapes, and what comes of it can be stored."""
    try:
        said_ = upward.parse(text)
        if isinstance(said_, upward.Heard):
            phy, radio = upward.frame(said_, EU868, EUI)
            assert 1 <= len(phy) <= 255
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(radio), type=Radio) == radio
        elif isinstance(said_, upward.Version):
            msgspec.msgpack.encode(said_.values())
    except DecodeError as refusal:
        detail = refusal.detail
    else:
        detail = ""
    assert len(detail) <= MAX_DETAIL


def test_changed_bytes() -> None:
    rand = random.Random(20_261_126)
    texts = [golden(n) for n in range(len(GOLDEN))] + [json.dumps(said(GOLDEN[3][1])).encode()]
    for _ in range(4000):
        text = bytearray(rand.choice(texts))
        for _ in range(rand.randint(1, 6)):
            where = rand.randrange(len(text))
            match rand.randrange(4):
                case 0:
                    text[where] = rand.randrange(256)
                case 1:
                    del text[where]
                case 2:
                    text[where:where] = rand.choice([b"-", b"9" * 20, b"1e400", b"null", b"{", b'"', b"\\ud800"])
                case _:
                    text[where] = rand.choice(b'0123456789-{}[]",:')
        attempt(bytes(text))


VALUES: list[object] = [
    None,
    True,
    0,
    -1,
    255,
    256,
    1 << 31,
    -(1 << 31),
    1 << 63,
    1 << 64,
    10**400,
    1.5,
    5.0,
    -0.0,
    1e308,
    "",
    "00",
    "F",
]
VALUES += [
    "FF" * 300,
    "EF-CD-AB-89-67-45-23-01",
    "\x00",
    "\ud7ff",
    "ü" * 99,
    [],
    [[]],
    ["a"] * 50,
    {},
    {"xtime": 1},
    UPINFO,
]


def test_any_values() -> None:
    rand = random.Random(20_261_127)
    kinds = ["updf", "dndf", "jreq", "propdf", "jacc", "rejoin", "version", "dntxed", "timesync", "error", "x", None]
    names = sorted({*said(GOLDEN[3][1]), *said(GOLDEN[2][1]), "diid", "seqno", "txtime", "station", "features"})
    for _ in range(3000):
        message = said(GOLDEN[rand.randrange(4)][1])
        message |= {name: rand.choice(VALUES) for name in rand.sample(names, rand.randint(1, 3))}
        attempt(json.dumps(message | {"msgtype": rand.choice(kinds)}).encode())
