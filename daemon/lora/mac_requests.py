"""What a device is asked by MAC commands, and what its answers change. Pure: facts in, facts out.

LoRaWAN 1.0.4 section 5, LoRaWAN 1.1 section 5. Answers come in the order of the requests. Those to requests that change
the receive windows are repeated in every uplink until a downlink has come (sticky), so that both sides change at once.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from torhaus.codecs.lorawan.mac_commands import MacCommand, decode, encode
from torhaus.codecs.lorawan.region import apply_ch_mask
from torhaus.daemon.lora.adr import Setting
from torhaus.daemon.lora.plan import Plan
from torhaus.daemon.outbox.mac_state import Mac

STICKY: Final = frozenset({"RXParamSetupAns", "RXTimingSetupAns", "DlChannelAns", "TxParamSetupAns"})
MAX_REFUSED: Final = 16
KEEP: Final = 15
"""A data rate or power that stays as it is."""
_RETRIES: Final = 2
"""Of a rejoin-request that nobody answers, half a minute to a minute apart."""
_REQUESTS: Final = {
    "LinkADRAns": "LinkADRReq",
    "DutyCycleAns": "DutyCycleReq",
    "RXParamSetupAns": "RXParamSetupReq",
    "DevStatusAns": "DevStatusReq",
    "NewChannelAns": "NewChannelReq",
    "DlChannelAns": "DlChannelReq",
    "RXTimingSetupAns": "RXTimingSetupReq",
    "TxParamSetupAns": "TxParamSetupReq",
    "RejoinParamSetupAns": "RejoinParamSetupReq",
    "ADRParamSetupAns": "ADRParamSetupReq",
}
ANSWERS: Final = frozenset(_REQUESTS)
_NEVER_REFUSED: Final = frozenset({"DevStatusAns", "RejoinParamSetupAns"})
"""Their fields are figures; TimeOK 0 only says that the device counts uplinks and has no clock."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of one request: "accepted", "refused" or "unanswered". `key`: its bytes in hex."""

    name: str
    key: str
    result: str


def wanted(
    plan: Plan, mac: Mac, cf_list: str, *, is_1_1: bool, adr: Setting | None, dr: int | None, status_due: bool
) -> list[bytes]:
    """Requests, each to be sent whole, the most urgent first. `dr`: of the last uplink.

    `adr` is what the data rate and power are to be; None: they are not touched.
    """
    found: list[bytes] = []
    now, config = plan.receive(mac), plan.config
    if now.delay_s != plan.delay_s:
        found.append(encode("RXTimingSetupReq", delay_s=plan.delay_s))
    if (now.rx1_dr_offset, now.rx2_dr, now.rx2_hz) != (config.rx1_dr_offset, plan.rx2_dr, plan.rx2_hz):
        found.append(
            encode(
                "RXParamSetupReq",
                rx2_data_rate=plan.rx2_dr,
                rx1_dr_offset=config.rx1_dr_offset,
                freq_hz=plan.rx2_hz,
            )
        )
    dwell = plan.tx_param()
    if dwell is not None and dwell != mac.dwell:
        found.append(bytes((0x09, dwell)))
    found += plan.new_channels(mac, cf_list)
    found += plan.dl_channels(mac, cf_list)
    on = plan.wanted_on(mac, cf_list)
    is_narrowed = bool(plan.fixed_on) and (mac.channels_on is None or frozenset(mac.channels_on) != on)
    if adr is not None:
        found.append(plan.link_adr(on, adr.data_rate, adr.tx_power, adr.nb_trans))
    elif is_narrowed and dr is not None:
        found.append(plan.link_adr(on, min(dr, plan.limits(mac).max_dr), mac.tx_power, mac.nb_trans))
    if config.max_duty_cycle != mac.max_duty_cycle:
        found.append(encode("DutyCycleReq", max_duty_cycle=config.max_duty_cycle))
    if is_1_1:
        found += _only_1_1(plan, mac, dr)
    if status_due:
        found.append(encode("DevStatusReq"))
    return [r for r in found if r.hex() not in mac.refused]


def _only_1_1(plan: Plan, mac: Mac, dr: int | None) -> list[bytes]:
    """What LoRaWAN 1.1 has beside: sections 5.11 to 5.13."""
    found, config = list[bytes](), plan.config
    if config.rejoin_count_n is not None and config.rejoin_time_n is not None:
        rejoin = config.rejoin_time_n << 4 | config.rejoin_count_n
        if rejoin != mac.rejoin:
            found.append(bytes((0x0F, rejoin)))
    if config.adr_ack_limit_n is not None and config.adr_ack_delay_n is not None:
        adr_param = config.adr_ack_limit_n << 4 | config.adr_ack_delay_n
        if adr_param != mac.adr_param:
            found.append(bytes((0x0C, adr_param)))
    if mac.force_rejoin is not None and dr is not None:
        values = {"data_rate": dr, "rejoin_type": mac.force_rejoin, "max_retries": _RETRIES, "period": 0}
        found.append(encode("ForceRejoinReq", **values))
    return found


