"""Quality control and release: which documents somebody has to look at, what was found, which paper may be destroyed.

What is said here is entered under the pseudonym of whoever has signed in (`torhaus page users`), never under a name.
"""

from collections.abc import Sequence
from typing import Final

from torhaus.daemon.page import document, lot
from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.parts import PER_PAGE, chip, facts, link, moment, page_of, pages, section, since, table
from torhaus.daemon.page.users import Role, account_of
from torhaus.daemon.page.view import SLOW_S, Ask, Missing, Moved, Shown, Unable, View, moved
from torhaus.daemon.scans.names import display_name
from torhaus.daemon.scans.queue import ScanQueue
from torhaus.daemon.scans.release.papers import Paper, Result, Waits
from torhaus.daemon.scans.release.standing import LotStanding, Step

MOST: Final = 50
_PATH: Final = "/release"
_TO_DO: Final = frozenset({Step.LOOK, Step.LOOK_AT_ALL, Step.RELEASE})
_SAID: Final = (Result.OK, Result.PAGE_MISSING, Result.RESCAN, Result.BAD)
_FEEDBACK: Final = (Result.OK, Result.PAGE_MISSING, Result.RESCAN)


async def show(ask: Ask) -> Shown:
    """The batches; one of them; its release list; one of its documents; or the question whether one means it."""
    t, queue = ask.t, ask.site.scans()
    if ask.site.loaded.scan.release is None:
        raise Missing(t("release.none_here"))
    if queue is None:
        return Shown(t("release.title"), el("p", {"class": "fault"}, t("scans.closed")), SLOW_S, 503)
    if not ask.name:
        return Shown(t("release.title"), await _batches(ask, queue), SLOW_S)
    try:
        standing, papers = await queue.release.standing(ask.name), await queue.release.papers(ask.name)
    except KeyError:
        raise Missing(t("release.no_batch")) from None
    title = f"{t('scans.batch')} {ask.name}"
    if "id" in ask.query:
        return await _document(ask, queue, papers, ask.query["id"][:100])
    if "list" in ask.query:
        return Shown(t("lot.list"), lot.sheet(ask, standing, papers))
    if "sure" in ask.query and ask.may(Role.OPERATE):
        return Shown(title, _sure(ask, standing, papers, ask.query["sure"]))
    return Shown(title, _lot(ask, standing, papers), SLOW_S)


async def do(ask: Ask) -> Moved:
    """Enter what somebody says of a document or of the rest of a batch, or free paper. Raises Missing, Unable."""
    queue = ask.site.scans()
    if queue is None or ask.site.loaded.scan.release is None:
        raise Missing
    assert ask.user is not None
    by = account_of(ask.user.name)
    name, id_, what = ask.form.get("lot", "")[:1000], ask.form.get("id", "")[:100], ask.form.get("what", "")
    desk, there = queue.release, lot.path(name)
    try:
        papers = await desk.papers(name)
        if what == "release":
            after = await desk.release(name, by, by)
            freed = sum(p.released_ns is not None for p in after) - sum(p.released_ns is not None for p in papers)
            return moved(there, done="release", n=freed)
        if what == "rest":
            if not lot.is_bad(papers):  # a sample is looked at one by one
                raise Unable(ask.t("lot.nothing_left"))
            return moved(there, done="rest", n=await desk.say_of_rest(name, Result.OK, by, by))
        paper = _among(papers, id_)
        if what == "replaced":
            await desk.replaced(paper.id, lot.scan_named(ask.form.get("new", ""), paper.id), by, by)
            return moved(there, id=paper.id, done="replaced")
        if what == "settled":
            await desk.settled(paper.id, by, by)
            return moved(there, id=paper.id, done="settled")
        result = _result(ask)
        if what == "feedback":
            taken_back = await desk.say("feedback", paper.id, result, by, by)
            return moved(there, id=paper.id, done="withdrawn" if taken_back else "feedback")
        if what != "quality":
            raise Unable(ask.t("fault.form"))
        await desk.say("quality", paper.id, result, by, by)
        following = _next(await desk.papers(name), paper)
        return moved(there, done="quality", id=following.id if following is not None else None)
    except KeyError:
        raise Missing from None
    except ValueError as e:
        raise Unable(lot.refusal(ask, e)) from None


def _result(ask: Ask) -> Result:
    try:
        return Result(ask.form.get("result", ""))
    except ValueError:
        raise Unable(ask.t("fault.form")) from None


