"""What state.db keeps of joins: enough to derive every session anew from the device's root keys, and no key.

LoRaWAN 1.0.3 section 6.2.5 and 1.1 section 6.2.5 say what a session's keys are made of. Synchronous; used on the writer
thread only.
"""

import sqlite3
import zlib
from collections.abc import Mapping
from typing import Final

import msgspec

from torhaus.daemon.outbox.mac_state import Mac

MAX_FACTS: Final = 1 << 20
SKIP: Final = 8192


class Joined(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One session. `number` counts the device's joins from 1 and is never used twice.

    `dev_nonce` and `join_eui` are of the request, all else of the join-accept; `cf_list` is in hex. `opt_neg`: the
    keys are those of 1.1. `is_proved`: an uplink came under it, so that the device has it and no older one. `is_ours`:
    torhaus itself accepted it; then downlink counters from `fcnt_down_to` on have not been used, and of 1.1 with an
    application's payload those from `afcnt_down_to` on. `conf_fcnt`: of the last confirmed downlink. `rj_count0`: the
    last RJcount0. `mac`: what the device has confirmed. A personalised session has the number 0, and no more than this.
    """

    number: int
    dev_addr: int
    join_eui: int
    dev_nonce: int
    join_nonce: int
    net_id: int
    opt_neg: bool = False
    cf_list: str = ""
    at_ns: int = 0
    is_proved: bool = False
    is_ours: bool = False
    fcnt_down_to: int = 0
    afcnt_down_to: int = 0
    conf_fcnt: int = 0
    rj_count0: int = -1
    mac: Mac = Mac()


class DeviceJoins(msgspec.Struct, frozen=True, omit_defaults=True):
    """All of one device: its sessions, oldest first, and the number that was given out last.

    `join_nonce` and `dev_nonces` were used with torhaus itself; of a device whose DevNonces rise the last one only.
    `rj_count1`: the last RJcount1, which counts for a device's life.
    """

    last_number: int = 0
    sessions: tuple[Joined, ...] = ()
    join_nonce: int = 0
    dev_nonces: tuple[int, ...] = ()
    rj_count1: int = -1


_decode: Final = msgspec.json.Decoder(DeviceJoins).decode


def session_key(dev_eui: str, number: int) -> str:
    """What the counter of such a session is kept under; that of a personalised session is under the bare DevEUI."""
    return f"{dev_eui}/{number}"


def save(conn: sqlite3.Connection, joins: Mapping[str, DeviceJoins]) -> None:
    """Write these devices, within the caller's transaction. Counters of sessions that are over go."""
    for dev_eui, device in joins.items():
        conn.execute("INSERT OR REPLACE INTO device_joins VALUES (?, ?, ?)", row(dev_eui, device))
        keys = msgspec.json.encode([session_key(dev_eui, s.number) for s in device.sessions]).decode()
        conn.execute(
            "DELETE FROM session WHERE dev_eui GLOB ? AND dev_eui NOT IN (SELECT value FROM json_each(?))",
            (session_key(dev_eui, 0)[:-1] + "*", keys),
        )


def load(conn: sqlite3.Connection) -> tuple[dict[str, DeviceJoins], list[str]]:
    """By DevEUI; and the DevEUIs of which the facts were changed on disk: such a device has to join again."""
    found: dict[str, DeviceJoins] = {}
    damaged: list[str] = []
    for dev_eui, text, crc in conn.execute("SELECT dev_eui, facts, crc FROM device_joins"):
        device = checked(dev_eui, text, crc)
        if device is None:
            damaged.append(dev_eui)
        else:
            found[dev_eui] = device
    return found, damaged


def skip_ahead(conn: sqlite3.Connection) -> None:
    """This is an older state than there has been: go on with downlink counters that cannot have been used since.

    Within the caller's transaction. A device takes a gap of less than 16,384 (LoRaWAN 1.0.3, MAX_FCNT_GAP).
    """
    replace = msgspec.structs.replace
    found = load(conn)[0]
    for dev_eui, device in found.items():
        if any(s.is_ours for s in device.sessions):
            sessions = (_skipped(s) if s.is_ours else s for s in device.sessions)
            save(conn, {dev_eui: replace(device, sessions=tuple(sessions))})


def _skipped(joined: Joined) -> Joined:
    n, a = joined.fcnt_down_to + SKIP, joined.afcnt_down_to + SKIP * joined.opt_neg
    return msgspec.structs.replace(joined, fcnt_down_to=n, afcnt_down_to=a)


def checked(dev_eui: str, text: str, crc: int) -> DeviceJoins | None:
    """The facts as they were written; None when they were changed on disk."""
    if len(text) > MAX_FACTS or _crc(dev_eui, text) != crc:
        return None
    try:
        return _decode(text)
    except msgspec.DecodeError:
        return None


def row(dev_eui: str, device: DeviceJoins) -> tuple[str, str, int]:
    """A row of the table."""
    text = msgspec.json.encode(device).decode()
    return dev_eui, text, _crc(dev_eui, text)


def _crc(dev_eui: str, text: str) -> int:
    return zlib.crc32(f"{dev_eui}/{text}".encode())
