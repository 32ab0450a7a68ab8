"""Random frames and joins each way between torhaus and lora-packet (npm, MIT): MIC and plaintext are the same.

500 of each in the suite, 10,000 with `make test-crash`. The peer is installed into build/ when npm is there and reaches
its registry; else the test says so and is skipped.
"""

import json
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.npm import installed, node
from torhaus.codecs.lorawan.build import build_downlink, build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.join import (
    JOIN_REQUEST,
    Asked,
    JoinAcceptBody,
    build_join_accept,
    build_join_request,
    open_join_accept,
    verify_request,
)
from torhaus.codecs.lorawan.keys import derive_1_0, derive_1_1, derive_join_server
from torhaus.codecs.lorawan.phy import MTYPE_NAMES, DataFrame, JoinRequest, MType, parse

VERSION = "0.9.3"
SCRIPT = Path(__file__).with_name("lora_packet.js")
FRAMES = (
    pytest.param(500, id="some"),
    pytest.param(10_000, marks=[pytest.mark.crash, pytest.mark.timeout(900)], id="many"),
)
BOTH = ("1.0", "1.1")


def ask(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(q) + "\n" for q in questions)
    package = installed("lora-packet", f"lora-packet@{VERSION}") / "node_modules" / "lora-packet"
    command = [node(), str(SCRIPT), str(package)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=600)
    return [json.loads(line) for line in done.stdout.splitlines()]


def question(random: Random, version: str, *ports: int | None) -> dict[str, Any]:
    """The fields of a random data frame; `ports` beside random ones."""
    fport = random.choice((*ports, random.randint(1, 223)))
    fopts = b"" if fport == 0 else random.randbytes(random.choice((0, 0, random.randint(0, 15))))
    size = random.randint(1, 222) if fport is not None else 0
    mtypes = (MType.UNCONFIRMED_UP, MType.CONFIRMED_UP, MType.UNCONFIRMED_DOWN, MType.CONFIRMED_DOWN)
    mtype = random.choice(mtypes)
    return {
        "kind": "data",
        "version": version,
        "mtype": MTYPE_NAMES[mtype],
        "number": int(mtype),
        "is_down": mtype in mtypes[2:],
        "dev_addr": random.randbytes(4).hex(),
        "fcnt": random.choice((random.randrange(1 << 16), random.randrange(1 << 32))),
        "fport": fport,
        "fopts": fopts.hex(),
        "payload": random.randbytes(size).hex(),
        "adr": random.random() < 0.5,
        "ack": random.random() < 0.5,
        "conf_fcnt": random.randrange(1 << 16),
        "tx_dr": random.randrange(16),
        "tx_ch": random.randrange(72),
        "pending": False,
        "nwk": random.randbytes(16).hex(),  # NwkSKey, FNwkSIntKey
        "app": random.randbytes(16).hex(),
        "s_int": random.randbytes(16).hex(),
        "enc": random.randbytes(16).hex(),
    }


def keys_of(q: dict[str, Any]) -> SessionKeys:
    nwk, s_int, enc, app = (bytes.fromhex(q[name]) for name in ("nwk", "s_int", "enc", "app"))
    return SessionKeys.v1_0(nwk, app) if q["version"] == "1.0" else SessionKeys.v1_1(nwk, s_int, enc, app)


def mic_is_right(q: dict[str, Any], keys: SessionKeys, phy: bytes, frame: DataFrame) -> bool:
    if q["is_down"]:
        return keys.verify_downlink(phy, frame, q["fcnt"], conf_fcnt=q["conf_fcnt"])
    more = {name: q[name] for name in ("conf_fcnt", "tx_dr", "tx_ch")}
    return keys.verify_uplink(phy, frame, q["fcnt"], **more)


@pytest.mark.parametrize("count", FRAMES)
@pytest.mark.parametrize("version", BOTH)
def test_what_the_peer_sends_is_understood(version: str, count: int) -> None:
    random = Random(9)
    questions = [question(random, version, 0) for _ in range(count)]  # it makes no frames without FPort
    for q, answer in zip(questions, ask(questions), strict=True):
        phy, keys = bytes.fromhex(answer["phy"]), keys_of(q)
        frame = parse(phy)
        assert isinstance(frame, DataFrame)
        assert mic_is_right(q, keys, phy, frame)
        assert keys.decrypt(frame, q["fcnt"]).hex() == q["payload"]
        assert keys.decrypt_fopts(frame, q["fcnt"]).hex() == q["fopts"]
        assert (frame.dev_addr, frame.fcnt16) == (int(q["dev_addr"], 16), q["fcnt"] & 0xFFFF)
        assert (frame.adr, frame.ack, MTYPE_NAMES[frame.mtype]) == (q["adr"], q["ack"], q["mtype"])


