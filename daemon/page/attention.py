"""What a person should look at: what is wrong with the box, and what waits beyond it, each with what to do about it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from torhaus.daemon.causes import DAY_NS, Cause
from torhaus.daemon.lora.join_book import FINE, Attempt
from torhaus.daemon.page.html import Html, el, joined
from torhaus.daemon.page.parts import Level, chip, command, link, place
from torhaus.daemon.page.view import Ask
from torhaus.daemon.status import Status

MORE: Final = (
    "clock_unsynced", "forwarder_down", "dead_letters", "dropped", "set_aside", "defects", "joins_refused",
)  # fmt: skip
"""Kinds beside those of daemon/causes.py: they are no fault of the box, but somebody's matter."""
_BAD: Final = frozenset(
    {"outbox_failing", "writer_silent", "segment_damaged", "log_filling", "dropped", "defects", "release_withdrawn"}
)
_WHERE: Final = {
    "outbox_failing": "/forwarders", "writer_silent": "/forwarders", "disk_low": "/forwarders",
    "log_filling": "/forwarders", "second_copy": "/forwarders", "segment_damaged": "/forwarders",
    "driver_down": "/gateways",
    "gateway_silent": "/gateways", "bus_silent": "/gateways", "overdue": "/devices?show=overdue",
    "undecoded": "/devices", "forwarder_down": "/forwarders", "dead_letters": "/dead-letters", "dropped": "/forwarders",
    "set_aside": "/forwarders", "joins_refused": "/strangers", "session_keys": "/devices",
    "station_down": "/scans", "station_stalled": "/scans", "target_down": "/scans", "scans_held": "/scans?state=held",
    "scans_quarantined": "/scans?state=quarantined", "unstamped": "/scans",
    "release_withdrawn": "/release",
    "station_gone": "/scans?state=spooled", "target_gone": "/scans?state=sealed",
}  # fmt: skip


class Item(NamedTuple):
    """One thing. `path`: where on this page it is to be seen; "" where nowhere."""

    kind: str
    level: Level
    title: str
    advice: Html
    path: str


def items(ask: Ask, status: Status) -> list[Item]:
    """All of it, the worst first."""
    found = [_item(ask, cause) for cause in (*ask.site.survey.causes(), *_more(ask, status))]
    return sorted(found, key=lambda item: item.level != "bad")


def shown(ask: Ask, found: list[Item]) -> Html:
    """The verdict in one line, and the list."""
    t = ask.t
    if not found:
        return el("p", {"class": "verdict good"}, chip("good", t("overview.fine")))
    level: Level = "bad" if any(i.level == "bad" for i in found) else "warn"
    lines = [el("li", {"class": i.level}, chip(i.level, i.title), el("p", i.advice, *_there(ask, i))) for i in found]
    verdict = el("p", {"class": f"verdict {level}"}, chip(level, t.count("overview.verdict", len(found))))
    return joined(verdict, el("ul", {"class": "problems"}, lines))


def rich(text: str) -> Html:
    """A text of the catalogue in which `commands` stand between backticks."""
    return joined(*(command(part) if i % 2 else part for i, part in enumerate(text.split("`"))))


def refused_joins(ask: Ask) -> list[Attempt]:
    """Of our own devices those whose last try within a day was refused, the newest first."""
    last: dict[str, Attempt] = {}
    for attempt in ask.site.joining.book.attempts():
        if attempt.device is not None:
            last[attempt.device] = attempt
    now = ask.now.wall_ns
    odd = [a for a in last.values() if a.result not in FINE and now - a.at_ns < DAY_NS]
    return sorted(odd, key=lambda a: -a.at_ns)


def _there(ask: Ask, item: Item) -> Iterator[Html | str]:
    if item.path:
        yield " "
        yield link(item.path, ask.t("overview.look"))


def _item(ask: Ask, cause: Cause) -> Item:
    t, level = ask.t, "bad" if cause.kind in _BAD else "warn"
    path = _WHERE.get(cause.kind, "")
    if cause.kind == "gateway_silent":
        path = place("gateways", cause.about)
    if not t.has(f"cause.{cause.kind}"):  # somebody added a kind that the catalogues do not know yet
        return Item(cause.kind, "warn", cause.text, rich(t("advice.unknown")), path)
    detail = t.said(ask.site.watch.how(cause.about)) if cause.kind == "driver_down" else cause.detail
    title = t(f"cause.{cause.kind}", about=cause.about, detail=detail, **cause.values)
    return Item(cause.kind, "bad" if level == "bad" else "warn", title, rich(t(f"advice.{cause.kind}")), path)


def _more(ask: Ask, status: Status) -> Iterator[Cause]:
    t, now, watch = ask.t, ask.now.wall_ns, ask.site.watch
    if not status.clock_synced:
        yield Cause("clock_unsynced", "clock")
    for name, f in status.forwarders.items():
        if not f.up and f.type != "file":
            detail = f"{f.detail} ({t.ago(f.since_ns, now)})" if f.detail else t.ago(f.since_ns, now)
            yield Cause("forwarder_down", name, name, detail, {"n": f.backlog})
        if f.dead_letters:
            yield Cause("dead_letters", name, name, values={"n": f.dead_letters})
    for key, n in sorted(status.dropped.items()):
        name, _, reason = key.rpartition("/")
        yield Cause("dropped", key, name or "–", t.word("reason", reason), {"n": n})
    for path in status.set_aside_files:
        yield Cause("set_aside", path, path)
    for name, n in sorted(watch.defects.items()):
        yield Cause("defects", name, name, values={"n": n})
    refused = refused_joins(ask)
    if refused:
        names = ", ".join(str(a.device) for a in refused[:8])
        yield Cause("joins_refused", names, names, values={"n": len(refused)})
