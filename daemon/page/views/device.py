"""One device: what it is, its last values and frames, what waits to be sent to it, and a form to send more."""

import shlex
from collections.abc import Iterable

import msgspec

from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.lora.order_pages import shown as shown_order
from torhaus.daemon.lora.orders import OrderRefused
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.page import frames
from torhaus.daemon.page.device_state import battery, radio_views, state
from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.parts import (
    Level,
    chip,
    command,
    facts,
    field,
    link,
    moment,
    place,
    said,
    section,
    since,
    table,
)
from torhaus.daemon.page.users import Role
from torhaus.daemon.page.view import Ask, Missing, Moved, Shown, Unable, moved

MOST_FRAMES = 20
MOST_DOWNLINKS = 30


async def show(ask: Ask) -> Shown:
    """All that is known of it."""
    device = _device(ask)
    stored = (await ask.site.latest.of([device.name])).get(device.name)
    parts: list[Child] = [_facts(ask, device, stored), *_values(ask, device, stored)]
    if device.dev_eui or device.dev_addr:
        seen = await frames.last(ask, None, device.name, MOST_FRAMES)
        title = joined(ask.t("device.frames"), " ", link("/frames", ask.t("device.all_frames"), device=device.name))
        parts.append(el("section", el("h2", title), frames.table_of(ask, seen)))
    parts.append(_downlinks(ask, device))
    return Shown(device.name, joined(*parts))


async def do(ask: Ask) -> Moved:
    """Send a downlink, or take one out of the queue. Raises Missing, Unable."""
    device, orders = _device(ask), ask.site.orders
    if orders is None:
        raise Missing
    there = place("devices", device.name)
    if "cancel" in ask.form:
        try:
            why = await orders.queue.cancel(ask.form["cancel"][:20])
        except KeyError:
            raise Missing from None
        if why is not None:
            raise Unable(why)
        return moved(there, event="page_downlink_cancelled", about={"device": device.name})
    try:
        placed = await orders.place(orders.parse(_order(ask, device)), "page")
    except OrderRefused as e:
        raise Unable(str(e)) from None
    note = "queued" if placed.is_new else "known"
    about: dict[str, str | int] = {"device": device.name, "downlink": placed.item.id}
    return moved(there, event="page_downlink", about=about, note=note)


def _device(ask: Ask) -> DeviceConfig:
    found = ask.site.devices.get(ask.name)
    if found is None:
        raise Missing
    return found


def _order(ask: Ask, device: DeviceConfig) -> bytes:
    """The form as the order that the command line would send. Raises Unable."""
    form = {key: value.strip() for key, value in ask.form.items()}
    order: dict[str, object] = {"device": device.dev_eui or device.name}
    if form.get("fport"):
        if not (form["fport"].isascii() and form["fport"].isdigit() and len(form["fport"]) <= 3):
            raise Unable(ask.t("device.bad_fport"))
        order["fport"] = int(form["fport"])
    if form.get("json"):
        try:
            order["json"] = msgspec.json.decode(form["json"])
        except (msgspec.DecodeError, RecursionError) as e:
            raise Unable(f"{ask.t('device.bad_json')} {e}"[:300]) from None
    if form.get("hex"):
        order["hex"] = "".join(form["hex"].split())
    order["confirmed"] = form.get("confirmed") == "1"
    return msgspec.json.encode(order)


def _facts(ask: Ask, d: DeviceConfig, stored: Stored | None) -> Html:
    t, now = ask.t, ask.now.wall_ns
    radio = radio_views(ask).get(d.name)
    last_ns = ask.site.watch.devices.get(d.name, 0) or (stored.at.wall_ns if stored is not None else 0)
    is_late = d.name in ask.site.survey.late()
    fields = stored.record.fields if stored is not None else None
    lora = stored.record.lora if stored is not None else None
    pairs: list[tuple[str, Child]] = [
        (t("devices.state"), state(ask, d.name, last_ns, is_late=is_late)),
        (t("devices.last"), since(t, last_ns, now)),
        (t("device.place"), d.place),
        (t("device.tags"), ", ".join(d.tags)),
        ("DevEUI", _mono(d.dev_eui)),
        ("DevAddr", _mono(radio.dev_addr if radio is not None else d.dev_addr)),
        ("wM-Bus", _mono(d.wmbus)),
        (t("device.address"), _mono(d.address)),
        (t("device.codec"), d.codec),
        (t("device.profile"), d.profile),
        (t("device.interval"), t.span(d.interval_s) if d.interval_s is not None else None),
        (t("devices.battery"), battery(t, radio, fields)),
    ]
    if radio is not None:
        pairs += [
            (t("device.class"), radio.device_class),
            (t("devices.radio"), radio.datarate),
            ("SNR", None if radio.snr_db is None else f"{t.number(radio.snr_db, 1)} dB"),
            (t("devices.margin"), None if radio.margin_db is None else f"{t.number(radio.margin_db, 1)} dB"),
            (t("devices.loss"), t.percent(radio.loss, 1)),
            ("FCnt", t.number(radio.fcnt) if radio.fcnt is not None else None),
            (t("devices.next"), moment(t, radio.expected_at_ns, now) if radio.expected_at_ns else None),
            (t("device.gateways"), _gateways(radio.gateways)),
            (t("device.refused"), ", ".join(radio.refused)),
        ]
    elif lora is not None:
        pairs += [
            (t("devices.radio"), lora.datarate),
            ("FCnt", t.number(lora.fcnt) if lora.fcnt is not None else None),
            (t("device.gateways"), _gateways([r.gateway for r in lora.rx])),
        ]
    return facts(pairs)


