"""The gateways and the drivers behind them: who is heard, what went through, how the way down does."""

from functools import partial
from typing import Any

from torhaus.daemon.lora.gateways import Gateway
from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.language import Language
from torhaus.daemon.page.parts import bar, chip, facts, link, moment, place, section, since, table
from torhaus.daemon.page.view import QUICK_S, Ask, Missing, Shown, View
from torhaus.daemon.status import Status

MOST_STRANGERS = 100


async def show(ask: Ask) -> Shown:
    """All, or one."""
    status = ask.site.survey.status()
    if ask.name:
        gateway = status.gateways.get(ask.name)
        if gateway is None:
            raise Missing
        return Shown(f"{ask.t('gateways.one')} {ask.name}", _one(ask, status, ask.name, gateway), QUICK_S)
    return Shown(ask.t("gateways.title"), _all(ask, status), QUICK_S)


def state(ask: Ask, g: Gateway) -> Html:
    """How it is."""
    if not g.known:
        return chip("off", ask.t("state.stranger"))
    if g.online:
        return chip("good", ask.t("state.online"))
    return chip("warn", ask.t("state.silent" if g.first_ns else "state.never"))


def _all(ask: Ask, status: Status) -> Html:
    t = ask.t
    keys = (
        "eui",
        "state",
        "last",
        "uplinks",
        "crc_bad",
        "sent",
        "failed",
        "round_trip",
        "ack_ratio",
        "airtime",
        "temperature",
    )
    head = [t(f"gateways.{key}") for key in keys]
    ours = sorted(((e, g) for e, g in status.gateways.items() if g.known), key=lambda p: (p[1].online, p[0]))
    others = sorted(((e, g) for e, g in status.gateways.items() if not g.known), key=lambda p: -p[1].last_ns)
    parts = [table(head, [_row(ask, status, e, g) for e, g in ours], numbers=range(3, 11), empty=t("gateways.none"))]
    if others:
        rows: list[list[Child]] = [
            [_eui(e), since(t, g.last_ns, status.now_ns), t.number(g.counts.uplinks), g.peer, g.driver]
            for e, g in others[:MOST_STRANGERS]
        ]
        names = [t(f"gateways.{key}") for key in ("eui", "last", "uplinks", "address", "driver")]
        hint = el("p", {"class": "hint"}, t("gateways.strangers_hint"))
        parts.append(section(t("gateways.strangers"), hint, table(names, rows, numbers=(2,))))
    parts.append(_drivers(ask, status))
    return joined(*parts)


def _row(ask: Ask, status: Status, eui: str, g: Gateway) -> list[Child]:
    t, counts = ask.t, g.counts
    sent = counts.downlinks.get("OK", 0)
    busiest = max(status.airtime.get(eui, {}).values(), default=None)
    return [
        _eui(eui),
        state(ask, g),
        since(t, g.last_ns, status.now_ns),
        t.number(counts.uplinks),
        t.number(counts.crc_bad),
        t.number(sent),
        t.number(sum(counts.downlinks.values()) - sent),
        "–" if g.round_trip_s is None else _milliseconds(t, g.round_trip_s),
        "–" if g.report.ack_ratio is None else t.percent(g.report.ack_ratio, 1),
        "–" if busiest is None else t.percent(busiest),
        "–" if g.report.temperature_celsius is None else _degrees(t, g.report.temperature_celsius),
    ]


def _milliseconds(t: Language, seconds: float) -> str:
    return f"{t.number(round(seconds * 1000))} ms"


def _degrees(t: Language, celsius: float) -> str:
    return f"{t.number(celsius, 1)} °C"


def _eui(eui: str) -> Html:
    return el("a", {"href": place("gateways", eui), "class": "mono"}, eui)


def _one(ask: Ask, status: Status, eui: str, g: Gateway) -> Html:
    t, now, r = ask.t, status.now_ns, g.report
    where = None
    if r.latitude is not None and r.longitude is not None:
        height = "" if r.altitude_m is None else f", {t.number(r.altitude_m, 0)} m"
        where = f"{t.number(r.latitude, 5)} / {t.number(r.longitude, 5)}{height}"
    known = facts([
        (t("gateways.state"), joined(state(ask, g), " ", since(t, g.changed_ns, now) if g.changed_ns else "")),
        (t("gateways.last"), since(t, g.last_ns, now)),
        (t("gateways.first"), moment(t, g.first_ns, now) if g.first_ns else None),
        (t("gateways.driver"), g.driver),
        (t("gateways.protocol"), g.protocol),
        (t("gateways.address"), g.peer),
        (t("gateways.way_down"), g.address),
        (t("gateways.listed"), t("yes" if g.listed else "no")),
        (t("gateways.place"), where),
        (t("gateways.temperature"), None if r.temperature_celsius is None else _degrees(t, r.temperature_celsius)),
        (t("gateways.ack_ratio"), t.percent(r.ack_ratio, 1) if r.ack_ratio is not None else None),
        (t("gateways.round_trip"), None if g.round_trip_s is None else _milliseconds(t, g.round_trip_s)),
    ])  # fmt: skip
    c = g.counts
    counted: list[tuple[str, Any]] = [
        (t("gateways.uplinks"), c.uplinks),
        (t("gateways.crc_bad"), c.crc_bad),
        (t("gateways.fallbacks"), c.fallbacks),
        (t("gateways.address_changes"), c.address_changes),
        (t("gateways.impostors"), c.impostors),
    ]
    counted += [(f"{t('gateways.downlink')}: {t.word('tx', result)}", n) for result, n in c.downlinks.items()]
    counted += [(f"{t('gateways.reported')}: {t.word('packets', kind)}", n) for kind, n in c.reported.items()]
    air: list[list[Child]] = [[band, bar(t, part)] for band, part in sorted(status.airtime.get(eui, {}).items())]
    sums = table([t("list.what"), t("list.count")], [[k, t.number(n)] for k, n in counted], numbers=(1,))
    used = table([t("gateways.band"), t("gateways.used")], air, empty=t("gateways.no_airtime"))
    return joined(
        known,
        el("p", link("/frames", t("gateways.frames"), gateway=eui)),
        section(t("gateways.counts"), sums),
        section(t("gateways.airtime"), used),
    )


def _drivers(ask: Ask, status: Status) -> Html:
    t, now = ask.t, status.now_ns
    rows: list[list[Child]] = []
    for name, d in sorted(status.drivers.items()):
        said = partial(ask.site.watch.how, name)
        silent = ", ".join(f"{device} ({t.said(said(device))})" for device in list(d.silent)[:10])
        detail = t.said(said())
        rows.append([
            el("b", name),
            chip("good", t("state.up")) if d.up else chip("bad", t("state.down")),
            since(t, d.since_ns, now) if d.since_ns else "–",
            t.number(d.frames),
            since(t, d.last_frame_ns, now),
            t.number(d.acks_late),
            joined(detail, el("br"), f"{t('drivers.silent')}: {silent}") if silent else detail,
        ])  # fmt: skip
    head = [t(f"drivers.{k}") for k in ("name", "state", "since", "frames", "last", "late", "detail")]
    return section(t("drivers.title"), table(head, rows, numbers=(3, 5), empty=t("drivers.none")), id_="drivers")


VIEW = View("gateways", show)
