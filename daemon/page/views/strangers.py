"""Who is heard and does not belong to this site, or could not join: with the reason, and the command that helps."""

import shlex
from typing import Final

from torhaus.daemon.lora.join_book import FINE, Attempt, JoinResult
from torhaus.daemon.page.attention import refused_joins, rich
from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.parts import chip, command, place, section, since, table
from torhaus.daemon.page.view import SLOW_S, Ask, Shown, View

MOST: Final = 100


async def show(ask: Ask) -> Shown:
    """Joins refused, unknown devices, unknown meters."""
    t = ask.t
    attempts = ask.site.joining.book.attempts()
    unknown = sorted((a for a in attempts if a.device is None), key=lambda a: -a.at_ns)
    fine = sorted((a for a in attempts if a.device is not None and a.result in FINE), key=lambda a: -a.at_ns)
    parts = [
        section(t("strangers.refused"), _refused(ask, refused_joins(ask)), id_="joins"),
        section(
            t("strangers.unknown"), el("p", {"class": "hint"}, t("strangers.unknown_hint")), _unknown(ask, unknown)
        ),
    ]
    if ask.site.survey.wireless is not None:
        parts.append(
            section(t("strangers.meters"), el("p", {"class": "hint"}, t("strangers.meters_hint")), _meters(ask))
        )
    parts.append(section(t("strangers.joined"), _joined(ask, fine[:MOST])))
    return Shown(t("strangers.title"), joined(*parts), SLOW_S)


def _refused(ask: Ask, attempts: list[Attempt]) -> Html:
    t = ask.t
    rows: list[list[Child]] = []
    for a in attempts[:MOST]:
        name = a.device or ""
        helps: Child = ""
        if a.result is JoinResult.NONCE_USED:
            helps = command(f"torhaus devices allow-join {shlex.quote(name)}")
        rows.append([
            el("a", {"href": place("devices", name)}, name),
            since(t, a.at_ns, ask.now.wall_ns),
            joined(chip("warn", t.word("join", a.result)), " ", rich(_why(ask, a))),
            _eui(a.join_eui),
            helps,
        ])  # fmt: skip
    head = [t(f"strangers.{k}") for k in ("device", "at", "why", "join_eui", "helps")]
    return table(head, rows, empty=t("strangers.none_refused"))


def _why(ask: Ask, a: Attempt) -> str:
    key = f"join_advice.{a.result}"
    return ask.t(key) if ask.t.has(key) else a.text


def _unknown(ask: Ask, attempts: list[Attempt]) -> Html:
    t = ask.t
    rows: list[list[Child]] = [
        [
            _eui(a.dev_eui),
            _eui(a.join_eui),
            t.number(a.times),
            since(t, a.at_ns, ask.now.wall_ns),
            _eui(a.gateway),
            command(_add(a)),
        ]
        for a in attempts[:MOST]
    ]
    head = ["DevEUI", "JoinEUI", *(t(f"strangers.{k}") for k in ("times", "at", "gateway", "helps"))]
    return table(head, rows, numbers=(2,), empty=t("strangers.none_unknown"))


def _add(a: Attempt) -> str:
    join_eui = f" --join-eui {shlex.quote(a.join_eui)}" if a.join_eui else ""
    return f"torhaus devices add --name NAME --dev-eui {shlex.quote(a.dev_eui)}{join_eui} --codec CODEC --keys-from -"


def _meters(ask: Ask) -> Html:
    t, wireless = ask.t, ask.site.survey.wireless
    entries = [e for e in wireless.book.entries() if e.device is None or e.trouble] if wireless is not None else []
    rows: list[list[Child]] = []
    for e in entries[:MOST]:
        who: Child = el("span", {"class": "mono"}, e.address)
        helps: Child = command(f"torhaus devices add --name NAME --wmbus {shlex.quote(e.address)}")
        if e.device is not None:
            who = joined(el("a", {"href": place("devices", e.device)}, e.device), " ", who)
            helps = e.trouble
        signal = "–" if e.rssi_dbm is None else f"{t.number(e.rssi_dbm, 0)} dBm"
        rows.append(
            [who, e.medium, e.security, t.number(e.telegrams), since(t, e.last_ns, ask.now.wall_ns), signal, helps]
        )
    keys = ("meter", "medium", "security", "telegrams", "at", "signal", "helps")
    return table([t(f"strangers.{k}") for k in keys], rows, numbers=(3,), empty=t("strangers.none_meters"))


def _joined(ask: Ask, attempts: list[Attempt]) -> Html:
    t = ask.t
    rows: list[list[Child]] = [
        [
            el("a", {"href": place("devices", a.device or "")}, a.device or ""),
            since(t, a.at_ns, ask.now.wall_ns),
            chip("good" if a.result is JoinResult.ESTABLISHED else "note", t.word("join", a.result)),
            _eui(a.dev_addr),
            _eui(a.gateway),
        ]
        for a in attempts
    ]
    head = [t(f"strangers.{k}") for k in ("device", "at", "why")] + ["DevAddr", t("strangers.gateway")]
    return table(head, rows, empty=t("strangers.none_joined"))


def _eui(text: str | None) -> Html:
    return el("span", {"class": "mono"}, text or "–")


VIEW = View("strangers", show)