def _mono(text: str | None) -> Html | None:
    return el("span", {"class": "mono"}, text) if text else None


def _gateways(euis: Iterable[str]) -> Html | None:
    links = [el("a", {"href": place("gateways", eui), "class": "mono"}, eui) for eui in euis]
    return joined(*links, between=", ") if links else None


def _values(ask: Ask, d: DeviceConfig, stored: Stored | None) -> list[Html]:
    t = ask.t
    if stored is None or stored.record.fields is None:
        return [section(t("device.values"), el("p", {"class": "empty"}, t("device.no_values")))]
    rows: list[list[Child]] = [
        [name, said(t, value), t("device.derived") if value.derived else ""]
        for name, value in stored.record.fields.items()
    ]
    record = stored.record
    data = record.payload or (record.raw if record.lora is None else None)
    fport = record.lora.fport if record.lora is not None else None
    decode: Child = None
    if data and d.codec and len(data) <= 512:
        decode = joined(" · ", link("/decode", t("device.explain"), codec=d.codec, fport=fport, data=data.hex()))
    head = [t("device.field"), t("device.value"), ""]
    at = el("p", {"class": "hint"}, moment(t, stored.at.wall_ns, 0), decode)
    return [section(t("device.values"), at, table(head, rows, numbers=(1,)))]


def _downlinks(ask: Ask, d: DeviceConfig) -> Html | None:
    t, orders = ask.t, ask.site.orders
    if orders is None or d.dev_eui is None or orders.dev_eui(d.name) is None:
        return None
    queue = orders.queue
    items = [*queue.recent(d.dev_eui)[-MOST_DOWNLINKS:], *list(queue.open(d.dev_eui))[:MOST_DOWNLINKS]]
    rows: list[list[Child]] = []
    for item in reversed(items):
        q = shown_order(item, d.name, None if item.place == "done" else round(queue.left_s(item)))
        cancel: Child = ""
        if item.place != "done" and ask.may(Role.ADMIN):
            cancel = ask.button(place("devices", d.name), t("device.cancel"), cancel=q.id)
        level: Level = "good" if q.state in {"acknowledged", "sent"} else "note" if item.place != "done" else "warn"
        rows.append([
            moment(t, q.at_ns, ask.now.wall_ns), chip(level, t.word("downlink", q.state)), q.fport,
            el("span", {"class": "mono"}, q.payload[:64] + ("…" if len(q.payload) > 64 else "")),
            "✓" if q.confirmed else "", q.tries, q.why, cancel,
        ])  # fmt: skip
    head = [t(f"device.{k}") for k in ("at", "downlink", "fport", "payload", "confirmed", "tries", "why")] + [""]
    parts: list[Child] = []
    if ask.query.get("note") in {"queued", "known"}:
        parts.append(el("p", {"class": "done", "role": "status"}, t(f"device.{ask.query['note']}")))
    parts.append(table(head, rows, numbers=(2, 5), empty=t("device.no_downlinks")))
    parts.append(_form(ask, d))
    return section(t("device.downlinks"), *parts, id_="downlinks")


def _form(ask: Ask, d: DeviceConfig) -> Html:
    t = ask.t
    if not ask.may(Role.ADMIN):
        typed = f"torhaus lora send {shlex.quote(d.name)} --fport N --hex HEX"
        return el("p", {"class": "hint"}, t("device.sign_in_to_send"), " ", command(typed))
    digits = el("input", {"name": "hex", "class": "mono", "maxlength": 600, "size": 40, "autocomplete": "off"})
    area = el("textarea", {"name": "json", "class": "mono", "rows": 3, "maxlength": 4000})
    return ask.post(
        place("devices", d.name),
        el("h3", t("device.send")),
        field("FPort", el("input", {"name": "fport", "inputmode": "numeric", "maxlength": 3, "size": 4})),
        field(t("device.hex"), digits),
        field(t("device.json"), area, t("device.json_hint")),
        el("label", el("input", {"type": "checkbox", "name": "confirmed", "value": "1"}), " ", t("device.ask_ack")),
        el("button", t("device.send_now")),
    )  # fmt: skip