def answered(
    plan: Plan, mac: Mac, cf_list: str, commands: Iterable[MacCommand], now_ns: int
) -> tuple[Mac, list[Outcome]]:
    """What an uplink with these commands makes of what was pending, which is over with it."""
    pending = _blocks(bytes.fromhex(mac.pending))
    outcomes: list[Outcome] = []
    changed = msgspec.structs.replace(mac, pending="")
    for answer in _together(commands):
        name = _REQUESTS[answer[0].name]
        at = next((n for n, block in enumerate(pending) if block[0].name == name), None)
        if at is None:
            continue  # not asked, or repeated: a downlink ends that
        block, pending = pending[at], pending[:at] + pending[at + 1 :]
        is_fine = name == "DevStatusReq" or all(a.name in _NEVER_REFUSED or all(a.values.values()) for a in answer)
        key = _hex(block)
        if is_fine:
            changed = _accepted(plan, changed, cf_list, block, answer[0], now_ns)
        else:
            changed = _refused(changed, block, answer, key)
        outcomes.append(Outcome(name, key, "accepted" if is_fine else "refused"))
    outcomes += [Outcome(block[0].name, _hex(block), "unanswered") for block in pending]
    return changed, outcomes


def _accepted(plan: Plan, mac: Mac, cf_list: str, block: list[MacCommand], answer: MacCommand, now_ns: int) -> Mac:
    values, replace = block[0].values, msgspec.structs.replace
    match block[0].name:
        case "RXTimingSetupReq":
            return replace(mac, rx1_delay_s=max(1, values["delay_s"]))
        case "RXParamSetupReq":
            hz, dr, offset = values["freq_hz"], values["rx2_data_rate"], values["rx1_dr_offset"]
            return replace(mac, rx2_hz=hz, rx2_dr=dr, rx1_dr_offset=offset)
        case "TxParamSetupReq":
            return replace(mac, dwell=encode("TxParamSetupReq", **values)[1])
        case "NewChannelReq":
            others = tuple(c for c in mac.channels if c[0] != values["ch_index"])
            gone = plan.channels(mac, cf_list).get(values["ch_index"])
            down = tuple(pair for pair in mac.down_hz if pair[0] != gone)
            return replace(mac, channels=(*others, (values["ch_index"], values["freq_hz"])), down_hz=down)
        case "DlChannelReq":
            hz = plan.channels(mac, cf_list).get(values["ch_index"], 0)
            others = tuple(pair for pair in mac.down_hz if pair[0] != hz)
            return replace(mac, down_hz=others if values["freq_hz"] == hz else (*others, (hz, values["freq_hz"])))
        case "DutyCycleReq":
            return replace(mac, max_duty_cycle=values["max_duty_cycle"])
        case "RejoinParamSetupReq":
            return replace(mac, rejoin=encode("RejoinParamSetupReq", **values)[1])
        case "ADRParamSetupReq":
            return replace(mac, adr_param=encode("ADRParamSetupReq", **values)[1])
        case "DevStatusReq":
            battery, margin = answer.values["battery"], answer.values["margin_db"]
            return replace(mac, battery=battery, margin_db=margin, status_at_ns=now_ns)
        case _:
            return _adapted(plan, mac, cf_list, block)


def _adapted(plan: Plan, mac: Mac, cf_list: str, block: list[MacCommand]) -> Mac:
    """LinkADRReq: the last of a block sets data rate, power and repetitions."""
    defined = None if plan.region.is_fixed else frozenset(plan.channels(mac, cf_list))
    on = frozenset(plan.wanted_on(mac, cf_list)) if mac.channels_on is None else frozenset(mac.channels_on)
    for command in block:
        after = apply_ch_mask(plan.region, on, command.values["ch_mask_cntl"], command.values["ch_mask"], defined)
        on = on if after is None else after
    last = block[-1].values
    return msgspec.structs.replace(
        mac,
        channels_on=tuple(sorted(on)),
        data_rate=mac.data_rate if last["data_rate"] == KEEP else last["data_rate"],
        tx_power=mac.tx_power if last["tx_power"] == KEEP else last["tx_power"],
        nb_trans=last["nb_trans"] or mac.nb_trans,
    )


def _refused(mac: Mac, block: list[MacCommand], answer: list[MacCommand], key: str) -> Mac:
    """What is not to be asked once more; of LinkADRReq also what the device can do at most."""
    more: dict[str, int] = {}
    if block[0].name == "LinkADRReq":
        last = block[-1].values
        if any(not a.values["power_ack"] for a in answer) and last["tx_power"] > mac.tx_power:
            more["max_tx_power"] = last["tx_power"] - 1
        if any(not a.values["data_rate_ack"] for a in answer) and last["data_rate"] > 0:
            more["max_dr"] = last["data_rate"] - 1
    return msgspec.structs.replace(mac, refused=(*mac.refused, key)[-MAX_REFUSED:], **more)


def _blocks(data: bytes) -> list[list[MacCommand]]:
    """Requests; LinkADRReq that follow each other are one."""
    found: list[list[MacCommand]] = []
    for command in decode(data, uplink=False)[0]:
        if found and found[-1][0].name == command.name == "LinkADRReq":
            found[-1].append(command)
        else:
            found.append([command])
    return found


def _together(commands: Iterable[MacCommand]) -> list[list[MacCommand]]:
    """Answers to requests; LinkADRAns that follow each other are one: as many as there were LinkADRReq, or a single."""
    found: list[list[MacCommand]] = []
    for command in commands:
        if command.name not in ANSWERS:
            continue
        if found and found[-1][0].name == command.name == "LinkADRAns":
            found[-1].append(command)
        else:
            found.append([command])
    return found


def _hex(block: list[MacCommand]) -> str:
    return b"".join(encode(c.name, **c.values) for c in block).hex()
