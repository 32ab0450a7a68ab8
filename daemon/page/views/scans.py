"""Scans for those who feed the scanner: whether what they scanned has arrived, and what waits for a person and why.

Names of documents are shown only to somebody who has signed in.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from torhaus.daemon.page import document, lot, scanners
from torhaus.daemon.page.document import DONE, WAITING, level
from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.language import Language
from torhaus.daemon.page.parts import chip, choice, facts, field, link, moment, section, since, table
from torhaus.daemon.page.users import Role, account_of
from torhaus.daemon.page.view import QUICK_S, Ask, Missing, Moved, Shown, Unable, View, moved
from torhaus.daemon.scans.check import CheckUnavailable
from torhaus.daemon.scans.counts import Arrived, BatchCount
from torhaus.daemon.scans.db import Scan
from torhaus.daemon.scans.evidence import Data, Entry
from torhaus.daemon.scans.names import display_name
from torhaus.daemon.scans.pages import shown
from torhaus.daemon.scans.queue import ScanQueue
from torhaus.daemon.scans.release.standing import LotStanding
from torhaus.daemon.scans.states import State

MOST: Final = 100
MOST_BATCHES: Final = 20
COMING_S: Final = 2
"""How often to look while a scanner gives its pages."""
_PATH: Final = document.PATH


async def show(ask: Ask) -> Shown:
    """The stations' day and the newest scans, or the story of one."""
    t, queue = ask.t, ask.site.scans()
    if not ask.site.has_scans:
        raise Missing(t("scans.none_here"))
    if queue is None:
        return Shown(t("scans.title"), el("p", {"class": "fault"}, t("scans.closed")), QUICK_S, 503)
    if "id" in ask.query:
        return await _one(ask, queue, ask.query["id"][:100])
    wanted = ask.query.get("state", "")
    states = (State(wanted),) if wanted in State.__members__.values() else tuple(State)
    found = await queue.list(states, limit=MOST)
    today = await queue.since(_midnight_ns(ask.now.wall_ns))
    batches = await queue.batches(MOST_BATCHES)
    names = list(dict.fromkeys(one.batch for one in batches))
    closed = await queue.release.standings(of=names) if ask.site.loaded.scan.release is not None else []
    parts = [
        _hint(ask), scanners.panel(ask, queue.pulls), _today(ask, today), _batches(ask, batches, closed),
        _places(ask, queue),
    ]  # fmt: skip
    body = joined(*parts, section(t("scans.documents"), _filter(ask, wanted), _list(ask, found)))
    return Shown(t("scans.title"), body, COMING_S if scanners.is_running(queue.pulls) else QUICK_S)


async def do(ask: Ask) -> Moved:
    """Start a scanner, let a held scan go on, have a quarantined one checked again, or delete either.

    Raises Missing, Unable.
    """
    queue = ask.site.scans()
    if queue is None:
        raise Missing
    if "station" in ask.form:
        return scanners.start(ask, queue.pulls, ask.form["station"][:64])
    id_ = ask.form.get("id", "")[:100]
    target = ask.form.get("target", "")[:64] or None
    try:
        assert ask.user is not None
        account = account_of(ask.user.name)
        if ask.form.get("what") == "discard":
            if not ask.may(Role.ADMIN):
                raise Unable(ask.t("fault.role", role=ask.t("role.admin")))
            scan = await queue.release.discard(id_, account, account)
        else:
            scan = await queue.retry(id_, target, account)
    except KeyError:
        raise Missing from None
    except ValueError as e:
        raise Unable(lot.refusal(ask, e)) from None
    except CheckUnavailable as e:
        raise Unable(f"{ask.t('scans.no_check')} {e}") from None
    return moved(_PATH, id=scan.id)


def _hint(ask: Ask) -> Html | None:
    return None if ask.user is not None else el("p", {"class": "hint"}, ask.t("scans.names_hidden"))


def _today(ask: Ask, arrived: list[Arrived]) -> Html:
    """For each station one sentence: that all of today's documents have arrived, or how many have not yet."""
    t = ask.t
    lines = []
    for station in sorted({s.name for s in ask.site.loaded.scan.station} | {row.station for row in arrived}):
        ours = [row for row in arrived if row.station == station]
        last = moment(t, max(row.newest_ns for row in ours), ask.now.wall_ns) if ours else ""
        state = _through(t, ours) if ours else chip("off", t("scans.nothing_today"))
        lines.append(el("li", joined(el("b", station), state, last, between=" ")))
    return section(t("scans.today"), el("ul", {"class": "plain"}, lines))


