"""Dead letters: what a far side refused for good. A person looks, and sends it again or lets go of it."""

from functools import partial
from typing import Final

import msgspec

from torhaus.daemon.outbox.letters import dead_letter, drop_all, retry_all
from torhaus.daemon.outbox.state import State
from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.parts import facts, link, moment, place, table
from torhaus.daemon.page.users import Role
from torhaus.daemon.page.view import SLOW_S, Ask, Missing, Moved, Shown, Unable, View, moved, never
from torhaus.daemon.queue_pages import whole
from torhaus.daemon.status import letter

MOST: Final = 200
_PATH: Final = "/dead-letters"


async def show(ask: Ask) -> Shown:
    """The list, one, or the question whether all are to be dropped."""
    t = ask.t
    if ask.name:
        return Shown(f"{t('letters.one')} {ask.name[:20]}", await _one(ask))
    forwarder = ask.query.get("forwarder", "")[:64] or None
    if "drop" in ask.query and ask.may(Role.ADMIN):
        return Shown(t("letters.drop_all"), _sure(ask, forwarder))
    found = await ask.site.outbox.on_state(lambda state: state.dead_letters(forwarder, MOST))
    counts = ask.site.survey.dead_letters
    total = counts.get(forwarder, 0) if forwarder else sum(counts.values())
    rows: list[list[Child]] = []
    for dead in found:
        x = letter(dead, ask.site.outbox.site)
        rows.append([
            el("a", {"href": f"{_PATH}/{x.number}"}, x.number),
            moment(t, x.at_ns, ask.now.wall_ns),
            x.forwarder,
            el("a", {"href": place("devices", x.device)}, x.device) if x.device else "–",
            x.reason[:200],
        ])  # fmt: skip
    head = [t(f"letters.{k}") for k in ("number", "at", "forwarder", "device", "reason")]
    parts: list[Child] = [el("p", {"class": "hint"}, t("letters.hint")), _done(ask)]
    parts.append(table(head, rows, numbers=(0,), empty=t("letters.none")))
    if total > len(found):
        parts.append(el("p", {"class": "hint"}, t("letters.more", n=total - len(found))))
    if found and ask.may(Role.ADMIN):
        retry = ask.button(_PATH, t("letters.retry_all"), what="retry_all", forwarder=forwarder or "")
        drop = link(_PATH, t("letters.drop_all"), forwarder=forwarder, drop=1)
        parts.append(el("div", {"class": "acts"}, retry, drop))
    elif found:
        parts.append(el("p", {"class": "hint"}, t("letters.sign_in")))
    return Shown(t("letters.title"), joined(*parts), SLOW_S)


async def do(ask: Ask) -> Moved:
    """Retry or drop. Raises Missing, Unable."""
    box, what = ask.site.outbox, ask.form.get("what", "")
    forwarder = ask.form.get("forwarder", "")[:64] or None
    now = ask.now.wall_ns
    if what in {"retry_all", "drop_all"}:
        job = (
            partial(retry_all, forwarder=forwarder, now_ns=now)
            if what == "retry_all"
            else partial(drop_all, forwarder=forwarder)
        )
        count: int = await box.on_state(job)
        await _count_again(ask)
        about: dict[str, str | int] = {"forwarder": forwarder or "", "records": count}
        return moved(_PATH, event=f"page_dead_letters_{what}", about=about, done=what, n=count, forwarder=forwarder)
    if what not in {"retry", "drop"}:
        raise Unable(ask.t("fault.form"))
    number = _number(ask.form.get("number", ""))
    if what == "retry":
        done = await box.on_state(lambda state: state.retry_dead_letter(number, now))
    else:
        done = await box.on_state(lambda state: State.drop_dead_letter(state, number))
    if not done:
        raise Missing
    await _count_again(ask)
    return moved(_PATH, event=f"page_dead_letter_{what}", about={"number": number}, done=what, n=1)


async def _count_again(ask: Ask) -> None:
    for _, runner in ask.site.survey.runners.values():
        await runner.books.load()
    counts = await ask.site.outbox.on_state(State.counts)
    ask.site.survey.dead_letters = {name: dead for name, (_, dead) in counts.items()}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Missing
    return int(text)


def _done(ask: Ask) -> Html | None:
    what, n = ask.query.get("done", ""), ask.query.get("n", "")
    if what not in {"retry", "drop", "retry_all", "drop_all"} or not (n.isascii() and n.isdigit() and len(n) < 10):
        return None
    return el("p", {"class": "done", "role": "status"}, ask.t.count(f"letters.done_{what.partition('_')[0]}", int(n)))


def _sure(ask: Ask, forwarder: str | None) -> Html:
    t = ask.t
    yes = ask.button(_PATH, t("letters.drop_all"), danger=True, what="drop_all", forwarder=forwarder or "")
    words = t("letters.sure", forwarder=forwarder or t("list.all"))
    return joined(
        el("p", words), el("div", {"class": "acts"}, yes, link(_PATH, t("letters.back"), forwarder=forwarder))
    )


async def _one(ask: Ask) -> Html:
    t, box = ask.t, ask.site.outbox
    found = await box.on_state(partial(dead_letter, number=_number(ask.name)))
    if found is None:
        raise Missing
    x = whole(found, box.site, box.boots)
    now = ask.now.wall_ns
    known = facts([
        (t("letters.forwarder"), x.forwarder),
        (t("letters.reason"), x.reason),
        (t("letters.at"), moment(t, x.at_ns, now)),
        (t("letters.device"), el("a", {"href": place("devices", x.device)}, x.device) if x.device else None),
        (t("letters.received"), moment(t, x.known_ns or x.received_ns, now)),
        ("id", el("span", {"class": "mono"}, x.id)),
        (t("letters.raw"), el("span", {"class": "mono"}, x.raw_hex[:400])),
    ])  # fmt: skip
    text = msgspec.json.format(msgspec.json.encode(x.message), indent=2).decode(errors="replace")
    parts: list[Child] = [known, el("h2", t("letters.message")), el("pre", text[:20_000])]
    if ask.may(Role.ADMIN):
        retry = ask.button(_PATH, t("letters.retry"), what="retry", number=x.number)
        drop = ask.button(_PATH, t("letters.drop"), danger=True, what="drop", number=x.number)
        parts.append(el("div", {"class": "acts"}, retry, drop))
    return joined(*parts)


VIEW = View("dead-letters", show, do, in_menu=never, below="forwarders")
