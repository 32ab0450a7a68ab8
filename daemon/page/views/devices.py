"""The list of devices: which were heard, what they said last, who is late. Searched and paged, for thousands."""

from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.lora.radio_link import RadioView
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.page.device_state import battery, radio_views, state
from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.parts import (
    PER_PAGE,
    choice,
    field,
    link,
    moment,
    page_of,
    pages,
    place,
    since,
    table,
    values,
)  # fmt: skip
from torhaus.daemon.page.view import SLOW_S, Ask, Shown, View
from torhaus.daemon.page.views import device as one

FILTERS = ("all", "overdue", "never", "heard")
MOST_QUERY = 100
_SHOWN_FIELDS = 4


async def show(ask: Ask) -> Shown:
    """The list, or one device."""
    if ask.name:
        return await one.show(ask)
    t, site = ask.t, ask.site
    heard, late = site.watch.devices, set(site.survey.late())
    query, kind = ask.query.get("q", "")[:MOST_QUERY].strip(), ask.query.get("show", "all")
    kind = kind if kind in FILTERS else "all"
    found = [d for d in site.loaded.devices if _is_meant(d, query.lower()) and _is_of(kind, d.name, heard, late)]
    page = page_of(ask.query.get("page", ""), len(found))
    part = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    latest = await site.latest.of(d.name for d in part)
    radio = radio_views(ask)
    rows = [_row(ask, d, latest.get(d.name), radio.get(d.name), d.name in late) for d in part]
    head = [
        t(f"devices.{k}") for k in ("name", "state", "last", "next", "values", "battery", "radio", "margin", "loss")
    ]
    body = joined(
        _search(ask, query, kind),
        el(
            "p",
            {"class": "hint"},
            t.count("devices.found", len(found)),
            " ",
            link("/strangers", t("devices.to_strangers")),
        ),
        table(head, rows, numbers=(7, 8), empty=t("devices.none")),
        pages(t, "/devices", page, len(found), q=query, show=kind if kind != "all" else None),
    )
    return Shown(t("devices.title"), body, SLOW_S)


def _search(ask: Ask, query: str, kind: str) -> Html:
    t = ask.t
    text = el("input", {"type": "search", "name": "q", "value": query, "maxlength": MOST_QUERY})
    return el(
        "form",
        {"method": "get", "action": "/devices", "class": "bar", "role": "search"},
        field(t("list.search"), text),
        field(t("list.show"), choice("show", [(f, t(f"devices.show_{f}")) for f in FILTERS], kind)),
        el("button", t("list.go")),
    )


def _is_meant(d: DeviceConfig, query: str) -> bool:
    if not query:
        return True
    texts = (d.name, d.place, d.dev_eui, d.dev_addr, d.wmbus, d.address, d.codec, d.profile, *d.tags)
    return any(query in text.lower() for text in texts if text)


def _is_of(kind: str, name: str, heard: dict[str, int], late: set[str]) -> bool:
    match kind:
        case "overdue":
            return name in late
        case "never":
            return name not in heard
        case "heard":
            return name in heard
        case _:
            return True


def _row(ask: Ask, d: DeviceConfig, stored: Stored | None, radio: RadioView | None, is_late: bool) -> list[Child]:
    t, now = ask.t, ask.now.wall_ns
    record = stored.record if stored is not None else None
    last_ns = ask.site.watch.devices.get(d.name, 0) or (stored.at.wall_ns if stored is not None else 0)
    fields = record.fields if record is not None else None
    lora = record.lora if record is not None else None
    next_ns = radio.expected_at_ns if radio is not None and radio.expected_at_ns else None
    if next_ns is None and d.interval_s is not None and last_ns:
        next_ns = last_ns + int(d.interval_s * 1e9)
    rate = radio.datarate if radio is not None else lora.datarate if lora is not None else None
    margin = radio.margin_db if radio is not None else None
    return [
        joined(el("a", {"href": place("devices", d.name)}, d.name), el("small", f" {d.place}") if d.place else None),
        state(ask, d.name, last_ns, is_late=is_late),
        since(t, last_ns, now),
        moment(t, next_ns, now) if next_ns else "–",
        values(t, fields, _SHOWN_FIELDS) if fields else "–",
        battery(t, radio, fields),
        rate or "–",
        "–" if margin is None else f"{t.number(margin, 1)} dB",
        "–" if radio is None else t.percent(radio.loss, 1),
    ]


VIEW = View("devices", show, one.do)
