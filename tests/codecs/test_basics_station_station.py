"""A station's own words are read by the server side as they were meant, and the server's by the station's side."""

import json
from random import Random

import pytest

from torhaus.codecs.framing.basics_station import discovery, station, upward
from torhaus.codecs.framing.basics_station.downward import attempts, dnmsg, timesync
from torhaus.codecs.framing.basics_station.plan import plan
from torhaus.codecs.framing.basics_station.router_config import router_config
from torhaus.codecs.lorawan.build import build_downlink, build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.downlink import After, Downlink, Immediately, TxItem
from torhaus.codecs.lorawan.join import build_join_request
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.model import DecodeError, RejectReason

EU868 = region("EU868")
KEYS = SessionKeys.v1_0(bytes(16), bytes(range(16)))
XTIME = 0x51 << 48 | 12_345_678
ACCEPT = b"\x20" + bytes(range(32))


def frames() -> list[bytes]:
    random = Random(4)
    found = [build_join_request(bytes(16), 1 << 63, random.randrange(1 << 64), 0xFFFF)]
    for port in (None, 0, 5, 223):
        payload = b"" if port is None else random.randbytes(20)
        fopts = b"" if port == 0 else b"\x02"
        found.append(build_uplink(KEYS, 0xFFFFFFFF, 70_000, port, payload, confirmed=port == 5, fopts=fopts))
    return found


@pytest.mark.parametrize("phy", frames())
def test_a_frame_arrives_as_it_was(phy: bytes) -> None:
    said = upward.parse(station.heard(phy, 3, 868_300_000, XTIME, -101.5, -3.25))
    assert isinstance(said, upward.Heard)
    data, radio = upward.frame(said, EU868, "00" * 8)
    assert (data, radio.freq_hz, radio.datarate) == (phy, 868_300_000, "SF9BW125")
    assert (radio.rx[0].rssi_dbm, radio.rx[0].snr_db) == (-101.5, -3.25)
    assert upward.parse_context(radio.rx[0].context or b"") == (0, XTIME)


@pytest.mark.parametrize("phy", [build_downlink(KEYS, 1, 1, None), b"\xe0abc", ACCEPT])
def test_what_a_station_does_not_pass_on(phy: bytes) -> None:
    with pytest.raises(DecodeError) as e:
        station.heard(phy, 0, 868_100_000, 0, 0.0, 0.0)
    assert e.value.reason is RejectReason.UNSUPPORTED


def down(*items: TxItem) -> bytes:
    (attempt,) = attempts(Downlink("00" * 8, items, dev_eui="a81758fffe0312ab"), EU868)
    assert attempt.message is not None
    return dnmsg(attempt.message, 7)


def windows() -> bytes:
    context = (0).to_bytes(8, "big") + XTIME.to_bytes(8, "big")
    first = TxItem(ACCEPT, 868_100_000, "LORA", "SF7BW125", After(5_000_000, context))
    return down(first, TxItem(ACCEPT, 869_525_000, "LORA", "SF12BW125", After(6_000_000, context)))


def test_a_downlink_is_understood_and_told() -> None:
    asked = station.parse_message(windows())
    assert isinstance(asked, station.DnMsg)
    assert (asked.dC, asked.RxDelay, asked.xtime, asked.phy()) == (station.CLASS_A, 5, XTIME, ACCEPT)
    assert (asked.RX1Freq, asked.RX1DR, asked.RX2Freq, asked.RX2DR) == (868_100_000, 5, 869_525_000, 0)
    told = upward.parse(station.sent(asked, 5, 868_100_000, XTIME + 5_000_000))
    assert isinstance(told, upward.Sent)
    assert (told.diid, told.DR, told.Freq, told.xtime) == (7, 5, 868_100_000, XTIME + 5_000_000)
    at_once = station.parse_message(down(TxItem(ACCEPT, 869_525_000, "LORA", "SF12BW125", Immediately())))
    assert isinstance(at_once, station.DnMsg)
    assert (at_once.dC, at_once.RX1Freq, at_once.RX2DR) == (station.CLASS_C, None, 0)


def test_the_way_to_the_server() -> None:
    asked = discovery.parse_question(station.question("aa555a0000000101"))
    assert asked.eui == "aa555a0000000101"
    assert station.parse_answer(discovery.answer(asked, "ws://127.0.0.1:3001/x")) == "ws://127.0.0.1:3001/x"
    for text, detail in ((discovery.refusal(asked, "not listed"), "not listed"), (b"{}", "no URI"), (b"[", "answer")):
        with pytest.raises(DecodeError, match=detail):
            station.parse_answer(text)
    with pytest.raises(DecodeError, match="bytes"):
        station.parse_answer(b" " * 20_000)
    said = upward.parse(station.version("x"))
    assert isinstance(said, upward.Version)
    assert isinstance(station.parse_message(router_config(EU868, plan(EU868))), station.RouterConfig)
    assert isinstance(station.parse_message(timesync(1, 2, 3.0)), station.TimeSync)


@pytest.mark.parametrize("pdu", ["", "0", "zz", "20 20"])
def test_a_downlink_without_bytes(pdu: str) -> None:
    asked = station.parse_message(json.dumps(json.loads(windows()) | {"pdu": pdu}).encode())
    assert isinstance(asked, station.DnMsg)
    if pdu == "20 20":
        assert asked.phy() == b"\x20\x20"
        return
    with pytest.raises(DecodeError):
        asked.phy()


def test_whatever_a_server_says_only_decode_errors_leave() -> None:
    random, whole = Random(11), windows()
    with pytest.raises(DecodeError):
        station.parse_message(whole + b" " * station.MAX_BYTES)
    for n in range(len(whole)):
        with pytest.raises(DecodeError):
            station.parse_message(whole[:n])
    for junk in (b"x" + whole, whole + b"x", b"[" * 5000, b'"' + b"\xff" * 9):
        with pytest.raises(DecodeError):
            station.parse_message(junk)
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            data[random.randrange(len(data))] = random.randrange(256)
        try:
            said = station.parse_message(bytes(data))
            if isinstance(said, station.DnMsg):
                said.phy()
        except DecodeError:
            continue