def _through(t: Language, rows: Sequence[Arrived | BatchCount]) -> Html:
    """Whether all of these have arrived, and how many wait for somebody."""
    all_ = sum(row.count for row in rows)
    done = sum(row.count for row in rows if row.state in DONE)
    waiting = sum(row.count for row in rows if row.state in WAITING)
    if done == all_:
        return chip("good", t.count("scans.all_through", done))
    state = chip("warn" if waiting else "note", t("scans.part_through", n=done, all=all_))
    return joined(state, " ", chip("warn", t.count("scans.waits", waiting))) if waiting else state


def _batches(ask: Ask, found: list[BatchCount], closed: list[LotStanding]) -> Html | None:
    """Each batch in one line: whether it is through, and how quality control stands once it is closed."""
    t = ask.t
    lots = {one.name: one for one in closed}
    batches: dict[tuple[str, str], list[BatchCount]] = {}
    for one in found:
        batches.setdefault((one.batch, one.station), []).append(one)
    if not batches:
        return None
    rows: list[list[Child]] = [
        [
            el("a", {"href": lot.path(batch)}, batch) if batch in lots else batch,
            station,
            joined(_through(t, parts), lot.state(ask, lots[batch]) if batch in lots else None, between=" "),
            since(t, max(p.newest_ns for p in parts), ask.now.wall_ns),
        ]
        for (batch, station), parts in batches.items()
    ]
    head = [t(f"scans.{k}") for k in ("batch", "station", "state", "arrived")]
    return section(t("scans.batches"), table(head, rows))


def _midnight_ns(now_ns: int) -> int:
    """When this day began on the box's own clock."""
    now = datetime.fromtimestamp(now_ns / 1e9, UTC).astimezone()
    return int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1e9)


def _places(ask: Ask, queue: ScanQueue) -> Html | None:
    """Stations that have told of themselves, and all targets."""
    t, watch = ask.t, ask.site.survey.scan_watch
    stations = sorted(watch.stations.items()) if watch is not None else []
    rows: list[list[Child]] = [
        [t("scans.station"), name, _reachable(t, is_up=place.up), "", place.detail] for name, place in stations
    ]
    for target in queue.standings():
        detail = target.detail
        if not target.is_up:
            detail = f"{detail} ({t('scans.again', span=t.span(target.retry_s))})"
        elif not target.in_hours:
            detail = t("scans.not_now")
        kind = joined(target.name, el("small", f" {target.type}"))
        rows.append([t("scans.target"), kind, _reachable(t, is_up=target.is_up), t.number(target.under_way), detail])
    head = [t("list.what"), t("scans.name"), t("scans.state"), t("scans.under_way"), ""]
    return section(t("scans.places"), table(head, rows, numbers=(3,))) if rows else None


def _reachable(t: Language, *, is_up: bool) -> Html:
    return chip("good", t("state.up")) if is_up else chip("warn", t("state.away"))


def _filter(ask: Ask, now: str) -> Html:
    t = ask.t
    options = [("", t("list.all")), *((s.value, t.word("scan_state", s.value)) for s in State)]
    form = {"method": "get", "action": _PATH, "class": "bar"}
    return el("form", form, field(t("scans.state"), choice("state", options, now)), el("button", t("list.go")))


def _list(ask: Ask, scans: list[Scan]) -> Html:
    t, now = ask.t, ask.now.wall_ns
    rows: list[list[Child]] = [
        [
            link(_PATH, _number(s), id=s.id),
            s.station,
            display_name(s.name) if ask.user is not None else "–",
            t.number(s.pages) if s.pages else "–",
            joined(_state(ask, s), " ", t.word("scan_reason", s.reason.value) if s.reason else ""),
            s.target or "–",
            since(t, s.arrived_ns, now),
            since(t, s.changed_ns, now),
        ]
        for s in scans
    ]
    head = [
        t(f"scans.{k}") for k in ("number", "station", "document", "pages", "state", "target", "arrived", "changed")
    ]
    return table(head, rows, numbers=(3,), empty=t("scans.none"))


def _state(ask: Ask, scan: Scan) -> Html:
    return chip(level(scan.state), ask.t.word("scan_state", scan.state.value))


def _data(t: Language, data: Data) -> str:
    """What else the journal says of it; what is empty is left out."""
    there = {key: value for key, value in data.items() if key != "state" and value not in {None, ""}}
    said = {key: t("yes" if value else "no") if isinstance(value, bool) else value for key, value in there.items()}
    return ", ".join(f"{t.word('scan_data', key)}: {value}" for key, value in said.items())


def _number(scan: Scan) -> str:
    return scan.id.rpartition("/")[2]


