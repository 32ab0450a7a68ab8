"""Every golden vector of codecs/lorawan/vectors.jsonl; each line names its source and licence.

The fields are compared as `torhaus codecs test` does; here also that what was read is built again.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from torhaus.codecs.lorawan import join, keys, phy
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.daemon.vectors.base import Tools
from torhaus.daemon.vectors.lorawan import MTYPES, NO_KEY, check

FILE = Path(phy.__file__).with_name("vectors.jsonl")
VECTORS: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
LICENCES = {"MIT", "own work"}
TOOLS = Tools(Path(), None, None)  # type: ignore[arg-type]


def of(mtype: str) -> list[Any]:
    found = [v for v in VECTORS if v["kind"] == "phy" and v["expected"]["mtype"] == mtype]
    return [pytest.param(v, id=f"{v['id']} {v['test']}") for v in found]


def root_key(vector: dict[str, Any]) -> bytes:
    text = vector["keys"].get("app_key")
    return NO_KEY if text is None else bytes.fromhex(text)


def test_all_vectors_are_there_and_free() -> None:
    assert len(VECTORS) == 43
    assert {v["licence"] for v in VECTORS} == LICENCES
    assert all(v["source"] for v in VECTORS)


def test_every_kind_of_frame_and_key_is_there() -> None:
    assert {v["expected"]["mtype"] for v in VECTORS if v["kind"] == "phy"} == {
        *MTYPES.values(),
        "JoinRequest",
        "JoinAccept",
        "RejoinRequest",
        "Proprietary",
    }
    functions = {v["function"] for v in VECTORS if v["kind"] == "keys"}
    assert functions == {"session_keys_1_0", "session_keys_1_1", "join_server_keys_1_1"}


@pytest.mark.parametrize("vector", [pytest.param(v, id=f"{v['id']} {v['test']}") for v in VECTORS])
def test_fields_and_keys(vector: dict[str, Any]) -> None:
    assert asyncio.run(check(vector, TOOLS)) is None


@pytest.mark.parametrize("vector", of("JoinRequest"))
def test_join_requests_are_built_again(vector: dict[str, Any]) -> None:
    data, root = bytes.fromhex(vector["phy_payload"]), root_key(vector)
    request = phy.parse(data)
    assert isinstance(request, phy.JoinRequest)
    if "mic_valid" in vector["expected"]:
        rebuilt = join.build_join_request(root, request.join_eui, request.dev_eui, request.dev_nonce)
        assert (rebuilt == data) == vector["expected"]["mic_valid"]


@pytest.mark.parametrize("vector", of("RejoinRequest"))
def test_rejoin_requests_are_built_again(vector: dict[str, Any]) -> None:
    data, root = bytes.fromhex(vector["phy_payload"]), root_key(vector)
    request = phy.parse(data)
    assert isinstance(request, phy.RejoinRequest)
    if "mic_valid" in vector["expected"]:
        third = request.join_eui if request.join_eui is not None else request.net_id
        assert third is not None
        assert join.build_rejoin_request(root, request.rejoin_type, third, request.dev_eui, request.rj_count) == data


@pytest.mark.parametrize("vector", of("JoinAccept"))
def test_join_accepts_are_built_again(vector: dict[str, Any]) -> None:
    data, root = bytes.fromhex(vector["phy_payload"]), root_key(vector)
    if vector["params"].get("cleartext"):
        data = join.encrypt_join_accept(root, data)
    if vector["expected"]["mic_valid"]:
        body = join.open_join_accept(root, data)
        assert join.build_join_accept(root, body) == data


def test_halves_of_mics() -> None:
    """1.1: half of it needs neither data rate nor channel; with the right key it is right by itself."""
    for vector in VECTORS:
        if vector["kind"] != "phy" or vector["version"] != "1.1" or "f_nwk_s_int_key" not in vector["keys"]:
            continue
        data = bytes.fromhex(vector["phy_payload"])
        frame = phy.parse(data)
        if isinstance(frame, phy.DataFrame) and frame.uplink and vector["expected"].get("mic_valid"):
            f_key = bytes.fromhex(vector["keys"]["f_nwk_s_int_key"])
            session = SessionKeys.v1_1(f_key, NO_KEY, NO_KEY, NO_KEY)
            assert session.verify_uplink_half(data, frame, vector["expected"]["fcnt32"])


def test_a_whole_join_derives_the_four_keys() -> None:
    for vector in VECTORS:
        given = vector.get("input", {})
        if vector.get("function") == "session_keys_1_1" and len(given["third"]) == 16:
            roots = bytes.fromhex(given["nwk_key"]), bytes.fromhex(given["app_key"])
            nonces = int(given["join_nonce"], 16), int(given["third"], 16), int(given["dev_nonce"], 16)
            want = {name: bytes.fromhex(value) for name, value in vector["expected"].items()}
            assert keys.derive_1_1(*roots, *nonces) == keys.keys_1_1(**want)
