"""A batch on its way to the shredder: whether it is through, in words that are seen from afar, and its documents."""

from collections.abc import Sequence
from typing import Final

from torhaus.daemon.page.document import level
from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.parts import Level, chip, field, link, place, section, table
from torhaus.daemon.page.view import Ask
from torhaus.daemon.scans.refusals import Refused
from torhaus.daemon.scans.release.listing import COLUMNS, WORDS, Lang, cells, word
from torhaus.daemon.scans.release.papers import Paper, Result
from torhaus.daemon.scans.release.standing import THROUGH, LotStanding, Step
from torhaus.daemon.scans.states import State

LEVELS: Final[dict[Step, Level]] = {
    Step.LOOK_AT_ALL: "bad", Step.LOOK: "warn", Step.TROUBLE: "warn", Step.DELIVERY: "note", Step.RELEASE: "good",
    Step.DELAY: "good", Step.DONE: "good",
}  # fmt: skip
SIGNS: Final[dict[Level, str]] = {"good": "✓", "warn": "!", "bad": "✕", "note": "…", "off": "○"}


def path(name: str) -> str:
    """Where a batch is to be seen."""
    return place("release", name)


def refusal(ask: Ask, error: ValueError) -> str:
    """Why the desk does not do it, in the reader's language."""
    if not isinstance(error, Refused):
        return str(error)
    t = ask.t
    said = {name: t.word("scan_state", word) if name == "state" else word for name, word in error.said.items()}
    return t(f"refusal.{error.why}", **said)


def scan_named(text: str, beside: str) -> str:
    """The id that somebody typed: whole, or its number alone, which is one of the same store as `beside`."""
    text = text.strip()[:100]
    return f"{beside.rpartition('/')[0]}/{text}" if text.isascii() and text.isdigit() else text


def became(ask: Ask, action: str, paper: Paper) -> Html:
    """What there is to be said of a document that was objected to or discarded."""
    t, hidden = ask.t, {"lot": paper.lot or "", "id": paper.id}
    number = el("input", {"name": "new", "required": True, "maxlength": 100, "autocomplete": "off"})
    return section(
        t("lot.became"),
        ask.post(
            action, field(t("lot.new_number"), number, t("lot.became_hint")), el("button", t("lot.replaced")),
            what="replaced", **hidden,
        ),
        ask.button(action, t("lot.settle"), danger=True, what="settled", **hidden),
    )  # fmt: skip


def language(ask: Ask) -> Lang:
    """Of release lists."""
    return "en" if ask.t.code == "en" else "de"


def is_bad(papers: Sequence[Paper]) -> bool:
    """Whether something is wrong with one of a batch."""
    return any(p.quality not in {None, Result.OK} for p in papers)


def wanted(papers: Sequence[Paper]) -> list[Paper]:
    """Those at which somebody has to look: the sample, or all others where one is bad."""
    is_whole = is_bad(papers)
    return [p for p in papers if p.is_wanted and (is_whole or p.sampled)]


def state(ask: Ask, lot: LotStanding) -> Html:
    """What it needs next, as a chip."""
    t, step = ask.t, lot.step(ask.now.wall_ns)
    words = {
        Step.LOOK_AT_ALL: lambda: t.count("lot.look_at_all", lot.to_look_at),
        Step.LOOK: lambda: t.count("lot.look", lot.to_look_at),
        Step.TROUBLE: lambda: t.count("lot.trouble", lot.objected),
        Step.DELIVERY: lambda: t.count("lot.delivery", lot.undelivered),
        Step.RELEASE: lambda: t("lot.release"),
        Step.DELAY: lambda: t("lot.delay", day=t.day(lot.free_from_ns or 0)),
        Step.DONE: lambda: t("lot.done") if lot.released else t("lot.none_released"),
    }[step]()
    return chip(LEVELS[step], words)