async def _one(ask: Ask, queue: ScanQueue, id_: str) -> Shown:
    t, now = ask.t, ask.now.wall_ns
    try:
        s, entries = await queue.show(id_)
    except KeyError:
        raise Missing from None
    if ask.query.get("sure") == "discard" and s.state in WAITING and ask.may(Role.ADMIN):
        return Shown(t("scans.discard"), _sure(ask, s))
    known = facts([
        ("id", el("span", {"class": "mono"}, s.id)),
        (t("scans.state"), joined(_state(ask, s), " ", since(t, s.changed_ns, now))),
        (t("scans.reason"), t.word("scan_reason", s.reason.value) if s.reason else None),
        (t("scans.document"), display_name(s.name) if ask.user is not None else t("scans.hidden")),
        (t("scans.station"), s.station),
        (t("scans.target"), s.target),
        (t("scans.pages"), t.number(s.pages) if s.pages else None),
        (t("scans.type"), f"{s.media_type}, {t.size(s.size_bytes)}"),
        ("SHA-256", el("span", {"class": "mono"}, s.sha256)),
        (t("scans.duplicate"), link(_PATH, s.duplicate_of, id=s.duplicate_of) if s.duplicate_of else None),
        (t("scans.receipt"), s.receipt if ask.user is not None else None),  # it may be the document's name
        (t("scans.tries"), t.number(s.tries)),
    ])  # fmt: skip
    rows: list[list[Child]] = [
        [e.seq, moment(t, e.at, now), t.word("scan_state", e.event), _data(t, e.data)] for e in entries
    ]
    head = [t(f"scans.{k}") for k in ("entry", "at", "event", "data")]
    parts: list[Child] = [known]
    if s.state in WAITING:
        words = t("scans.go_on" if s.state is State.HELD else "scans.check_again")
        if ask.may(Role.OPERATE):
            away = link(_PATH, t("scans.discard"), id=s.id, sure="discard") if ask.may(Role.ADMIN) else None
            where = _targets(ask, queue) if s.state is State.HELD else None
            parts.append(el("div", {"class": "acts"}, ask.post(_PATH, where, el("button", words), id=s.id), away))
        else:
            parts.append(el("p", {"class": "hint"}, t("scans.sign_in")))
    if s.lot is not None and ask.site.loaded.scan.release is not None:
        parts.append(el("p", link(lot.path(s.lot), t("release.title"), id=s.id)))
    if s.state not in {State.PURGED, State.QUARANTINED} and ask.may(Role.OPERATE):
        parts.append(el("p", link(_PATH, t("document.file"), id=s.id, stream="document")))
    parts.append(_parts(ask, s, entries, await queue.parts(s.id)))
    parts.append(section(t("scans.story"), table(head, rows, numbers=(0,))))
    return Shown(t("scans.one"), joined(*parts), QUICK_S)


def _targets(ask: Ask, queue: ScanQueue) -> Html:
    """Where a held one may go: by the rules, or to a target that somebody names."""
    names = [(target.name, target.name) for target in queue.standings()]
    return choice("target", [("", ask.t("scans.by_rules")), *names], "")


def _parts(ask: Ask, scan: Scan, entries: Sequence[Entry], became: Sequence[Scan]) -> Html | None:
    """Of a stack what it became, of a part of one its stack."""
    t, told = ask.t, shown(scan, entries, became)
    if told.stack is not None:
        stack = link(_PATH, told.stack.id, id=told.stack.id)
        return el("p", joined(t("scans.part_of", n=told.stack.part, all=told.stack.parts), " ", stack))
    rows: list[list[Child]] = [
        [
            p.part,
            link(_PATH, p.id, id=p.id),
            f"{p.first_page}–{p.last_page}",
            chip(level(State(p.state)), t.word("scan_state", p.state)),
            p.target or "–",
        ]
        for p in told.parts
    ]
    head = [t(f"scans.{k}") for k in ("number", "document", "pages", "state", "target")]
    return section(t("scans.became"), table(head, rows, numbers=(0,))) if rows else None


def _sure(ask: Ask, scan: Scan) -> Html:
    """What it means to throw a document away, and the button that does it."""
    t = ask.t
    button = ask.button(_PATH, t("scans.yes_discard"), danger=True, what="discard", id=scan.id)
    back = link(_PATH, t("lot.back"), id=scan.id)
    return joined(
        el("p", {"class": "question"}, t("scans.sure_discard", id=scan.id, name=display_name(scan.name))),
        el("div", {"class": "acts"}, button, back),
    )


VIEW = View("scans", show, do, do_role=Role.OPERATE, in_menu=lambda site: site.has_scans, stream=document.stream)
