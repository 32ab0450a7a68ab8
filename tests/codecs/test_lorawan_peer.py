"""A thousand random frames each way between torhaus and lora-packet (npm, MIT): MIC and plaintext are the same.

The peer is installed into build/ when npm is there and reaches its registry; else the test says so and is skipped.
"""

import json
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest

from torhaus.codecs.lorawan.build import build_downlink, build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.explain import explain
from torhaus.codecs.lorawan.phy import MTYPE_NAMES, DataFrame, MType, parse

ROOT = Path(__file__).parents[2]
PEER = ROOT / "build" / "lora-packet"
VERSION = "0.9.3"
SCRIPT = Path(__file__).with_name("lora_packet.js")
FRAMES = 1000


def installed() -> Path:
    """The package's folder. Skips without node, npm or a way to its registry."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("needs node and npm")
    package = PEER / "node_modules" / "lora-packet"
    if not (package / "package.json").exists():
        PEER.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(PEER)]
        try:
            subprocess.run([*command, f"lora-packet@{VERSION}"], check=True, capture_output=True, timeout=60)
        except (subprocess.SubprocessError, OSError) as e:
            pytest.skip(f"npm cannot install lora-packet here: {type(e).__name__}")
    return package


def ask(package: Path, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(q) + "\n" for q in questions)
    command = ["node", str(SCRIPT), str(package)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def question(random: Random, *ports: int | None) -> dict[str, Any]:
    """The fields of a random frame of LoRaWAN 1.0; `ports` beside random ones."""
    fport = random.choice((*ports, random.randint(1, 223)))
    fopts = b"" if fport == 0 else random.randbytes(random.choice((0, 0, random.randint(0, 15))))
    size = random.randint(1, 222) if fport is not None else 0
    mtype = random.choice((MType.UNCONFIRMED_UP, MType.CONFIRMED_UP, MType.UNCONFIRMED_DOWN))
    return {
        "mtype": MTYPE_NAMES[mtype],
        "number": int(mtype),
        "dev_addr": random.randbytes(4).hex(),
        "fcnt": random.choice((random.randrange(1 << 16), random.randrange(1 << 32))),
        "fport": fport,
        "fopts": fopts.hex(),
        "payload": random.randbytes(size).hex(),
        "adr": random.random() < 0.5,
        "ack": random.random() < 0.5,
        "pending": False,
        "nwk": random.randbytes(16).hex(),
        "app": random.randbytes(16).hex(),
    }


def keys_of(q: dict[str, Any]) -> SessionKeys:
    return SessionKeys.v1_0(bytes.fromhex(q["nwk"]), bytes.fromhex(q["app"]))


def test_what_the_peer_sends_is_understood() -> None:
    package, random = installed(), Random(9)
    questions = [question(random, 0) for _ in range(FRAMES)]  # it makes no frames without FPort
    for q, answer in zip(questions, ask(package, questions), strict=True):
        data = bytes.fromhex(answer["phy"])
        found = explain(data, session=keys_of(q), upper_halves=(q["fcnt"] >> 16,))
        assert (found.mic, found.fcnt, (found.payload or b"").hex()) == ("right", q["fcnt"], q["payload"])
        assert isinstance(found.phy, DataFrame)
        assert (found.phy.dev_addr, found.phy.fopts.hex()) == (int(q["dev_addr"], 16), q["fopts"])
        assert (found.phy.adr, found.phy.ack, MTYPE_NAMES[found.mtype]) == (q["adr"], q["ack"], q["mtype"])


def test_what_torhaus_sends_is_understood() -> None:
    package, random = installed(), Random(10)
    questions = [question(random, 0, None) for _ in range(FRAMES)]
    for q in questions:
        addr, payload, fopts = int(q["dev_addr"], 16), bytes.fromhex(q["payload"]), bytes.fromhex(q["fopts"])
        confirmed, adr, ack = q["mtype"] == "ConfirmedDataUp", q["adr"], q["ack"]
        make = build_downlink if q["mtype"] == "UnconfirmedDataDown" else build_uplink
        q["phy"] = make(
            keys_of(q), addr, q["fcnt"], q["fport"], payload, confirmed=confirmed, adr=adr, ack=ack, fopts=fopts
        ).hex()
    for q, answer in zip(questions, ask(package, questions), strict=True):
        assert (answer["mic"], answer["payload"]) == (True, q["payload"])
        assert (answer["dev_addr"], answer["fcnt16"]) == (q["dev_addr"], q["fcnt"] & 0xFFFF)
        mtype = MType(parse(bytes.fromhex(q["phy"])).mhdr >> 5)
        assert answer["mtype"].replace(" ", "") == MTYPE_NAMES[mtype]
