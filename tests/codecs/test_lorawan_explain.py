"""Frames explained: with the golden vectors of the frame codec, and with frames built here."""

import json
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from torhaus.codecs.lorawan import phy
from torhaus.codecs.lorawan.build import build_downlink, build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.explain import Root, euis_of, explain, names_of
from torhaus.codecs.lorawan.join import JOIN_REQUEST, Asked, JoinAcceptBody, build_join_accept, build_rejoin_request
from torhaus.codecs.lorawan.keys import derive_join_server
from torhaus.codecs.model import DecodeError

FILE = Path(phy.__file__).with_name("vectors.jsonl")
VECTORS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
V1_0 = [v for v in VECTORS if v["kind"] == "phy" and v["version"] == "1.0" and "payload_hex" in v["expected"]]
KEYS = SessionKeys.v1_0(b"\x01" * 16, b"\x02" * 16)
NEWER = SessionKeys.v1_1(b"\x01" * 16, b"\x03" * 16, b"\x04" * 16, b"\x02" * 16)
ADDR = 0x26011BDA


@pytest.mark.parametrize("v", V1_0, ids=lambda v: v["test"])
def test_vectors(v: dict[str, Any]) -> None:
    keys = [bytes.fromhex(v["keys"].get(name, "a5" * 16)) for name in ("nwk_s_key", "app_s_key")]
    found = explain(bytes.fromhex(v["phy_payload"]), session=SessionKeys.v1_0(*keys))
    assert (found.mic, found.fcnt) == ("right", v["expected"]["fcnt32"])
    assert (found.payload or b"").hex() == v["expected"]["payload_hex"]


def test_the_upper_half_of_the_counter_is_found() -> None:
    """The last of 65,536 tries is still quick enough for somebody who waits."""
    data = build_uplink(KEYS, ADDR, 0xFFFF_0007, 5, b"hello")
    begin = time.process_time()
    found = explain(data, session=KEYS)
    assert time.process_time() - begin < 5
    assert (found.mic, found.fcnt, found.payload) == ("right", 0xFFFF_0007, b"hello")
    assert explain(data, session=KEYS, upper_halves=range(10)).mic == "wrong"


def test_commands() -> None:
    found = explain(build_uplink(KEYS, ADDR, 3, 0, bytes.fromhex("02067307")), session=KEYS)
    assert found.commands is not None
    assert [c.name for c in found.commands.found] == ["LinkCheckReq", "DevStatusAns"]
    found = explain(build_downlink(KEYS, ADDR, 3, 1, b"x", fopts=bytes.fromhex("0641ff")), session=KEYS)
    assert found.fopts is not None
    assert ([c.name for c in found.fopts.found], found.fopts.rest.hex()) == (["DevStatusReq"], "41ff")


def test_without_keys_the_header_is_still_there() -> None:
    found = explain(build_uplink(KEYS, ADDR, 3, 5, b"x", fopts=b"\x02"))
    assert (found.mic, found.fcnt, found.payload) == ("unknown", None, None)
    assert found.fopts is not None
    assert found.fopts.found[0].name == "LinkCheckReq"


def test_other_keys_are_wrong() -> None:
    other = SessionKeys.v1_0(b"\x09" * 16, b"\x09" * 16)
    found = explain(build_uplink(KEYS, ADDR, 3, 5, b"x"), session=other, upper_halves=range(4))
    assert (found.mic, found.fcnt, found.payload) == ("wrong", None, None)


def test_newer_sessions() -> None:
    up = build_uplink(NEWER, ADDR, 9, 5, b"hello", fopts=b"\x02", tx_dr=5, tx_ch=2)
    found = explain(up, session=NEWER)
    assert (found.mic, found.fcnt, found.payload) == ("right", 9, b"hello")
    assert found.fopts is not None
    assert found.fopts.found[0].name == "LinkCheckReq"
    acked = build_uplink(NEWER, ADDR, 9, 5, b"hello", ack=True, conf_fcnt=77)
    assert explain(acked, session=NEWER, upper_halves=range(2)).mic == "half"
    down = build_downlink(NEWER, ADDR, 9, 5, b"hello")
    assert explain(down, session=NEWER).payload == b"hello"


