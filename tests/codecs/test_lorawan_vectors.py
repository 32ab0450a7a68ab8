"""Every golden vector of codecs/lorawan/vectors.jsonl; each line names its source and licence."""

import json
from pathlib import Path
from typing import Any

import pytest

from torhaus.codecs.lorawan import crypto, join, keys, phy
from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64

FILE = Path(phy.__file__).with_name("vectors.jsonl")
VECTORS: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
LICENCES = {"MIT", "own work"}
OTHER_KEY = b"\xa5" * 16  # where a vector leaves a key out, nothing it asserts may depend on that key

MTYPES = {
    phy.MType.UNCONFIRMED_UP: "UnconfirmedDataUp",
    phy.MType.UNCONFIRMED_DOWN: "UnconfirmedDataDown",
    phy.MType.CONFIRMED_UP: "ConfirmedDataUp",
    phy.MType.CONFIRMED_DOWN: "ConfirmedDataDown",
}


def of(*mtypes: str) -> list[Any]:
    found = [v for v in VECTORS if v["kind"] == "phy" and v["expected"]["mtype"] in mtypes]
    return [pytest.param(v, id=f"{v['id']} {v['test']}") for v in found]


def key(vector: dict[str, Any], name: str) -> bytes:
    text = vector["keys"].get(name)
    return OTHER_KEY if text is None else bytes.fromhex(text)


def session_keys(vector: dict[str, Any]) -> crypto.SessionKeys:
    if vector["version"] == "1.0":
        return crypto.SessionKeys.v1_0(key(vector, "nwk_s_key"), key(vector, "app_s_key"))
    names = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key")
    return crypto.SessionKeys.v1_1(*(key(vector, name) for name in names))


def test_all_vectors_are_there_and_free() -> None:
    assert len(VECTORS) == 43
    assert {v["licence"] for v in VECTORS} == LICENCES
    assert all(v["source"] for v in VECTORS)


def test_every_vector_is_run_by_one_of_the_tests() -> None:
    assert {v["expected"]["mtype"] for v in VECTORS if v["kind"] == "phy"} == {
        *MTYPES.values(),
        "JoinRequest",
        "JoinAccept",
        "RejoinRequest",
        "Proprietary",
    }
    functions = {v["function"] for v in VECTORS if v["kind"] == "keys"}
    assert functions == {"session_keys_1_0", "session_keys_1_1", "join_server_keys_1_1"}


@pytest.mark.parametrize("vector", of(*MTYPES.values()))
def test_data_frames(vector: dict[str, Any]) -> None:
    want = vector["expected"]
    params = vector["params"]
    data = bytes.fromhex(vector["phy_payload"])
    frame = phy.parse(data)
    assert isinstance(frame, phy.DataFrame)
    fields = {
        "mhdr": f"{frame.mhdr:02x}",
        "mtype": MTYPES[frame.mtype],
        "major": frame.major,
        "direction": "up" if frame.uplink else "down",
        "dev_addr": format_dev_addr(frame.dev_addr),
        "fctrl": f"{data[5]:02x}",
        "adr": frame.adr,
        "ack": frame.ack,
        "fcnt16": frame.fcnt16,
        "fopts_len": len(frame.fopts),
        "fopts": frame.fopts.hex(),
        "fport": frame.fport,
        "frm_payload": frame.frm_payload.hex(),
        "mic": frame.mic.hex(),
        "fcnt32": params.get("fcnt_hi", 0) << 16 | frame.fcnt16,
    }
    if frame.uplink:
        fields |= {"adr_ack_req": frame.adr_ack_req, "class_b": frame.f_pending_or_class_b}
    else:
        fields["f_pending"] = frame.f_pending_or_class_b
    assert frame.confirmed == want["mtype"].startswith("Confirmed")

    session = session_keys(vector)
    fcnt = want["fcnt32"]
    conf_fcnt = params.get("conf_fcnt", 0)
    air = {"conf_fcnt": conf_fcnt, "tx_dr": params.get("tx_dr", 0), "tx_ch": params.get("tx_ch", 0)}
    if "mic_calculated" in want:
        message = data[:-4]
        if frame.uplink:
            fields["mic_calculated"] = session.uplink_mic(message, frame.dev_addr, fcnt, **air).hex()
            fields["mic_valid"] = session.verify_uplink(data, frame, fcnt, **air)
            assert session.verify_uplink_half(data, frame, fcnt)
        else:
            mic = session.downlink_mic(message, frame.dev_addr, fcnt, conf_fcnt=conf_fcnt)
            fields["mic_calculated"] = mic.hex()
            fields["mic_valid"] = session.verify_downlink(data, frame, fcnt, conf_fcnt=conf_fcnt)
    if "payload_hex" in want:
        fields["payload_hex"] = session.decrypt(frame, fcnt).hex()
    if "fopts_decrypted" in want:
        fields["fopts_decrypted"] = session.decrypt_fopts(frame, fcnt).hex()
    assert fields == want


@pytest.mark.parametrize("vector", of("JoinRequest"))
def test_join_requests(vector: dict[str, Any]) -> None:
    want = vector["expected"]
    data = bytes.fromhex(vector["phy_payload"])
    request = phy.parse(data)
    assert isinstance(request, phy.JoinRequest)
    fields = {
        "mhdr": f"{request.mhdr:02x}",
        "mtype": "JoinRequest",
        "major": request.mhdr & 3,
        "join_eui": format_eui64(request.join_eui),
        "dev_eui": format_eui64(request.dev_eui),
        "dev_nonce": request.dev_nonce,
        "mic": request.mic.hex(),
    }
    if "mic_calculated" in want:
        root = key(vector, "app_key")
        fields["mic_calculated"] = join.request_mic(root, data[:-4]).hex()
        fields["mic_valid"] = join.verify_request(root, data, request)
        rebuilt = join.build_join_request(root, request.join_eui, request.dev_eui, request.dev_nonce)
        assert (rebuilt == data) == want["mic_valid"]
    assert fields == want


