"""Frames as lines on a terminal, and a table of gateways."""

import time
from collections.abc import Iterable
from typing import Final

import msgspec

from torhaus.codecs.model import Fields
from torhaus.daemon.cli.show import plain, table
from torhaus.daemon.lora.seen import Heard, Seen

_RESET: Final = "\x1b[0m"
_COLOURS: Final = {
    "decoded": "\x1b[32m",  # green
    "sent": "\x1b[36m",  # cyan
    "not sent": "\x1b[31m",  # red
    "refused": "\x1b[33m",  # yellow
}
_FAINT: Final = "\x1b[2m"
_MAX_FIELDS: Final = 6
_SHORT: Final = {
    "UnconfirmedDataUp": "data up",
    "UnconfirmedDataDown": "data down",
    "ConfirmedDataUp": "confirmed up",
    "ConfirmedDataDown": "confirmed down",
    "JoinRequest": "join-request",
    "JoinAccept": "join-accept",
    "RejoinRequest": "rejoin-request",
    "Proprietary": "proprietary",
}


def line(s: Seen, *, colour: bool = False) -> str:
    """One frame: when, where and how it was heard, what it is, whose, and what came of it."""
    clock = time.strftime("%H:%M:%S", time.localtime(s.at_ns // 10**9)) + f".{s.at_ns // 10**8 % 10}"
    up = s.direction == "up"
    text = "  ".join(
        (
            f"{clock} {'up  ' if up else 'down'}",
            f"{s.freq_hz / 1e6:7.3f} {s.datarate:9}",
            _signal(s) if up else f"{_figure(s.power_dbm, 'dBm'):>7}         ",
            f"{_gateways(s):16}",
            f"{_SHORT.get(s.mtype or '', '?'):14}",
            f"{_who(s):24}",
            f"{_counter(s):17}",
            f"{s.size_bytes:3} B",
            _outcome(s),
        )
    )
    text = plain(text.rstrip())
    if not colour:
        return text
    start = _FAINT if s.stranger else _COLOURS.get(s.state, "")
    return f"{start}{text}{_RESET}" if start else text


def _signal(s: Seen) -> str:
    best = _best(s.rx)
    return f"{_figure(best.rssi_dbm if best else None, 'dBm'):>8} {_figure(best.snr_db if best else None, 'dB'):>7}"


def _best(rx: list[Heard]) -> Heard | None:
    return max(rx, key=lambda r: -1e9 if r.rssi_dbm is None else r.rssi_dbm, default=None)


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g} {unit}"


def _gateways(s: Seen) -> str:
    if s.direction == "down":
        return s.gateway or ""
    best = _best(s.rx)
    return "" if best is None else best.gateway + (f" +{len(s.rx) - 1}" if len(s.rx) > 1 else "")


def _who(s: Seen) -> str:
    if s.device is not None:
        return s.device if s.dev_addr is None else f"{s.device} ({s.dev_addr})"
    return s.dev_addr or s.dev_eui or ""


def _counter(s: Seen) -> str:
    parts = ([f"FCnt {s.fcnt}"] if s.fcnt is not None else []) + ([f"FPort {s.fport}"] if s.fport is not None else [])
    return " ".join(parts)


def _outcome(s: Seen) -> str:
    flags = "".join(f" {name}" for name, is_set in (("ADR", s.adr), ("ACK", s.ack)) if is_set)
    match s.state:
        case "decoded":
            said = _fields(s.fields or {})
        case "refused":
            said = f"{s.reason}: {s.detail}" if s.detail else s.reason or "refused"
        case "pending":
            said = "waits for its script"
        case "sent" | "not sent":
            why = f": {s.detail}" if s.detail else ""
            said = f"{s.state} ({', '.join(s.statuses)}) {s.timing or ''}{why}"
        case "kept":
            said = _kept(s)
    return said + flags


def _kept(s: Seen) -> str:
    """Why there is nothing to be read in it."""
    if s.mtype in {"JoinRequest", "RejoinRequest"}:
        return "is answered, or passed on"
    return "MAC commands only" if not s.fport else "no codec"


def _fields(fields: Fields) -> str:
    shown = [f"{name} {v.value}{' ' + v.unit if v.unit else ''}" for name, v in list(fields.items())[:_MAX_FIELDS]]
    return ", ".join(shown) + (f", and {len(fields) - _MAX_FIELDS} more" if len(fields) > _MAX_FIELDS else "")


class GatewayTally(msgspec.Struct):
    """What one gateway heard and sent."""

    frames: int = 0
    strangers: int = 0
    refused: int = 0
    downlinks: int = 0
    airtime_us: int = 0
    rssi_sum: float = 0.0
    snr_sum: float = 0.0
    signals: int = 0
    snrs: int = 0
    devices: set[str] = set()


class Gateways:
    """Frames by gateway, since the command began."""

    def __init__(self) -> None:
        self._by: dict[str, GatewayTally] = {}

    def add(self, s: Seen) -> None:
        """One frame; one whose script has answered is counted once, when it has."""
        if s.state == "pending":
            return
        if s.direction == "down":
            one = self._of(s.gateway)
            one.downlinks += s.state == "sent"
            one.airtime_us += (s.airtime_us or 0) if s.state == "sent" else 0
            return
        for r in s.rx:
            one = self._of(r.gateway)
            one.frames += 1
            one.strangers += s.stranger
            one.refused += s.state == "refused"
            if r.rssi_dbm is not None:
                one.rssi_sum, one.signals = one.rssi_sum + r.rssi_dbm, one.signals + 1
            if r.snr_db is not None:
                one.snr_sum, one.snrs = one.snr_sum + r.snr_db, one.snrs + 1
            if s.device is not None:
                one.devices.add(s.device)

    def _of(self, gateway: str | None) -> GatewayTally:
        return self._by.setdefault(gateway or "?", GatewayTally())

    def text(self) -> str:
        """A table; a sentence when there is nothing."""
        if not self._by:
            return "no frames yet"
        head = ("GATEWAY", "UP", "DEVICES", "STRANGERS", "REFUSED", "RSSI", "SNR", "DOWN", "SENT FOR")
        return table(head, list(self._rows()))

    def _rows(self) -> Iterable[tuple[object, ...]]:
        for name, g in sorted(self._by.items(), key=lambda pair: -pair[1].frames):
            rssi = f"{g.rssi_sum / g.signals:.0f} dBm" if g.signals else ""
            snr = f"{g.snr_sum / g.snrs:.1f} dB" if g.snrs else ""
            sent = f"{g.airtime_us / 1e6:.1f} s"
            yield name, g.frames, len(g.devices), g.strangers, g.refused, rssi, snr, g.downlinks, sent