@pytest.mark.parametrize("key", ["98929b92c49edba9676d646d3b612456", None, "00" * 16])
def test_join_request(key: str | None) -> None:
    data = bytes.fromhex("0039363463336913AA05693574323831330489C65B1304")
    found = explain(data, root=Root(app_key=bytes.fromhex(key)) if key else None)
    assert found.mic == ("unknown" if key is None else "wrong" if key == "00" * 16 else "right")
    assert isinstance(found.phy, phy.JoinRequest)
    assert euis_of(found.phy) == {"join_eui": "aa13693363343639", "dev_eui": "3331383274356905"}


def test_join_accept() -> None:
    data = bytes.fromhex("20493eeb51fba2116f810edb3742975142")
    found = explain(data, root=Root(app_key=bytes.fromhex("00112233445566778899aabbccddeeff")))
    assert found.mic == "right"
    assert found.accept is not None
    assert (found.accept.join_nonce, found.accept.net_id) == (5704647, 0x221101)
    assert explain(data).mic == "unknown"
    assert explain(data, root=Root(app_key=bytes(16))).mic == "wrong"


def test_join_accept_of_a_newer_device() -> None:
    nwk, eui, join_eui = b"\x07" * 16, 0x0123456789ABCDEF, 0x1111
    js = derive_join_server(nwk, eui)
    body = JoinAcceptBody(3, 0x13, ADDR, 0x80, 1)
    data = build_join_accept(nwk, body, js_int_key=js.js_int_key, asked=Asked(JOIN_REQUEST, join_eui, 0xE8C2))
    whole = Root(bytes(16), nwk, eui, join_eui, 0xE8C2)
    assert explain(data, root=whole).accept == body
    assert explain(data, root=Root(bytes(16), nwk)).mic == "unknown"
    assert explain(data, root=Root(bytes(16), nwk, eui, join_eui, 1)).mic == "wrong"


def test_rejoin_requests() -> None:
    nwk, eui = b"\x07" * 16, 0x0123456789ABCDEF
    data = build_rejoin_request(derive_join_server(nwk, eui).js_int_key, 1, 0x1111, eui, 4)
    assert explain(data, root=Root(nwk_key=nwk)).mic == "right"
    assert explain(data, root=Root(app_key=nwk)).mic == "unknown"
    found = explain(build_rejoin_request(nwk, 0, 0x13, eui, 4), root=Root(nwk_key=nwk))
    assert found.mic == "unknown"
    assert isinstance(found.phy, phy.RejoinRequest)
    assert euis_of(found.phy) == {"dev_eui": "0123456789abcdef"}


def test_addresses_in_words() -> None:
    assert names_of(ADDR) == {"dev_addr": "26011bda", "network": "NetID 000013, type 0"}
    assert names_of(1)["network"] == "NetID 000000, type 0, free for everybody's own network"
    assert names_of(0xE0106373)["network"] == "type 3, NwkID 8 (the low end of its NetID)"
    assert names_of(0xFF000000)["network"] == "no network can have this address"


def test_keys_are_never_printed() -> None:
    assert repr(Root(app_key=b"secretsecretsecr")) == "Root(…)"


def test_no_other_exception_leaves() -> None:
    random = Random(4)
    root = Root(b"\x01" * 16, b"\x02" * 16, 1, 2, 3)
    whole = build_uplink(KEYS, ADDR, 3, 5, b"hello", fopts=b"\x02\x06")
    samples = [whole[:n] for n in range(len(whole))] + [random.randbytes(random.randint(0, 40)) for _ in range(1500)]
    samples += [bytes((random.choice((0, 0x20, 0x40, 0x60, 0xC0, 0xE0)),)) + random.randbytes(n) for n in range(60)]
    for data in samples:
        for session in (None, KEYS, NEWER):
            try:
                found = explain(data, session=session, root=root, upper_halves=range(2))
            except DecodeError:
                continue
            assert found.mic in {"wrong", "unknown", "half", None}
