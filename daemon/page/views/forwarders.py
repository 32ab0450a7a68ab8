"""Where records go, what waits for whom, and the disk on which it waits."""

from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.parts import bar, chip, facts, link, moment, section, since, table
from torhaus.daemon.page.view import QUICK_S, Ask, Missing, Shown, View
from torhaus.daemon.page.views.overview import forwarder_row
from torhaus.daemon.status import Status


async def show(ask: Ask) -> Shown:
    """All, or one."""
    status = ask.site.survey.status()
    if ask.name:
        return Shown(f"{ask.t('forwarders.one')} {ask.name}", _one(ask, status), QUICK_S)
    t, now = ask.t, status.now_ns
    head = [t(f"forwarders.{k}") for k in ("name", "state", "live", "backlog", "oldest", "drain", "rate", "last")]
    rows = [forwarder_row(ask, name, f, now) for name, f in sorted(status.forwarders.items())]
    hint = el("p", {"class": "hint"}, t("forwarders.hint"))
    parts: list[Child] = [hint, table(head, rows, numbers=(3, 4, 5, 6), empty=t("forwarders.none"))]
    parts.append(el("p", link("/dead-letters", t("letters.menu")), " · ", link("/quarantine", t("quarantine.menu"))))
    parts += [_logs(ask, status), _lost(ask, status)]
    return Shown(t("forwarders.title"), joined(*parts), QUICK_S)


def _one(ask: Ask, status: Status) -> Html:
    t, f = ask.t, status.forwarders.get(ask.name)
    if f is None:
        raise Missing
    now, slow = status.now_ns, f.accepted_per_s_minute
    return facts([
        (t("forwarders.state"), chip("good", t("state.up")) if f.up else chip("warn", t("state.away"))),
        (t("forwarders.since"), since(t, f.since_ns, now) if f.since_ns else None),
        (t("forwarders.detail"), f.detail),
        (t("forwarders.type"), f.type),
        (t("forwarders.backlog"), t.number(f.backlog)),
        (t("forwarders.oldest"), since(t, f.oldest_ns, now) if f.oldest_ns else "–"),
        (t("forwarders.drain"), t.span(f.drained_in_s) if f.drained_in_s is not None and f.backlog else "–"),
        (t("forwarders.rate"), f"{t.number(f.accepted_per_s, 1)}/s" if f.accepted_per_s is not None else None),
        (t("forwarders.rate_minute"), f"{t.number(slow, 1)}/s" if slow is not None else None),
        (t("forwarders.accepted"), t.number(f.accepted)),
        (t("forwarders.late"), t.number(f.late)),
        (t("forwarders.aside"), t.number(f.set_aside)),
        (t("letters.menu"), link("/dead-letters", t.number(f.dead_letters), forwarder=ask.name)),
        (t("forwarders.last"), moment(t, f.last_success_ns, now)),
    ])  # fmt: skip


def _logs(ask: Ask, status: Status) -> Html:
    t = ask.t
    rows: list[list[Child]] = [
        [
            t.word("log", name),
            t.number(log.records),
            t.size(log.bytes),
            t.size(log.capacity_bytes),
            bar(t, log.bytes / log.capacity_bytes) if log.capacity_bytes else "–",
            t.span(log.full_in_s) if log.full_in_s is not None else "–",
        ]
        for name, log in status.logs.items()
    ]
    head = [t(f"logs.{k}") for k in ("name", "records", "bytes", "limit", "used", "full_in")]
    return section(t("logs.title"), table(head, rows, numbers=(1, 2, 3, 5)), id_="disk")


def _lost(ask: Ask, status: Status) -> Html | None:
    t = ask.t
    rows: list[list[Child]] = []
    for key, n in sorted(status.dropped.items()):
        name, _, reason = key.rpartition("/")
        rows.append([name or "–", t.word("reason", reason), t.number(n)])
    rows += [[el("span", {"class": "mono"}, path), t("logs.set_aside"), ""] for path in status.set_aside_files]
    if not rows:
        return None
    head = [t("forwarders.name"), t("letters.reason"), t("logs.records")]
    return section(t("logs.lost"), table(head, rows, numbers=(2,)), id_="lost")


VIEW = View("forwarders", show)
