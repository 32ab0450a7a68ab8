"""The pieces that every view is put together from. A state is a word, a sign and a colour, never one alone."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal
from urllib.parse import quote, urlencode

from torhaus.codecs.model import Fields, Value
from torhaus.daemon.page.html import NOTHING, Child, Html, el, joined
from torhaus.daemon.page.language import Language, utc

Level = Literal["good", "note", "warn", "bad", "off"]
SIGNS: Final[dict[Level, str]] = {"good": "●", "note": "◆", "warn": "▲", "bad": "✕", "off": "○"}
PER_PAGE: Final = 50
_UNITS: Final = {
    "Cel": "°C", "K": "K", "kW.h": "kWh", "W.h": "Wh", "MW.h": "MWh", "m3": "m³", "m3/h": "m³/h", "L/h": "l/h",
    "[ppm]": "ppm", "[ppb]": "ppb", "ug/m3": "µg/m³", "deg": "°", "1": "", "{#}": "", "kV.A": "kVA", "V.A": "VA",
    "var.h": "varh", "kvar.h": "kvarh", "m/s2": "m/s²", "W/m2": "W/m²", "Ohm": "Ω",
}  # fmt: skip
"""How people write units whose UCUM code looks otherwise."""
_LONGEST: Final = 60


def chip(level: Level, word: str) -> Html:
    """A state: sign, word and colour."""
    return el("span", {"class": f"chip {level}"}, el("span", {"aria-hidden": "true"}, SIGNS[level]), " ", word)


def table(
    head: Sequence[str], rows: Iterable[Sequence[Child]], *, numbers: Iterable[int] = (), empty: str = ""
) -> Html:
    """A table that may be wider than the screen. `numbers`: columns that stand to the right."""
    right = set(numbers)

    def cell(tag: str, i: int, content: Child) -> Html:
        more = {"scope": "col"} if tag == "th" else {}
        return el(tag, more | ({"class": "n"} if i in right else {}), content)

    lines = [el("tr", [cell("td", i, content) for i, content in enumerate(row)]) for row in rows]
    if not lines and empty:
        return el("p", {"class": "empty"}, empty)
    top = el("tr", [cell("th", i, text) for i, text in enumerate(head)])
    kind = "wide narrow" if len(head) <= 3 else "wide"
    words = ", ".join(text for text in head[:3] if text)
    return el(
        "div",
        {"class": kind, "tabindex": 0, "role": "region", "aria-label": words},
        el("table", el("thead", top), el("tbody", lines)),
    )


def facts(pairs: Iterable[tuple[str, Child]]) -> Html:
    """What is known of one thing: names and values; those without a value are left out."""
    return el("dl", {"class": "facts"}, [
        (el("dt", name), el("dd", value)) for name, value in pairs if value is not None and value != ""
    ])  # fmt: skip


def section(title: str, *parts: Child, id_: str | None = None) -> Html:
    """A part of a page with its own heading."""
    return el("section", {"id": id_}, el("h2", title), parts)


def link(path: str, *words: Child, **query: str | int | None) -> Html:
    """To another place of this page."""
    return el("a", {"href": path + asked(query)}, words)


def asked(query: Mapping[str, str | int | None]) -> str:
    """`?a=b` of what is there."""
    there = {key: str(value) for key, value in query.items() if value not in {None, ""}}
    return f"?{urlencode(there, errors='replace')}" if there else ""


def place(view: str, name: str) -> str:
    """The path of one thing's own page."""
    return f"/{view}/{quote(name.encode(errors='replace'), safe='')}"


def moment(t: Language, at_ns: int, now_ns: int) -> Html:
    """A time on the reader's clock, UTC when one asks for it."""
    return _time(at_ns, t.at(at_ns, now_ns)) if at_ns else el("span", "–")


def since(t: Language, at_ns: int, now_ns: int) -> Html:
    """How long ago, the time itself when one asks for it."""
    return _time(at_ns, t.ago(at_ns, now_ns)) if at_ns else el("span", {"class": "faint"}, t("time.never"))


def _time(at_ns: int, words: str) -> Html:
    text = utc(at_ns)
    return el("time", {"datetime": text if text != "?" else None, "title": f"{text} (UTC)"}, words)


def said(t: Language, value: Value) -> str:
    """One value with its unit."""
    v = value.value
    if isinstance(v, bool):
        text = t("yes" if v else "no")
    elif isinstance(v, int | float):
        text = _figure(t, v)
    else:
        text = "–" if v is None else str(v)
        text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    unit = "" if value.unit is None else _UNITS.get(value.unit, value.unit)
    return f"{text} {unit}".rstrip() if unit != "%" else f"{text} %"


def _figure(t: Language, v: float) -> str:
    if isinstance(v, int):
        return t.number(v) if abs(v) < 10**15 else str(v)
    if v != v or v in {float("inf"), float("-inf")}:  # noqa: PLR0124 - not a number
        return str(v)
    return t.number(v, 4) if 0.0001 <= abs(v) < 1e15 or v == 0 else f"{v:g}"


def values(t: Language, fields: Fields, most: int) -> Html:
    """The first values of a reading, in one line."""
    shown = [el("span", {"class": "value"}, el("i", name), " ", said(t, v)) for name, v in list(fields.items())[:most]]
    more = len(fields) - most
    return joined(*shown, el("span", {"class": "faint"}, f"+{more}") if more > 0 else NOTHING, between=" ")


def bar(t: Language, part: float) -> Html:
    """How full something is."""
    level = min(max(part, 0.0), 1.0)
    return joined(el("meter", {"min": 0, "max": 1, "low": 0.7, "high": 0.9, "optimum": 0, "value": f"{level:.3f}"}),
                  " ", t.percent(part))  # fmt: skip


def pages(t: Language, path: str, page: int, count: int, **query: str | int | None) -> Html:
    """Links to the pages of a long list. `page` counts from 1."""
    last = max(1, -(-count // PER_PAGE))
    if last == 1:
        return NOTHING
    ends: list[Child] = [t("list.page", page=page, last=last)]
    if page > 1:
        ends.insert(0, link(path, t("list.before"), **query, page=page - 1))
    if page < last:
        ends.append(link(path, t("list.after"), **query, page=page + 1))
    return el("nav", {"class": "pages", "aria-label": t("list.pages")}, joined(*ends, between=" "))


def page_of(text: str, count: int) -> int:
    """The page that is asked for, or the nearest there is."""
    last = max(1, -(-count // PER_PAGE))
    return min(max(1, int(text)), last) if text.isascii() and text.isdigit() and len(text) < 8 else 1


def command(text: str) -> Html:
    """What a person may type on the box."""
    return el("code", {"class": "command"}, text)


def field(label: str, control: Html, hint: str = "") -> Html:
    """One line of a form."""
    return el("label", {"class": "field"}, el("span", label), control, el("small", hint) if hint else NOTHING)


def choice(name: str, options: Iterable[tuple[str, str]], now: str) -> Html:
    """A list to choose from."""
    return el("select", {"name": name}, [
        el("option", {"value": value, "selected": value == now}, words) for value, words in options
    ])  # fmt: skip