def _among(papers: Sequence[Paper], id_: str) -> Paper:
    found = next((p for p in papers if p.id == id_), None)
    if found is None:
        raise KeyError(id_)
    return found


def _next(papers: Sequence[Paper], after: Paper) -> Paper | None:
    """Where to look next: behind this one, or else from the beginning."""
    wanted = [p for p in lot.wanted(papers) if p.id != after.id]
    return next((p for p in wanted if p.place > after.place), wanted[0] if wanted else None)


async def _batches(ask: Ask, queue: ScanQueue) -> Html:
    t, now = ask.t, ask.now.wall_ns
    found = await queue.release.standings(MOST)
    waiting = [one for one in found if one.step(now) in _TO_DO or one.can_release(now)]
    to_look = sum(one.to_look_at for one in found)
    head = chip("warn", t.count("release.to_look_at", to_look)) if to_look else chip("good", t("release.all_looked_at"))
    return joined(
        el("p", {"class": f"verdict {'warn' if to_look else 'good'}"}, head),
        el("p", {"class": "hint"}, t("release.hint")),
        section(t("release.to_do"), _table(ask, waiting)) if waiting else None,
        section(t("release.others"), _table(ask, [one for one in found if one not in waiting])),
    )


def _table(ask: Ask, found: list[LotStanding]) -> Html:
    t, now = ask.t, ask.now.wall_ns
    rows: list[list[Child]] = [
        [
            el("a", {"href": lot.path(one.name)}, one.name),
            joined(lot.state(ask, one), chip("good", t("lot.release")) if _is_both(one, now) else None, between=" "),
            t.number(one.count),
            t("overview.of", n=one.sampled - one.open, all=t.number(one.sampled)),
            t("overview.of", n=one.released, all=t.number(one.count)),
            t.day(one.free_from_ns) if one.free_from_ns is not None else "–",
            since(t, one.drawn_ns, now),
        ]
        for one in found
    ]
    head = [t(f"release.{k}") for k in ("batch", "state", "documents", "sample", "released", "from", "closed")]
    return table(head, rows, numbers=(2, 3, 4), empty=t("release.none"))


def _is_both(one: LotStanding, now_ns: int) -> bool:
    """Whether something stands against the batch, and some of its paper may be released all the same."""
    return one.can_release(now_ns) and one.step(now_ns) is not Step.RELEASE


def _lot(ask: Ask, standing: LotStanding, papers: list[Paper]) -> Html:
    t, name = ask.t, standing.name
    wanted = lot.wanted(papers)
    acts: list[Child] = []
    if wanted:
        acts.append(el("a", {"class": "act", "href": f"{lot.path(name)}?id={wanted[0].id}"}, t("lot.begin")))
    if ask.may(Role.OPERATE):
        if standing.step(ask.now.wall_ns) is Step.LOOK_AT_ALL:
            acts.append(link(lot.path(name), t("lot.rest"), sure="rest"))
        if standing.can_release(ask.now.wall_ns):
            acts.append(el("a", {"class": "act", "href": f"{lot.path(name)}?sure=release"}, t("lot.release_some")))
    acts.append(link(lot.path(name), t("lot.list"), list=1))
    page = page_of(ask.query.get("page", "1"), len(papers))
    shown = papers[(page - 1) * PER_PAGE : page * PER_PAGE]
    return joined(
        _done(ask),
        lot.verdict(ask, standing),
        lot.steps(ask, standing),
        None if ask.may(Role.OPERATE) else el("p", {"class": "hint"}, t("scans.sign_in")),
        el("div", {"class": "acts"}, acts),
        section(t("scans.documents"), lot.documents(ask, name, shown)),
        pages(t, lot.path(name), page, len(papers)),
    )


def _done(ask: Ask) -> Html | None:
    done, n = ask.query.get("done", ""), ask.query.get("n", "0")
    words_alone = {"quality", "feedback", "withdrawn", "replaced", "settled"}
    if done not in words_alone | {"rest", "release"} or not (n.isascii() and n.isdigit() and len(n) < 8):
        return None
    words = ask.t(f"done.{done}") if done in words_alone else ask.t.count(f"done.{done}", int(n))
    return el("p", {"class": "done", "role": "status"}, words)


