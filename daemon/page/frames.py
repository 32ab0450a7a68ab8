"""LoRaWAN frames as rows of a table, the last ones and those that come."""

from collections.abc import Callable, Iterable

from torhaus.codecs.lorawan.eui import format_eui64, parse_eui64
from torhaus.codecs.model import DecodeError
from torhaus.daemon.lora.frame_log import Viewer
from torhaus.daemon.lora.seen import Heard, Seen
from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.parts import Level, chip, link, moment, place, table, values
from torhaus.daemon.page.view import Ask, Unable

MAX_NAME = 64
_FIELDS = 3
_LEVELS: dict[str, Level] = {
    "decoded": "good", "sent": "good", "pending": "note", "kept": "off", "refused": "warn", "not sent": "bad",
}  # fmt: skip
HEAD = ("at", "way", "gateway", "signal", "rate", "kind", "who", "fcnt", "fport", "outcome")


def filters(ask: Ask) -> tuple[str | None, str | None]:
    """The gateway and the device that are asked for. Raises Unable for what is no EUI."""
    device = ask.query.get("device", "").strip()[:MAX_NAME] or None
    text = ask.query.get("gateway", "").strip()
    if not text:
        return None, device
    try:
        return format_eui64(parse_eui64(text[:MAX_NAME])), device
    except DecodeError:
        raise Unable(ask.t("frames.bad_gateway")) from None


def enter(ask: Ask, gateway: str | None, device: str | None) -> Viewer | None:
    """A new viewer, who must leave; None when there are too many."""
    return ask.site.frames.enter(gateway, device)


async def last(ask: Ask, gateway: str | None, device: str | None, count: int) -> list[Seen]:
    """The last frames, the newest first. Raises sqlite3.Error when they cannot be read now, Unable."""
    log = ask.site.frames
    viewer = enter(ask, gateway, device)
    if viewer is None:
        raise Unable(ask.t("frames.too_many"))
    try:
        return (await log.history(viewer, count))[::-1]
    finally:
        log.leave(viewer)


def table_of(ask: Ask, seen: Iterable[Seen]) -> Html:
    """The table."""
    head = [ask.t(f"frames.{key}") for key in HEAD]
    return table(head, [cells(ask, s) for s in seen], numbers=(7, 8), empty=ask.t("frames.none"))


def row(ask: Ask, s: Seen) -> Html:
    """One row by itself, for those who watch."""
    return el("tr", [el("td", {"class": "n"} if i in {7, 8} else {}, c) for i, c in enumerate(cells(ask, s))])


def cells(ask: Ask, s: Seen) -> list[Child]:
    """When, where and how it was heard, what it is, whose, and what came of it."""
    t, up = ask.t, s.direction == "up"
    best = max(s.rx, key=lambda r: -1e9 if r.rssi_dbm is None else r.rssi_dbm, default=None)
    gateway = (best.gateway if best is not None else "") if up else s.gateway or ""
    more = el("small", f" +{len(s.rx) - 1}") if len(s.rx) > 1 else None
    return [
        moment(t, s.at_ns, ask.now.wall_ns),
        el("span", {"title": t(f"frames.{s.direction}")}, "↑" if up else "↓"),
        joined(el("a", {"href": place("gateways", gateway), "class": "mono"}, gateway), more) if gateway else "–",
        el("span", {"class": "nowrap"}, _signal(t.number, best))
        if up
        else "–"
        if s.power_dbm is None
        else f"{t.number(s.power_dbm, 1)} dBm",
        joined(s.datarate, el("small", f" {t.number(s.freq_hz / 1e6, 3)} MHz")),
        link("/decode", t.word("mtype", s.mtype or "unknown"), kind="frame", data=s.phy),
        _who(s),
        "" if s.fcnt is None else s.fcnt,
        "" if s.fport is None else s.fport,
        joined(*_outcome(ask, s), between=" "),
    ]


def _signal(number: Callable[..., str], best: Heard | None) -> str:
    if best is None:
        return "–"
    rssi = "–" if best.rssi_dbm is None else f"{number(best.rssi_dbm, 0)} dBm"
    return rssi if best.snr_db is None else f"{rssi} / {number(best.snr_db, 1)} dB"


def _who(s: Seen) -> Child:
    if s.device is not None:
        return el("a", {"href": place("devices", s.device)}, s.device)
    return el("span", {"class": "mono faint"}, s.dev_addr or s.dev_eui or "–")


def _outcome(ask: Ask, s: Seen) -> Iterable[Child]:
    t = ask.t
    yield chip("off" if s.stranger else _LEVELS[s.state], t.word("frame_state", s.state))
    if s.reason is not None:
        yield el("span", {"title": s.detail or None}, t.word("reason", s.reason))
    elif s.direction == "down" and s.state == "not sent":
        yield ", ".join(t.word("tx", status) for status in s.statuses)
    if s.fields:
        yield values(t, s.fields, _FIELDS)
