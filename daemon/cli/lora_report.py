"""An explained frame as lines for people and as JSON."""

from typing import Any, Final

from torhaus.codecs.lorawan.airtime import airtime_us
from torhaus.codecs.lorawan.cf_list import decode_cf_list
from torhaus.codecs.lorawan.eui import format_dev_addr
from torhaus.codecs.lorawan.explain import Commands, Explained, euis_of, names_of
from torhaus.codecs.lorawan.join import JoinAcceptBody
from torhaus.codecs.lorawan.mac_commands import reason_for
from torhaus.codecs.lorawan.mac_words import describe
from torhaus.codecs.lorawan.phy import (
    MTYPE_NAMES,
    DataFrame,
    JoinAccept,
    JoinRequest,
    MType,
    Proprietary,
    RejoinRequest,
)
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import DecodeError

_VERDICTS: Final = {
    "right": "right",
    "wrong": "wrong: other keys, or the frame was changed",
    "half": "half of it is right (LoRaWAN 1.1: the other half needs the counter that is acknowledged)",
    "unknown": "not checked: no key for it",
}
_REJOINS: Final = ("back to its network", "as if it were new", "new keys, please")


def report(found: Explained, data: bytes, region: Region) -> dict[str, Any]:
    """What was found, for JSON: bytes as hex, absent what nobody could tell."""
    phy = found.phy
    out: dict[str, Any] = {"mtype": MTYPE_NAMES[found.mtype], "size_bytes": len(data)}
    match phy:
        case DataFrame():
            out |= names_of(phy.dev_addr) | {"fctrl": _fctrl(phy), "fcnt16": phy.fcnt16, "fcnt": found.fcnt}
            if phy.fopts:
                out["fopts"] = {"hex": phy.fopts.hex(), **_commands(found.fopts, phy, region)}
            out |= {"fport": phy.fport}
            if phy.frm_payload:
                out["frm_payload"] = phy.frm_payload.hex()
            if found.payload is not None:
                out["payload"] = found.payload.hex()
            if found.commands is not None:
                out |= _commands(found.commands, phy, region)
            out["mic"] = phy.mic.hex()
        case JoinRequest():
            out |= euis_of(phy) | {"dev_nonce": phy.dev_nonce, "mic": phy.mic.hex()}
        case RejoinRequest():
            out |= {"rejoin_type": phy.rejoin_type} | euis_of(phy) | {"rj_count": phy.rj_count, "mic": phy.mic.hex()}
            if phy.net_id is not None:
                out["net_id"] = f"{phy.net_id:06x}"
        case JoinAccept():
            out |= {"encrypted": phy.encrypted.hex()} if found.accept is None else _accept(found.accept)
        case Proprietary():
            out["body"] = phy.body.hex()
    out["mic_is"] = found.mic
    if found.mtype in {MType.JOIN_REQUEST, MType.UNCONFIRMED_UP, MType.CONFIRMED_UP, MType.REJOIN_REQUEST}:
        out["airtime_ms"] = _airtimes(len(data), region, uplink=True)
    elif found.mtype is not MType.PROPRIETARY:
        out["airtime_ms"] = _airtimes(len(data), region, uplink=False)
    return {key: value for key, value in out.items() if value is not None}


def lines(found: Explained, data: bytes, region: Region) -> list[tuple[str, str]]:
    """The same as rows of a name and a text."""
    r, phy = report(found, data, region), found.phy
    rows = [("frame", f"{r['mtype']}, {len(data)} bytes")]
    if isinstance(phy, DataFrame):
        rows += [("DevAddr", f"{r['dev_addr']}  ({r['network']})"), ("FCtrl", ", ".join(r["fctrl"]) or "none set")]
        proved = f"; {found.fcnt} with its upper half" if found.fcnt is not None and found.fcnt >> 16 else ""
        rows.append(("FCnt", f"{phy.fcnt16}{proved}"))
        if phy.fopts:
            rows += _command_rows("FOpts", found.fopts, phy, region) or [("FOpts", f"{phy.fopts.hex()}, encrypted")]
        rows.append(("FPort", _fport(phy.fport)))
        if phy.frm_payload and found.payload is None:
            rows.append(("payload", f"{phy.frm_payload.hex()}, {len(phy.frm_payload)} bytes, encrypted"))
        elif found.commands is not None:
            rows += _command_rows("commands", found.commands, phy, region)
        elif found.payload:
            rows.append(("payload", f"{found.payload.hex()}, {len(found.payload)} bytes"))
    elif isinstance(phy, JoinRequest | RejoinRequest):
        if isinstance(phy, RejoinRequest):
            rows.append(("type", f"{phy.rejoin_type}: {_REJOINS[phy.rejoin_type]}"))
        labels = {
            "join_eui": "JoinEUI",
            "dev_eui": "DevEUI",
            "net_id": "NetID",
            "dev_nonce": "DevNonce",
            "rj_count": "RJcount",
        }
        rows += [(label, str(r[name])) for name, label in labels.items() if name in r]
    elif isinstance(phy, JoinAccept):
        rows += _accept_rows(found.accept, phy, region)
    elif isinstance(phy, Proprietary):
        rows.append(("body", phy.body.hex() or "empty"))
    if found.mic is not None:
        rows.append(("MIC", f"{r['mic']}: {_VERDICTS[found.mic]}" if "mic" in r else _VERDICTS[found.mic]))
    if "airtime_ms" in r:
        rows.append(("on air", ", ".join(f"{ms:g} ms with {name}" for name, ms in r["airtime_ms"].items())))
    return rows


