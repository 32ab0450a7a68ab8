"""A frame as people look at it: one line of `torhaus lora watch`, one row of the page.

Made from a record of the log or from a downlink when somebody looks, never before: nothing of this is on the way of
records. Nothing in it is authenticated but what has a device.
"""

from contextlib import suppress
from typing import Literal

import msgspec

from torhaus.codecs.lorawan.airtime import airtime_us
from torhaus.codecs.lorawan.downlink import After, AtGpsTime, Downlink, Immediately, TxAnswer, TxItem, TxStatus
from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64
from torhaus.codecs.lorawan.phy import MTYPE_NAMES, DataFrame, JoinRequest, MType, RejoinRequest, parse
from torhaus.codecs.model import DecodeError, Fields
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.store import STRANGERS

State = Literal["decoded", "pending", "kept", "refused", "sent", "not sent"]
"""Of an uplink: a reading came of it; its script has not answered yet; it has none (MAC commands only, or no codec);
`reason` says why not. Of a downlink: whether the gateway sent one of its items."""


class Heard(msgspec.Struct, omit_defaults=True, gc=False):
    """How one gateway heard it."""

    gateway: str
    rssi_dbm: float | None = None
    snr_db: float | None = None
    channel: int | None = None


class Seen(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """One frame. `at_ns` is the wall clock when it came or was sent; `fcnt` has 32 bits where the MIC has proved it."""

    at_ns: int
    direction: Literal["up", "down"]
    state: State
    driver: str = ""
    id: str | None = None
    stranger: bool = False
    gateway: str | None = None  # of a downlink
    rx: list[Heard] = []
    freq_hz: int
    modulation: str
    datarate: str
    coderate: str | None = None
    dr: int | None = None
    airtime_us: int | None = None
    mtype: str | None = None
    dev_addr: str | None = None
    dev_eui: str | None = None
    join_eui: str | None = None
    device: str | None = None
    fcnt: int | None = None
    fport: int | None = None
    adr: bool = False
    ack: bool = False
    fopts_bytes: int = 0
    size_bytes: int = 0
    reason: str | None = None
    detail: str | None = None
    codec: str | None = None
    fields: Fields | None = None
    statuses: list[str] = []  # of a downlink's items, in order
    timing: str | None = None
    power_dbm: float | None = None
    phy: str = ""  # hex: what `torhaus lora decode` takes


def is_frame(log: str, record: Record) -> bool:
    """Whether this is a LoRaWAN frame, and not the copy that the strangers' log has of one whose decoding failed."""
    return record.lora is not None and not (log == STRANGERS and record.codec is not None)


def seen_record(log: str, stored: Stored, site: str) -> Seen:
    """The frame of a record for which `is_frame` holds."""
    record, lora = stored.record, stored.record.lora
    assert lora is not None
    data = record.raw or b""
    seen = Seen(
        at_ns=stored.at.wall_ns,
        direction="up",
        state=_state(record),
        driver=record.driver,
        id=f"{site}/{stored.store}/{stored.seq}",
        stranger=log == STRANGERS,
        rx=[Heard(r.gateway, r.rssi_dbm, r.snr_db, r.channel) for r in lora.rx],
        freq_hz=lora.freq_hz,
        modulation=lora.modulation,
        datarate=lora.datarate,
        coderate=lora.coderate,
        dr=lora.dr,
        dev_eui=record.dev_eui,
        device=record.device,
        reason=record.reason,
        detail=record.detail,
        codec=record.codec,
        fields=record.fields,
    )
    _look_inside(seen, data, uplink=True)
    if lora.fcnt is not None:
        seen.fcnt = lora.fcnt
    return seen


def seen_downlink(at_ns: int, driver: str | None, downlink: Downlink, answers: tuple[TxAnswer, ...]) -> Seen | None:
    """A downlink by the item that was sent, else by its first; None when it has none."""
    if not downlink.items:
        return None
    sent = next((i for i, a in enumerate(answers) if a.status is TxStatus.OK), None)
    item = downlink.items[sent or 0]
    answer = answers[sent or 0] if answers else None
    seen = Seen(
        at_ns=at_ns,
        direction="down",
        state="not sent" if sent is None else "sent",
        driver=driver or "",
        gateway=downlink.gateway,
        freq_hz=item.freq_hz,
        modulation=item.modulation,
        datarate=item.datarate,
        coderate=item.coderate,
        dev_eui=downlink.dev_eui,
        detail=(answer.warning or answer.detail) if answer is not None else None,
        statuses=[a.status.value for a in answers],
        timing=_timing(item),
        power_dbm=answer.power_dbm if answer is not None and answer.power_dbm is not None else item.power_dbm,
    )
    _look_inside(seen, item.data, uplink=False)
    return seen


def _state(record: Record) -> State:
    if record.reason is not None:
        return "refused"
    if record.pending:
        return "pending"
    return "decoded" if record.fields is not None else "kept"


def _timing(item: TxItem) -> str:
    match item.at:
        case Immediately():
            return "immediately"
        case After(delay_us=delay_us):
            return f"{delay_us / 1e6:g} s after its uplink"
        case AtGpsTime(gps_us=gps_us):
            return f"at GPS {gps_us / 1e6:.3f} s"


def _look_inside(seen: Seen, data: bytes, *, uplink: bool) -> None:
    """What the bytes say without any key."""
    seen.size_bytes, seen.phy = len(data), data.hex()
    with suppress(DecodeError):  # a modulation that LoRaWAN has not
        seen.airtime_us = airtime_us(seen.modulation, seen.datarate, len(data), seen.coderate, uplink=uplink)
    try:
        phy = parse(data)
    except DecodeError:
        return  # an uplink's record has the reason
    seen.mtype = MTYPE_NAMES[MType(data[0] >> 5)]
    if isinstance(phy, DataFrame):
        seen.dev_addr, seen.fcnt, seen.fport = format_dev_addr(phy.dev_addr), phy.fcnt16, phy.fport
        seen.adr, seen.ack, seen.fopts_bytes = phy.adr, phy.ack, len(phy.fopts)
    elif isinstance(phy, JoinRequest | RejoinRequest):
        seen.dev_eui = format_eui64(phy.dev_eui)
        seen.join_eui = None if phy.join_eui is None else format_eui64(phy.join_eui)