@pytest.mark.parametrize("vector", of("RejoinRequest"))
def test_rejoin_requests(vector: dict[str, Any]) -> None:
    want = vector["expected"]
    data = bytes.fromhex(vector["phy_payload"])
    request = phy.parse(data)
    assert isinstance(request, phy.RejoinRequest)
    fields = {
        "mhdr": f"{request.mhdr:02x}",
        "mtype": "RejoinRequest",
        "major": request.mhdr & 3,
        "rejoin_type": request.rejoin_type,
        "dev_eui": format_eui64(request.dev_eui),
        "rj_count": request.rj_count,
        "mic": request.mic.hex(),
    }
    if request.net_id is not None:
        fields["net_id"] = f"{request.net_id:06x}"
    if request.join_eui is not None:
        fields["join_eui"] = format_eui64(request.join_eui)
    if "mic_calculated" in want:
        root = key(vector, "app_key")
        fields["mic_calculated"] = join.request_mic(root, data[:-4]).hex()
        fields["mic_valid"] = join.verify_request(root, data, request)
        third = request.join_eui if request.join_eui is not None else request.net_id
        assert third is not None
        assert join.build_rejoin_request(root, request.rejoin_type, third, request.dev_eui, request.rj_count) == data
    assert fields == want


@pytest.mark.parametrize("vector", of("JoinAccept"))
def test_join_accepts(vector: dict[str, Any]) -> None:
    want = vector["expected"]
    root = key(vector, "app_key")
    data = bytes.fromhex(vector["phy_payload"])
    cleartext = bool(vector["params"].get("cleartext"))
    clear = data if cleartext else join.decrypt_join_accept(root, data)
    if cleartext:
        data = join.encrypt_join_accept(root, clear)
    body = join.parse_join_accept(clear)
    mic = join.join_accept_mic(root, clear[:-4])
    assert {
        "mtype": "JoinAccept",
        "mhdr": f"{clear[0]:02x}",
        "decrypted": clear.hex(),
        "join_nonce": body.join_nonce,
        "net_id": f"{body.net_id:06x}",
        "dev_addr": format_dev_addr(body.dev_addr),
        "dl_settings": f"{body.dl_settings:02x}",
        "opt_neg": body.opt_neg,
        "rx1_dr_offset": body.rx1_dr_offset,
        "rx2_data_rate": body.rx2_data_rate,
        "rx_delay": body.rx_delay,
        "cf_list": body.cf_list.hex(),
        "mic": clear[-4:].hex(),
        "mic_calculated": mic.hex(),
        "mic_valid": mic == clear[-4:],
    } == want
    if want["mic_valid"]:
        assert join.open_join_accept(root, data) == body
        assert join.build_join_accept(root, body) == data


@pytest.mark.parametrize("vector", of("Proprietary"))
def test_proprietary(vector: dict[str, Any]) -> None:
    want = vector["expected"]
    frame = phy.parse(bytes.fromhex(vector["phy_payload"]))
    assert isinstance(frame, phy.Proprietary)
    assert f"{frame.mhdr:02x}" == want["mhdr"]
    assert frame.body.hex() == want["mac_payload"] + want["mic"]


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["test"]) for v in VECTORS if v["kind"] == "keys"])
def test_key_derivations(vector: dict[str, Any]) -> None:
    given = vector["input"]
    want = {name: bytes.fromhex(value) for name, value in vector["expected"].items()}
    if vector["function"] == "join_server_keys_1_1":
        derived = keys.derive_join_server(bytes.fromhex(given["nwk_key"]), int(given["dev_eui"], 16))
        assert want == {"js_int_key": derived.js_int_key, "js_enc_key": derived.js_enc_key}
        return
    app_key = bytes.fromhex(given["app_key"])
    join_nonce = int(given["join_nonce"], 16)
    dev_nonce = int(given["dev_nonce"], 16)
    if vector["function"] == "session_keys_1_0":
        session = keys.derive_1_0(app_key, join_nonce, int(given["net_id"], 16), dev_nonce)
        assert (session.version, session.nwk_s_enc_key) == (keys.Version.V1_0, session.f_nwk_s_int_key)
        assert want == {"nwk_s_key": session.f_nwk_s_int_key, "app_s_key": session.app_s_key}
        return
    # lora-packet also derives four keys from the NetID, which no join does: those vectors check the single derivation.
    nwk_key = bytes.fromhex(given["nwk_key"])
    third = bytes.fromhex(given["third"])[::-1]
    for name, root, key_type in (
        ("f_nwk_s_int_key", nwk_key, keys.KeyType.F_NWK_S_INT),
        ("s_nwk_s_int_key", nwk_key, keys.KeyType.S_NWK_S_INT),
        ("nwk_s_enc_key", nwk_key, keys.KeyType.NWK_S_ENC),
        ("app_s_key", app_key, keys.KeyType.APP_S),
    ):
        assert keys.session_key(root, key_type, join_nonce, third, dev_nonce) == want[name]
    if len(third) == 8:
        join_eui = int.from_bytes(third, "little")
        assert keys.derive_1_1(nwk_key, app_key, join_nonce, join_eui, dev_nonce) == keys.keys_1_1(**want)
