"""GWMP datagrams. Golden ones are made after the examples of the protocol documents; the numbers are our own."""

import base64
import json

import msgspec
import pytest

from tests.codecs.gwmp_fakes import EUI, HEAD, PHY, PLAIN, one, push, refused
from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.model import DecodeError, Radio, Reception, RejectReason

# -- header and acknowledgements ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("kind", "answer"), [(gwmp.PUSH_DATA, gwmp.PUSH_ACK), (gwmp.PULL_DATA, gwmp.PULL_ACK)])
def test_header_and_ack(version: int, kind: int, answer: int) -> None:
    header = gwmp.parse_header(bytes((version, 0xAB, 0xCD, kind)) + bytes.fromhex(EUI))
    assert header == gwmp.Header(version, b"\xab\xcd", kind, EUI)
    assert gwmp.ack(header) == bytes((version, 0xAB, 0xCD, answer))


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"", RejectReason.SHORT),
        (HEAD[:11], RejectReason.SHORT),
        (b"\x00" + HEAD[1:], RejectReason.UNKNOWN_TYPE),
        (b"\x03" + HEAD[1:], RejectReason.UNKNOWN_TYPE),
        (HEAD[:3] + b"\x01" + HEAD[4:], RejectReason.UNKNOWN_TYPE),  # what servers send
        (HEAD[:3] + b"\x03" + HEAD[4:], RejectReason.UNKNOWN_TYPE),
        (HEAD[:3] + b"\x06" + HEAD[4:], RejectReason.UNKNOWN_TYPE),
    ],
)
def test_header_refused(datagram: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        gwmp.parse_header(datagram)
    assert caught.value.reason is reason


# -- rxpk --------------------------------------------------------------------------------------------------------------


def test_every_field_of_an_rxpk() -> None:
    """Fields of packet_forwarder PROTOCOL.TXT 1.3 section 4, sx1302_hal PROTOCOL.md 1.6, and the extension `meta`."""
    phy, radio = one(
        time="2026-11-23T09:53:25.400123Z",
        tmms=1_480_000_000_000,
        tmst=4_294_967_295,
        ftime=999_999_999,
        chan=7,
        rfch=1,
        mid=8,
        stat=1,
        modu="LORA",
        rssis=-71,
        foff=-3542,
        brd=1,
        ant=2,
        aesk=3,
        hpw=52,
        size=13,
        jver=1,
        unknown={"a": [1]},
        meta={"region": "eu868", "n": 1, "deep": {"x": [True, None]}},
    )
    assert phy == PHY
    assert radio == Radio(
        868_100_000,
        "LORA",
        "SF7BW125",
        "4/5",
        [
            Reception(
                gateway=EUI,
                rssi_dbm=-60,
                snr_db=9.5,
                signal_rssi_dbm=-71,
                channel=7,
                rf_chain=1,
                modem=8,
                board=1,
                antenna=2,
                tmst_us=4_294_967_295,
                time="2026-11-23T09:53:25.400123Z",
                gps_time_ms=1_480_000_000_000,
                fine_time_ns=999_999_999,
                fine_time_key=3,
                frequency_offset_hz=-3542,
                grid_steps=52,
                crc=1,
                meta={"region": "eu868", "n": "1", "deep": '{"x":[true,null]}'},
            )
        ],
    )


def test_rsig_is_one_reception_for_each_antenna() -> None:
    rsig = [
        {"ant": 0, "chan": 4, "rssic": -80, "rssis": -82, "rssisd": 2, "lsnr": 7.5, "etime": "qkk=", "foff": 12},
        {"ant": 1, "chan": 40, "rssic": -97.5, "lsnr": -3, "ftime": 77, "fdri": 3, "ftstat": 1},
        {},
    ]
    _, radio = one(rsig=rsig, aesk=2, tmst=5, rssi=None, lsnr=None)
    base = Reception(EUI, tmst_us=5, fine_time_key=2)
    replace = msgspec.structs.replace
    assert radio.rx == [
        replace(
            base,
            antenna=0,
            channel=4,
            rssi_dbm=-80,
            signal_rssi_dbm=-82,
            rssi_deviation_db=2,
            snr_db=7.5,
            encrypted_fine_time="qkk=",
            frequency_offset_hz=12,
        ),
        replace(base, antenna=1, channel=40, rssi_dbm=-97.5, snr_db=-3, fine_time_ns=77),
        base,
    ]
    _, radio = one(rsig=[{"ant": i} for i in range(100)])
    assert [r.antenna for r in radio.rx] == list(range(gwmp.MAX_RSIG))
    _, radio = one(rsig=[])
    assert len(radio.rx) == 1


@pytest.mark.parametrize(
    ("modu", "datr", "codr", "text"),
    [
        ("LORA", "SF7BW125", "4/5", "SF7BW125"),
        ("LORA", "SF12BW500", "4/8", "SF12BW500"),
        ("LORA", "SF5BW812.5", "4/8LI", "SF5BW812.5"),
        ("LORA", "SF9BW125", "OFF", "SF9BW125"),
        ("LORA", "SF7BW125", None, "SF7BW125"),
        ("FSK", 50000, "4/5", "50000"),
        ("FSK", 50000.0, "", None),
        ("FSK", 50000.0, None, "50000"),
        ("LR-FHSS", "M0CW137", "4/6", "M0CW137"),
        ("LR-FHSS", "M0CW1523", "1/3", "M0CW1523"),
        *(("LORA", "SF7BW125", codr, "SF7BW125") for codr in ("2/3", "1/2", "2/4", "4/5LI", "4/6LI", "2/6", "5/6")),
    ],
)
def test_modulations(modu: str, datr: object, codr: str | None, text: str | None) -> None:
    if text is None:
        refused(PLAIN | {"modu": modu, "datr": datr, "codr": codr}, RejectReason.SYNTAX)
        return
    _, radio = one(modu=modu, datr=datr, codr=codr)
    assert (radio.modulation, radio.datarate, radio.coderate) == (modu, text, codr)


def test_without_modu_it_is_lora() -> None:
    _, radio = one()
    assert radio.modulation == "LORA"


@pytest.mark.parametrize(
    "freq", [(868.1, 868_100_000), (868.099999, 868_099_999), (433.175, 433_175_000), (2403.0, 2_403_000_000)]
)
def test_frequencies_are_rounded_to_the_hertz(freq: tuple[float, int]) -> None:
    _, radio = one(freq=freq[0])
    assert radio.freq_hz == freq[1]


@pytest.mark.parametrize("spelling", ["padded", "unpadded", "half padded", "url-safe", "url-safe unpadded"])
@pytest.mark.parametrize("phy", [PHY, b"\xfb\xff\xbe\xfe" * 3, bytes(range(255)), b"\xff"])
def test_base64_in_all_its_spellings(spelling: str, phy: bytes) -> None:
    """`-DS4CGaDCdG+48eJNM3Vai-zDpsR71Pn9CPA9uCON84` in the protocol document is URL-safe and unpadded."""
    text = (base64.urlsafe_b64encode if "url" in spelling else base64.b64encode)(phy).decode()
    if "unpadded" in spelling:
        text = text.rstrip("=")
    elif "half" in spelling:
        text = text.removesuffix("=")
    assert one(data=text)[0] == phy


# -- stat --------------------------------------------------------------------------------------------------------------


def test_stat() -> None:
    """PROTOCOL.TXT section 4 and what gateways of several makers add; `alti` may be negative, `ackr` a fraction."""
    values = {
        "time": "2014-01-12 08:59:28 GMT",
        "lati": 46.24,
        "long": 3.2523,
        "alti": -145,
        "rxnb": 2,
        "rxok": 2,
        "rxfw": 2,
        "ackr": 99.5,
        "dwnb": 2,
        "txnb": 2,
        "temp": 23.2,
    }
    more = {"hver": {"fpga": 33, "dsp0": 1}, "on": True, "none": None, "list": [1], "meta": {"region": "eu868"}}
    parsed = push({"stat": values | more})
    assert parsed.frames == []
    assert parsed.stat == values | {"hver_fpga": 33, "hver_dsp0": 1, "on": 1, "meta_region": "eu868"}


def test_stat_is_bounded() -> None:
    parsed = push(
        {
            "stat": {f"k{i}": i for i in range(100)},
        }
    )
    assert parsed.stat is not None
    assert len(parsed.stat) == gwmp.MAX_STAT
    odd = {"big": 10**30, "less": -(10**30), "name" * 17: 1, "text": "x" * 1000, "edge": (1 << 63) - 1}
    assert push({"stat": odd}).stat == {"text": "x" * gwmp.MAX_TEXT, "edge": (1 << 63) - 1}


def test_rxpk_and_stat_in_one_datagram() -> None:
    parsed = push({"rxpk": [PLAIN], "stat": {"lati": 51.77}})
    assert len(parsed.frames) == 1
    assert parsed.stat == {"lati": 51.77}


# -- size and speed of growth ------------------------------------------------------------------------------------------


def test_the_largest_datagram() -> None:
    """255 rxpk, as sx1302_hal may pack, filled up to the largest UDP payload."""
    rxpk = [PLAIN | {"tmst": i} for i in range(255)]
    body = json.dumps({"rxpk": rxpk, "pad": ""}).encode()
    body = body[:-2] + b"x" * (gwmp.MAX_DATAGRAM - len(HEAD) - len(body)) + b'"}'
    assert len(HEAD + body) == gwmp.MAX_DATAGRAM
    parsed = push(body)
    assert [r.rx[0].tmst_us for _, r in parsed.frames] == list(range(255))
    assert parsed.rejects == []


def test_too_many_rxpk_are_kept_unread() -> None:
    n = gwmp.MAX_RXPK + 3
    small = '{"freq":868,"data":"QA==","datr":"SF7BW125"}'
    parsed = push(('{"rxpk":[' + ",".join([small] * n) + "]}").encode())
    assert len(parsed.frames) == gwmp.MAX_RXPK
    (reject,) = parsed.rejects
    assert reject.reason is RejectReason.LONG
    assert reject.data == ",".join([small] * 3).encode()
