"""A stored record as the message that leaves: id, times and lane put in. Pure."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from torhaus.daemon.forward.message import Clock, Kind, Message
from torhaus.daemon.outbox.record import Stored

_NS: Final = 1_000_000_000
_DAY: Final = 86_400
_SYNCED: Final[Clock] = "synced"


def render(stored: Stored, site: str, boots: dict[str, int], *, kind: Kind, late: bool) -> Message:
    """The message of one record as `kind` (`frame` leaves the fields out).

    `boots` has, by boot id, wall clock minus boot time of boots in which the clock came to be synchronised: a record
    stamped before that is corrected by it, and says so; one that cannot be corrected says `unsynced`.
    """
    text, clock = _time_of(stored, boots)
    return _message(stored, site, text, clock, kind, late)


def _time_of(stored: Stored, boots: dict[str, int]) -> tuple[str, Clock]:
    at = stored.at
    if at.synced:
        return rfc3339(at.wall_ns), _SYNCED
    offset = boots.get(stored.boot)
    return (rfc3339(at.wall_ns), "unsynced") if offset is None else (rfc3339(at.boot_ns + offset), "corrected")


def _message(stored: Stored, site: str, text: str, clock: Clock, kind: Kind, late: bool) -> Message:
    r = stored.record
    reading = kind == "reading"
    return Message(
        f"{site}/{stored.store}/{stored.seq}",
        kind,
        site,
        text,
        clock,
        late,
        r.device,
        r.dev_eui,
        r.driver,
        r.codec,
        r.fields if reading else None,
        None if reading else r.reason,
        None if reading else r.detail,
        r.lora,
        r.event,
        r.raw,
        r.alarm,
    )


def render_all(
    batch: list[Stored], site: str, boots: dict[str, int], kind_of: Callable[[Stored], Kind | None], *, late: bool
) -> list[Message]:
    """The messages of a batch: as `render` one by one, but those that came together share their time.

    What `kind_of` has no kind for any more goes as a frame.
    """
    out = []
    at, boot, text, clock = None, "", "", _SYNCED
    for stored in batch:
        if stored.at is not at or stored.boot != boot:
            at, boot = stored.at, stored.boot
            text, clock = _time_of(stored, boots)
        out.append(_message(stored, site, text, clock, kind_of(stored) or "frame", late))
    return out


def rfc3339(wall_ns: int) -> str:
    """UTC with milliseconds: `2026-11-23T09:53:25.400Z`. Years 1970 to 9999."""
    ms = max(wall_ns, 0) // 1_000_000
    second, ms = divmod(ms, 1000)
    return f"{_second(second)}.{ms:03d}Z"


@lru_cache(maxsize=8)
def _second(second: int) -> str:
    """Records of one second share the date: the civil calendar from days since 1970 (proleptic Gregorian)."""
    days, rest = divmod(second, _DAY)
    z = days + 719_468  # days since 0000-03-01
    era, doe = divmod(z, 146_097)
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    day = doy - (153 * mp + 2) // 5 + 1
    month = mp + 3 if mp < 10 else mp - 9
    year = yoe + era * 400 + (month <= 2)
    return f"{year:04d}-{month:02d}-{day:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
