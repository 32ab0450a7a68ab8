"""The first page: whether all is well, what is not and what to do about it, and the parts at a glance."""

from torhaus.daemon.page import attention
from torhaus.daemon.page.html import NOTHING, Child, Html, el, joined
from torhaus.daemon.page.parts import bar, chip, facts, link, moment, place, table
from torhaus.daemon.page.view import QUICK_S, Ask, Shown, View
from torhaus.daemon.status import ForwarderStatus, Status


async def show(ask: Ask) -> Shown:
    """The whole of it."""
    status = ask.site.survey.status()
    tiles = [_gateways(ask, status), _devices(ask, status), _disk(ask, status), _clock(ask, status)]
    if ask.site.has_scans:
        tiles.append(_scans(ask, status))
    body = joined(
        attention.shown(ask, attention.items(ask, status)),
        el("div", {"class": "tiles"}, tiles),
        _forwarders(ask, status),
    )
    return Shown(ask.t("overview.title"), body, QUICK_S)


def _tile(title: Html, big: str, *pairs: tuple[str, Child]) -> Html:
    return el("section", {"class": "tile"}, el("h2", title), el("p", {"class": "big"}, big), facts(pairs))


def _gateways(ask: Ask, status: Status) -> Html:
    t = ask.t
    ours = [g for g in status.gateways.values() if g.known]
    online = sum(g.online for g in ours)
    strange = len(status.gateways) - len(ours)
    silent = len(ask.site.watch.gateways.silent())
    return _tile(
        link("/gateways", t("gateways.menu")),
        t("overview.of", n=online, all=len(ours)),
        (t("state.silent"), chip("warn", t.number(silent)) if silent else None),
        (t("gateways.uplinks"), t.number(sum(g.counts.uplinks for g in ours))),
        (t("overview.strange_gateways"), t.number(strange) if strange else None),
    )


def _devices(ask: Ask, status: Status) -> Html:
    t, known = ask.t, ask.site.devices
    heard = sum(name in known for name in status.devices)
    late = len(ask.site.survey.late())
    newest = max(status.devices.values(), default=0)
    return _tile(
        link("/devices", t("devices.menu")),
        t("overview.of", n=heard, all=len(known)),
        (t("devices.overdue"), chip("warn", t.number(late)) if late else None),
        (t("overview.newest"), t.ago(newest, status.now_ns)),
        (t("overview.waiting_downlinks"), t.number(n) if (n := status.downlinks.get("waiting", 0)) else None),
    )


def _disk(ask: Ask, status: Status) -> Html:
    t, main = ask.t, status.logs["main"]
    return _tile(
        link("/forwarders", t("overview.disk")),
        t.size(main.bytes),
        (t("overview.limit"), t.size(main.capacity_bytes)),
        (t("overview.used"), bar(t, main.bytes / main.capacity_bytes) if main.capacity_bytes else None),
        (t("overview.records"), t.number(main.records)),
        (t("overview.full_in"), t.span(main.full_in_s) if main.full_in_s is not None else t("overview.not_filling")),
        (t("overview.per_day"), t.size(status.written_per_day_bytes) if status.written_per_day_bytes else None),
    )


def _clock(ask: Ask, status: Status) -> Html:
    t = ask.t
    synced = status.clock_synced
    up_s = (status.now_ns - status.started_ns) / 1e9
    return _tile(
        el("span", t("overview.clock")),
        t.at(status.now_ns, status.now_ns),
        (t("overview.sync"), chip("good", t("overview.synced")) if synced else chip("warn", t("overview.unsynced"))),
        (t("overview.up_since"), joined(moment(t, status.started_ns, status.now_ns), f" ({t.span(up_s)})")),
        (t("overview.site"), ask.site.loaded.site.place or ask.site.loaded.site.id),
    )


def _scans(ask: Ask, status: Status) -> Html:
    t = ask.t
    sums: dict[str, int] = {}
    for where, states in status.scans.items():
        if where.startswith("station "):
            for state, n in states.items():
                sums[state] = sums.get(state, 0) + n
    under_way = sum(sums.get(s, 0) for s in ("spooled", "sealed", "delivering", "transferred"))
    done = sum(sums.get(s, 0) for s in ("verified", "filed", "released", "purged"))
    waiting = [(s, sums[s]) for s in ("held", "quarantined") if sums.get(s)]
    pairs: list[tuple[str, Child]] = [(t("scans.under_way"), t.number(under_way))]
    pairs += [(t.word("scan_state", s), link("/scans", chip("warn", t.number(n)), state=s)) for s, n in waiting]
    to_look_at = sum((ask.site.survey.scan_watch.to_look_at or {}).values()) if ask.site.survey.scan_watch else 0
    if to_look_at:
        pairs.append((t("release.to_look_at_here"), link("/release", chip("warn", t.number(to_look_at)))))
    return _tile(link("/scans", t("scans.menu")), t("overview.delivered", n=done), *pairs)


def _forwarders(ask: Ask, status: Status) -> Html:
    t, now = ask.t, status.now_ns
    head = [t(f"forwarders.{k}") for k in ("name", "state", "live", "backlog", "oldest", "drain", "rate", "last")]
    rows = [forwarder_row(ask, name, f, now) for name, f in sorted(status.forwarders.items())]
    return el(
        "section",
        el("h2", link("/forwarders", t("forwarders.menu"))),
        table(head, rows, numbers=(3, 4, 5, 6), empty=t("forwarders.none")),
    )


def forwarder_row(ask: Ask, name: str, f: ForwarderStatus, now: int) -> list[Child]:
    """One line: how the far side is, what waits, and how long that will take."""
    t = ask.t
    state = chip("good", t("state.up")) if f.up else chip("warn", t("state.away"))
    dead = link("/dead-letters", chip("warn", t.count("forwarders.dead", f.dead_letters)), forwarder=name)
    drain: Child = "–" if not f.backlog else t("forwarders.not_shrinking")
    if f.backlog and f.drained_in_s is not None:
        drain = t.span(f.drained_in_s)
    return [
        joined(el("b", el("a", {"href": f"{place('forwarders', name)}"}, name)), el("small", f" {f.type}")),
        joined(state, dead if f.dead_letters else NOTHING, between=" "),
        chip("good", t("forwarders.current"))
        if f.up and f.backlog < 1000
        else chip("note", t("forwarders.catching_up"))
        if f.up
        else chip("off", t("forwarders.keeping")),
        t.number(f.backlog),
        t.ago(f.oldest_ns, now) if f.oldest_ns else "–",
        drain,
        f"{t.number(f.accepted_per_s, 1)}/s" if f.accepted_per_s is not None else "–",
        t.ago(f.last_success_ns, now),
    ]


VIEW = View("", show)