def _fctrl(phy: DataFrame) -> list[str]:
    flags = {
        "ADR": phy.adr,
        "ADRACKReq": phy.uplink and phy.adr_ack_req,
        "ACK": phy.ack,
        "ClassB" if phy.uplink else "FPending": phy.f_pending_or_class_b,
    }
    return [name for name, is_set in flags.items() if is_set]


def _fport(fport: int | None) -> str:
    if fport is None:
        return "none: nothing but the header"
    return {0: "0: MAC commands", 224: "224: certification tests"}.get(fport, str(fport))


def _commands(found: Commands | None, phy: DataFrame, region: Region) -> dict[str, Any]:
    if found is None:
        return {}
    listed = [{"name": c.name, **c.values, "text": describe(c, region)} for c in found.found]
    out: dict[str, Any] = {"commands": listed}
    if found.rest:
        out |= {"not_read": found.rest.hex(), "reason": reason_for(found.rest, uplink=phy.uplink)}
    return out


def _command_rows(label: str, found: Commands | None, phy: DataFrame, region: Region) -> list[tuple[str, str]]:
    if found is None:
        return []
    rows = [(label, f"{c.name}: {describe(c, region)}") for c in found.found]
    if found.rest:
        rows.append((label, f"{found.rest.hex()} not read: {reason_for(found.rest, uplink=phy.uplink)}"))
    return rows


def _accept(body: JoinAcceptBody) -> dict[str, Any]:
    out: dict[str, Any] = {
        "join_nonce": body.join_nonce,
        "net_id": f"{body.net_id:06x}",
        "dev_addr": format_dev_addr(body.dev_addr),
        "opt_neg": body.opt_neg,
        "rx1_dr_offset": body.rx1_dr_offset,
        "rx2_data_rate": body.rx2_data_rate,
        "rx_delay_s": body.rx_delay or 1,
    }
    if body.cf_list:
        try:
            cf_list = decode_cf_list(body.cf_list)
        except DecodeError:
            return out | {"cf_list": body.cf_list.hex()}
        out["cf_list"] = list(cf_list.freqs_hz) if cf_list.cf_list_type == 0 else {"channels": list(cf_list.channels)}
    return out


def _accept_rows(body: JoinAcceptBody | None, phy: JoinAccept, region: Region) -> list[tuple[str, str]]:
    if body is None:
        return [("body", f"{phy.encrypted.hex()}, encrypted")]
    a = _accept(body)
    rate = region.rates.get(body.rx2_data_rate)
    rows = [
        ("JoinNonce", str(body.join_nonce)),
        ("NetID", a["net_id"]),
        ("DevAddr", f"{a['dev_addr']}  ({names_of(body.dev_addr)['network']})"),
        ("version", "LoRaWAN 1.1 (OptNeg)" if body.opt_neg else "LoRaWAN 1.0"),
        ("RX1", f"{a['rx_delay_s']} s after the uplink, RX1DROffset {body.rx1_dr_offset}"),
        ("RX2", f"DR{body.rx2_data_rate}" + (f" ({rate.datarate})" if rate is not None else "")),
    ]
    if "cf_list" in a:
        cf_list = a["cf_list"]
        text = ", ".join(f"{hz / 1e6:g} MHz" for hz in cf_list if hz) if isinstance(cf_list, list) else str(cf_list)
        rows.append(("channels", text))
    return rows


def _airtimes(size: int, region: Region, *, uplink: bool) -> dict[str, float]:
    """With the slowest and the quickest of the usual LoRa rates."""
    rates = [r for r in region.rates.values() if r.modulation == "LORA" and (r.uplink if uplink else r.downlink)]
    usual = [r for r in rates if r.bandwidth_hz == rates[0].bandwidth_hz]
    times = {r.datarate: airtime_us("LORA", r.datarate, size, r.coderate, uplink=uplink) / 1000 for r in usual}
    ordered = sorted(times, key=times.__getitem__)
    return {name: round(times[name], 1) for name in (ordered[0], ordered[-1])}
