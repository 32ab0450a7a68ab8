from random import Random

import pytest

from torhaus.codecs.lorawan.build import build_downlink, build_uplink
from torhaus.codecs.lorawan.cf_list import CfList, encode_cf_list
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.explain import Root, explain
from torhaus.codecs.lorawan.join import JoinAcceptBody, build_join_accept, build_rejoin_request
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.model import DecodeError
from torhaus.daemon.cli.lora_report import lines, report

KEYS = SessionKeys.v1_0(b"\x01" * 16, b"\x02" * 16)
ROOT = Root(app_key=b"\x03" * 16)
EU = region("EU868")


def rows(data: bytes, *, known: bool = True) -> dict[str, str]:
    found = explain(data, session=KEYS if known else None, root=ROOT if known else None, upper_halves=range(2))
    return dict(lines(found, data, EU))


def test_flags() -> None:
    up = rows(build_uplink(KEYS, 1, 7, 5, b"x", adr=True, adr_ack_req=True, ack=True, class_b=True))
    assert up["FCtrl"] == "ADR, ADRACKReq, ACK, ClassB"
    down = rows(build_downlink(KEYS, 1, 7, 5, b"x", f_pending=True))
    assert down["FCtrl"] == "FPending"
    assert down["on air"] == "41.2 ms with SF7BW125, 1155.1 ms with SF12BW125"  # no radio CRC


@pytest.mark.parametrize(
    ("fport", "says"),
    [(None, "none: nothing but the header"), (0, "0: MAC commands"), (224, "224: certification tests"), (9, "9")],
)
def test_ports(fport: int | None, says: str) -> None:
    assert rows(build_uplink(KEYS, 1, 7, fport))["FPort"] == says


def test_commands_in_the_payload() -> None:
    data = build_uplink(KEYS, 1, 7, 0, bytes.fromhex("067307ff"))
    assert rows(data)["commands"] == "ff not read: proprietary command 0xff"
    out = report(explain(data, session=KEYS), data, EU)
    assert out["commands"][0]["battery"] == 0x73
    assert out["not_read"] == "ff"
    assert rows(data, known=False)["payload"].endswith("4 bytes, encrypted")


def test_header_commands() -> None:
    data = build_downlink(KEYS, 1, 7, None, fopts=bytes.fromhex("0352070001"))
    assert rows(data)["FOpts"].startswith("LinkADRReq: use DR5 (SF7BW125), TXPower 2 (12 dBm)")
    assert report(explain(data), data, EU)["fopts"]["commands"][0]["ch_mask"] == 7
    newer = SessionKeys.v1_1(b"\x01" * 16, b"\x03" * 16, b"\x04" * 16, b"\x02" * 16)
    data = build_downlink(newer, 1, 7, None, fopts=b"\x06")
    wrong = SessionKeys.v1_1(b"\x09" * 16, b"\x09" * 16, b"\x09" * 16, b"\x09" * 16)
    found = explain(data, session=wrong, upper_halves=range(2))
    assert dict(lines(found, data, EU))["FOpts"].endswith("encrypted")


def test_join_accept() -> None:
    assert ROOT.app_key is not None
    cf_list = encode_cf_list(CfList(0, (867_100_000, 867_300_000)))
    data = build_join_accept(ROOT.app_key, JoinAcceptBody(5, 0x13, 0x26000001, 0x23, 5, cf_list))
    found = rows(data)
    assert found["RX1"] == "5 s after the uplink, RX1DROffset 2"
    assert found["RX2"] == "DR3 (SF9BW125)"
    assert found["channels"] == "867.1 MHz, 867.3 MHz"
    assert "encrypted" in rows(data, known=False)["body"]
    masks = build_join_accept(
        ROOT.app_key, JoinAcceptBody(5, 0x13, 1, 0, 0, encode_cf_list(CfList(1, channels=(8, 65))))
    )
    assert "[8, 65]" in rows(masks)["channels"]
    odd = build_join_accept(ROOT.app_key, JoinAcceptBody(5, 0x13, 1, 0x0F, 0, b"\xff" * 16))
    assert rows(odd)["channels"] == "ff" * 16
    assert rows(odd)["RX2"] == "DR15"


def test_rejoin_and_others() -> None:
    data = build_rejoin_request(bytes(16), 2, 0x13, 0xAB, 9)
    found = rows(data)
    assert (found["type"], found["NetID"], found["RJcount"]) == ("2: new keys, please", "000013", "9")
    assert rows(b"\xe0\xff")["body"] == "ff"
    assert rows(b"\xe0")["body"] == "empty"


def test_any_frame_can_be_shown() -> None:
    random = Random(6)
    shown = 0
    for n in range(3000):
        head = random.choice((0x00, 0x20, 0x40, 0x60, 0x80, 0xA0, 0xC0, 0xE0))
        size = random.choice((16, 18, 22, 23, 32, random.randint(0, 60)))
        data = bytes((head,)) + random.randbytes(size)
        try:
            found = explain(data, session=KEYS if n % 2 else None, root=ROOT if n % 2 else None, upper_halves=range(1))
        except DecodeError:
            continue
        for name in ("EU868", "US915", "AS923"):
            assert lines(found, data, region(name))
        shown += 1
    assert shown > 1000