def verdict(ask: Ask, lot: LotStanding) -> Html:
    """Through or not, large; and in one sentence what that means for the paper."""
    t, step = ask.t, lot.step(ask.now.wall_ns)
    kind = LEVELS[step]
    head = t("lot.through") if step in THROUGH else t("lot.not_through")
    more = joined(state(ask, lot), " ") if step not in THROUGH else None
    day = t.day(lot.free_from_ns) if lot.free_from_ns is not None else "?"
    said = "done_but" if step is Step.DONE and lot.released < lot.count else step
    return el(
        "div",
        {"class": f"through {kind}", "role": "status"},
        el("span", {"class": "sign", "aria-hidden": "true"}, SIGNS[kind]),
        el("p", {"class": "large"}, head),
        el("p", more, t(f"lot_more.{said}", day=day)),
    )


def steps(ask: Ask, lot: LotStanding) -> Html:
    """The three things that make it through, each with its figures."""
    t = ask.t
    looked = lot.looked if lot.failed else lot.sampled - lot.open
    to_look = lot.looked + lot.unseen if lot.failed else lot.sampled
    to_release = lot.there - lot.settled
    rows = (
        ("arrived", lot.there - lot.undelivered, lot.there, lot.undelivered == 0),
        ("looked", looked, to_look, lot.to_look_at == 0),
        ("released", lot.released, to_release, lot.released == to_release),
    )
    lines = [
        el("li", {"class": "done" if is_done else None},
           el("span", {"aria-hidden": "true"}, SIGNS["good" if is_done else "off"]), " ",
           el("b", t(f"lot.{name}")), " ", t("overview.of", n=n, all=t.number(all_)))
        for name, n, all_, is_done in rows
    ]  # fmt: skip
    return el("ol", {"class": "steps"}, lines)


def documents(ask: Ask, lot: str, papers: Sequence[Paper]) -> Html:
    """One line for each, with what its paper waits for."""
    t, lang = ask.t, language(ask)
    looked_at = {p.id for p in wanted(papers)}
    rows: list[list[Child]] = [
        [
            link(path(lot), t.number(p.place), id=p.id),
            p.class_ or "–",
            t.number(p.pages) if p.pages else "–",
            chip(level(State(p.state)), t.word("scan_state", p.state)),
            chip("warn", t("lot.to_look_at")) if p.id in looked_at else t("lot.sampled") if p.sampled else "",
            said(ask, p.quality),
            said(ask, p.feedback),
            t.day(p.free_from_ns) if p.free_from_ns is not None else "–",
            word(p, lang),
        ]
        for p in papers
    ]
    head = [
        t(f"lot.{k}")
        for k in ("number", "class", "pages", "state", "sample", "quality", "feedback", "from", "standing")
    ]
    return table(head, rows, numbers=(0, 2))


def said(ask: Ask, result: str | None) -> Child:
    """What somebody said of a document."""
    if result is None:
        return "–"
    return chip("good" if result == Result.OK else "bad", ask.t.word("result", result))


def sheet(ask: Ask, lot: LotStanding, papers: Sequence[Paper]) -> Html:
    """The release list, to be printed and signed: the same lines as the PDF's."""
    t, lang = ask.t, language(ask)
    words = WORDS[lang]
    site = ask.site.loaded.site
    head = [words[name] for name in COLUMNS]
    as_of = f"{words['printed']}: {t.at(ask.now.wall_ns)} – {words['sum']}: {lot.released}/{len(papers)}"
    return el(
        "div",
        {"class": "sheet"},
        el("p", el("b", site.name or site.id), f" – {words['batch']}: {lot.name}"),
        el("p", as_of),
        el("p", {"class": "hint paper"}, t("lot.print_hint"), " ", link(path(lot.name), t("lot.back"))),
        table(head, [cells(p, lang) for p in papers], numbers=(0, 3)),
        el("p", el("b", words["hint"])),
        el("p", {"class": "sign-here"}, f"{words['sign']}:"),
    )