@pytest.mark.parametrize("count", FRAMES)
@pytest.mark.parametrize("version", BOTH)
def test_what_torhaus_sends_is_understood(version: str, count: int) -> None:
    random = Random(10)
    questions = [question(random, version, 0, None) for _ in range(count)]
    for q in questions:
        addr, payload, fopts = int(q["dev_addr"], 16), bytes.fromhex(q["payload"]), bytes.fromhex(q["fopts"])
        more: dict[str, Any] = {name: q[name] for name in ("adr", "ack", "conf_fcnt")}
        more |= {"confirmed": q["mtype"].startswith("Confirmed"), "fopts": fopts}
        make: Any = build_downlink
        if not q["is_down"]:
            make, more = build_uplink, more | {name: q[name] for name in ("tx_dr", "tx_ch")}
        q["phy"] = make(keys_of(q), addr, q["fcnt"], q["fport"], payload, **more).hex()
    for q, answer in zip(questions, ask(questions), strict=True):
        assert (answer["mic"], answer["payload"], answer["fopts"]) == (True, q["payload"], q["fopts"])
        assert (answer["dev_addr"], answer["fcnt16"]) == (q["dev_addr"], q["fcnt"] & 0xFFFF)
        assert answer["mtype"].replace(" ", "") == q["mtype"]


def join(random: Random, kind: str, version: str) -> dict[str, Any]:
    """The fields of a random join-request or join-accept, as they are read aloud (big-endian)."""
    sizes = {
        "join_eui": 8,
        "dev_eui": 8,
        "dev_nonce": 2,
        "join_key": 16,
        "app": 16,
        "join_nonce": 3,
        "net_id": 3,
        "dev_addr": 4,
        "cf_list": random.choice((0, 16)),
    }
    found: dict[str, Any] = {name: random.randbytes(size).hex() for name, size in sizes.items()}
    opt_neg = 0x80 if version == "1.1" else 0
    found |= {"dl_settings": f"{opt_neg | random.randrange(128):02x}", "rx_delay": f"{random.randrange(16):02x}"}
    return found | {"kind": kind, "version": version}


def number(q: dict[str, Any], name: str) -> int:
    return int(q[name], 16)


def body_of(q: dict[str, Any]) -> JoinAcceptBody:
    numbers = {name: number(q, name) for name in ("join_nonce", "net_id", "dev_addr", "dl_settings", "rx_delay")}
    return JoinAcceptBody(**numbers, cf_list=bytes.fromhex(q["cf_list"]))


def asked_of(q: dict[str, Any]) -> dict[str, Any]:
    js = derive_join_server(bytes.fromhex(q["join_key"]), number(q, "dev_eui"))
    asked = Asked(JOIN_REQUEST, number(q, "join_eui"), number(q, "dev_nonce"))
    return {"js_int_key": js.js_int_key, "asked": asked}


@pytest.mark.parametrize("count", FRAMES)
def test_join_requests_each_way(count: int) -> None:
    random = Random(11)
    questions = [join(random, "request", "1.0") for _ in range(count)]
    ours = [
        q
        | {
            "phy": build_join_request(
                bytes.fromhex(q["join_key"]), number(q, "join_eui"), number(q, "dev_eui"), number(q, "dev_nonce")
            ).hex()
        }
        for q in questions
    ]
    theirs = ask(questions)
    assert [t["phy"] for t in theirs] == [o["phy"] for o in ours]
    for q, answer in zip(ours, ask(ours), strict=True):
        assert answer == {"mic": True} | {name: q[name] for name in ("join_eui", "dev_eui", "dev_nonce")}
        phy = bytes.fromhex(q["phy"])
        request = parse(phy)
        assert isinstance(request, JoinRequest)
        assert verify_request(bytes.fromhex(q["join_key"]), phy, request)


@pytest.mark.parametrize("count", FRAMES)
@pytest.mark.parametrize("version", BOTH)
def test_join_accepts_each_way_and_the_keys_that_come_of_them(version: str, count: int) -> None:
    random = Random(12)
    questions = [join(random, "accept", version) for _ in range(count)]
    for q, answer in zip(questions, ask(questions), strict=True):
        key = bytes.fromhex(q["join_key"])
        assert open_join_accept(key, bytes.fromhex(answer["phy"]), **asked_of(q)) == body_of(q)
        q["phy"] = build_join_accept(key, body_of(q), **asked_of(q)).hex()
        assert q["phy"] == answer["phy"]
    for q, answer in zip(questions, ask(questions), strict=True):
        names = ("join_nonce", "net_id", "dev_addr", "dl_settings", "rx_delay", "cf_list")
        assert {name: answer[name] for name in names} == {name: q[name] for name in names}
        assert answer["mic"]
        key, body, nonce = bytes.fromhex(q["join_key"]), body_of(q), number(q, "dev_nonce")
        js = derive_join_server(key, number(q, "dev_eui"))
        assert (answer["JSIntKey"], answer["JSEncKey"]) == (js.js_int_key.hex(), js.js_enc_key.hex())
        if version == "1.0":
            keys = derive_1_0(key, body.join_nonce, body.net_id, nonce)
            assert answer["NwkSKey"] == keys.f_nwk_s_int_key.hex()
        else:
            keys = derive_1_1(key, bytes.fromhex(q["app"]), body.join_nonce, number(q, "join_eui"), nonce)
            assert answer["FNwkSIntKey"] == keys.f_nwk_s_int_key.hex()
            assert answer["SNwkSIntKey"] == keys.s_nwk_s_int_key.hex()
            assert answer["NwkSEncKey"] == keys.nwk_s_enc_key.hex()
        assert answer["AppSKey"] == keys.app_s_key.hex()
