"""PHYPayloads with their keys: every field, whether the MIC is right, what is in clear; and keys derived by a join."""

from typing import Any, Final

from torhaus.codecs.lorawan import crypto, join, keys, phy
from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64
from torhaus.codecs.model import DecodeError
from torhaus.daemon.vectors.base import MAX_SHOWN, Line, Tools

MTYPES: Final = {
    phy.MType.UNCONFIRMED_UP: "UnconfirmedDataUp",
    phy.MType.UNCONFIRMED_DOWN: "UnconfirmedDataDown",
    phy.MType.CONFIRMED_UP: "ConfirmedDataUp",
    phy.MType.CONFIRMED_DOWN: "ConfirmedDataDown",
}
NO_KEY: Final = b"\xa5" * 16
"""Where a line leaves a key out, nothing that it expects may depend on it."""
_SESSION_1_1: Final = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key")

Found = dict[str, Any]


async def check(line: Line, tools: Tools) -> str | None:  # noqa: ARG001 - one signature for all forms
    """What is wrong, None when nothing is. Raises ValueError for a kind or function that is not known."""
    want: Found = line["expected"]
    if line["kind"] == "keys":
        found = _derived(line["function"], line["input"])
    else:
        try:
            found = _frame(line, want)
        except DecodeError as e:
            return f"refused: {e}"
    wrong = [
        f"{name}: got {found.get(name, 'nothing')!r}, expected {want.get(name, 'nothing')!r}"
        for name in sorted(found.keys() | want.keys())
        if found.get(name, "nothing") != want.get(name, "nothing")
    ]
    return "; ".join(wrong[:MAX_SHOWN]) or None


def _key(line: Line, name: str) -> bytes:
    text = line["keys"].get(name)
    return NO_KEY if text is None else bytes.fromhex(text)


def _frame(line: Line, want: Found) -> Found:
    data = bytes.fromhex(line["phy_payload"])
    if line["params"].get("cleartext"):
        data = join.encrypt_join_accept(_key(line, "app_key"), data)
    frame = phy.parse(data)
    match frame:
        case phy.DataFrame():
            return _data(line, data, frame, want)
        case phy.JoinRequest() | phy.RejoinRequest():
            return _request(line, data, frame, want)
        case phy.JoinAccept():
            return _accept(_key(line, "app_key"), data)
        case phy.Proprietary():
            size = len(frame.body) - 4
            said = {"mac_payload": frame.body[:size].hex(), "mic": frame.body[size:].hex()}
            return said | {"mtype": "Proprietary", "mhdr": f"{frame.mhdr:02x}", "major": frame.mhdr & 3}


def _data(line: Line, data: bytes, frame: phy.DataFrame, want: Found) -> Found:
    params = line["params"]
    fcnt = params.get("fcnt_hi", 0) << 16 | frame.fcnt16
    found = {
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
        "fcnt32": fcnt,
    }
    if frame.uplink:
        found |= {"adr_ack_req": frame.adr_ack_req, "class_b": frame.f_pending_or_class_b}
    else:
        found["f_pending"] = frame.f_pending_or_class_b
    if line["version"] == "1.0":
        session = crypto.SessionKeys.v1_0(_key(line, "nwk_s_key"), _key(line, "app_s_key"))
    else:
        session = crypto.SessionKeys.v1_1(*(_key(line, name) for name in _SESSION_1_1))
    acknowledged = params.get("conf_fcnt", 0)
    if "mic_calculated" in want and frame.uplink:
        air = {"conf_fcnt": acknowledged, "tx_dr": params.get("tx_dr", 0), "tx_ch": params.get("tx_ch", 0)}
        found["mic_calculated"] = session.uplink_mic(data[:-4], frame.dev_addr, fcnt, **air).hex()
        found["mic_valid"] = session.verify_uplink(data, frame, fcnt, **air)
    elif "mic_calculated" in want:
        found["mic_calculated"] = session.downlink_mic(data[:-4], frame.dev_addr, fcnt, conf_fcnt=acknowledged).hex()
        found["mic_valid"] = session.verify_downlink(data, frame, fcnt, conf_fcnt=acknowledged)
    if "payload_hex" in want:
        found["payload_hex"] = session.decrypt(frame, fcnt).hex()
    if "fopts_decrypted" in want:
        found["fopts_decrypted"] = session.decrypt_fopts(frame, fcnt).hex()
    return found


def _request(line: Line, data: bytes, request: phy.JoinRequest | phy.RejoinRequest, want: Found) -> Found:
    found: Found = {"mhdr": f"{request.mhdr:02x}", "major": request.mhdr & 3, "mic": request.mic.hex()}
    found["dev_eui"] = format_eui64(request.dev_eui)
    if request.join_eui is not None:
        found["join_eui"] = format_eui64(request.join_eui)
    if isinstance(request, phy.JoinRequest):
        found |= {"mtype": "JoinRequest", "dev_nonce": request.dev_nonce}
    else:
        found |= {"mtype": "RejoinRequest", "rejoin_type": request.rejoin_type, "rj_count": request.rj_count}
        if request.net_id is not None:
            found["net_id"] = f"{request.net_id:06x}"
    if "mic_calculated" in want:
        root = _key(line, "app_key")
        found["mic_calculated"] = join.request_mic(root, data[:-4]).hex()
        found["mic_valid"] = join.verify_request(root, data, request)
    return found


def _accept(root: bytes, data: bytes) -> Found:
    clear = join.decrypt_join_accept(root, data)
    body, mic = join.parse_join_accept(clear), join.join_accept_mic(root, clear[:-4])
    return {
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
    }


def _derived(function: str, given: dict[str, str]) -> Found:
    if function == "join_server_keys_1_1":
        server = keys.derive_join_server(bytes.fromhex(given["nwk_key"]), int(given["dev_eui"], 16))
        return {"js_int_key": server.js_int_key.hex(), "js_enc_key": server.js_enc_key.hex()}
    app_key, join_nonce = bytes.fromhex(given["app_key"]), int(given["join_nonce"], 16)
    dev_nonce = int(given["dev_nonce"], 16)
    if function == "session_keys_1_0":
        session = keys.derive_1_0(app_key, join_nonce, int(given["net_id"], 16), dev_nonce)
        return {"nwk_s_key": session.f_nwk_s_int_key.hex(), "app_s_key": session.app_s_key.hex()}
    if function != "session_keys_1_1":
        raise ValueError(f"there is no function {function}")
    third, nwk_key = bytes.fromhex(given["third"])[::-1], bytes.fromhex(given["nwk_key"])
    types = (keys.KeyType.F_NWK_S_INT, keys.KeyType.S_NWK_S_INT, keys.KeyType.NWK_S_ENC, keys.KeyType.APP_S)
    return {
        name: keys.session_key(app_key if name == "app_s_key" else nwk_key, type_, join_nonce, third, dev_nonce).hex()
        for name, type_ in zip(_SESSION_1_1, types, strict=True)
    }