def _sure(ask: Ask, standing: LotStanding, papers: list[Paper], what: str) -> Html:
    """What it means to say so, and a button that says it."""
    t, name = ask.t, standing.name
    if what == "release":
        n = sum(p.waits_for == Waits.PERSON for p in papers)
    elif what == "rest":
        n = len(lot.wanted(papers)) if lot.is_bad(papers) else 0
    else:
        raise Missing
    if not n:
        raise Unable(t("lot.nothing_left"))
    button = ask.button(_PATH, t.count(f"lot.yes_{what}", n), danger=True, what=what, lot=name)
    back = el("a", {"href": lot.path(name)}, t("lot.back"))
    return joined(
        el("p", {"class": "question"}, t.count(f"lot.sure_{what}", n)), el("div", {"class": "acts"}, button, back)
    )


async def _document(ask: Ask, queue: ScanQueue, papers: list[Paper], id_: str) -> Shown:
    """One document of a batch: what there is to see, and what one may say of it."""
    t, now = ask.t, ask.now.wall_ns
    try:
        paper, (scan, _) = _among(papers, id_), await queue.show(id_)
    except KeyError:
        raise Missing from None
    name = paper.lot or ""
    known = facts([
        (t("scans.batch"), el("a", {"href": lot.path(name)}, name)),
        (t("scans.document"), display_name(scan.name) if ask.user is not None else None),
        (t("scans.station"), paper.station),
        (t("lot.class"), paper.class_),
        (t("scans.pages"), t.number(paper.pages) if paper.pages else None),
        (t("scans.arrived"), moment(t, paper.arrived_ns, now)),
        (t("lot.sample"), t("lot.sampled") if paper.sampled else t("no")),
        (t("lot.quality"), lot.said(ask, paper.quality)),
        (t("lot.feedback"), lot.said(ask, paper.feedback)),
        (t("lot.replaced_by"), link("/scans", paper.replaced_by, id=paper.replaced_by) if paper.replaced_by else None),
        (t("lot.settled"), t.day(paper.settled_ns) if paper.settled_ns is not None and not paper.replaced_by else None),
        (t("lot.withdrawn"), moment(t, paper.withdrawn_ns, now) if paper.withdrawn_ns is not None else None),
        (t("lot.from"), t.day(paper.free_from_ns) if paper.free_from_ns is not None else None),
        ("id", link("/scans", paper.id, id=paper.id)),
    ])  # fmt: skip
    parts: list[Child] = [_done(ask), known]
    if ask.may(Role.OPERATE):
        if paper.released_ns is None and (paper.is_objected_to or paper.is_discarded):
            parts.append(lot.became(ask, _PATH, paper))
        if paper.released_ns is None and not paper.is_discarded:
            parts.append(_say(ask, paper, "quality", t("lot.what_is_it"), _SAID))
        parts.append(section(t("lot.seen"), document.shown(ask, scan, lot.path(name))))
        parts.append(_say(ask, paper, "feedback", t("lot.department_says"), _FEEDBACK))
    else:
        parts.append(section(t("lot.seen"), document.shown(ask, scan, lot.path(name))))
    parts.append(_neighbours(ask, papers, paper))
    title = t("lot.document_of", n=paper.place, all=len(papers))
    return Shown(title, joined(*parts))


def _say(ask: Ask, paper: Paper, what: str, title: str, results: Sequence[Result]) -> Html:
    """A button for each thing that may be said."""
    t = ask.t
    buttons = [
        el("button", {"name": "result", "value": r.value, "class": None if r is Result.OK else "danger"},
           el("span", {"aria-hidden": "true"}, "✓ " if r is Result.OK else "✕ "), t.word("result", r.value))
        for r in results
    ]  # fmt: skip
    form = ask.post(_PATH, el("div", {"class": "acts say"}, buttons), what=what, lot=paper.lot or "", id=paper.id)
    return section(title, form)


def _neighbours(ask: Ask, papers: list[Paper], paper: Paper) -> Html:
    t, there = ask.t, lot.path(paper.lot or "")
    ends: list[Child] = []
    if paper.place > 1:
        ends.append(link(there, t("list.before"), id=papers[paper.place - 2].id))
    ends.append(el("a", {"href": there}, t("lot.back")))
    if paper.place < len(papers):
        ends.append(link(there, t("list.after"), id=papers[paper.place].id))
    return el("nav", {"class": "pages", "aria-label": t("scans.documents")}, joined(*ends, between=" "))


VIEW = View("release", show, do, do_role=Role.OPERATE, in_menu=lambda site: site.loaded.scan.release is not None)
