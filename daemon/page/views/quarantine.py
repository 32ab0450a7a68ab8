"""What was refused: frames and bytes that mean nothing here, with the reason. Kept apart, with a budget of its own."""

from typing import Final

from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.store import STRANGERS
from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.parts import link, moment, place, section, table
from torhaus.daemon.page.view import SLOW_S, Ask, Shown, View, never

MOST: Final = 100
_PIECE: Final = 1000
_PIECES: Final = 5
"""How far back it is searched."""


async def show(ask: Ask) -> Shown:
    """How much of what kind, and the last ones."""
    t, status = ask.t, ask.site.survey.status()
    reason = ask.query.get("reason", "")[:40]
    counts: list[list[Child]] = [
        [link("/quarantine", t.word("reason", name), reason=name), t.number(n)]
        for name, n in sorted(status.rejects.items(), key=lambda pair: -pair[1])
    ]
    found = await _last(ask, reason)
    rows: list[list[Child]] = [_row(ask, s) for s in found]
    head = [t(f"quarantine.{k}") for k in ("at", "driver", "who", "reason", "detail", "bytes")]
    body = joined(
        el("p", {"class": "hint"}, t("quarantine.hint")),
        section(
            t("quarantine.counts"),
            table([t("quarantine.reason"), t("list.count")], counts, numbers=(1,), empty=t("quarantine.none")),
        ),
        section(
            t("quarantine.last"),
            link("/quarantine", t("list.all")) if reason else None,
            table(head, rows, empty=t("quarantine.none")),
        ),
    )
    return Shown(t("quarantine.title"), body, SLOW_S)


async def _last(ask: Ask, reason: str) -> list[Stored]:
    """The newest first."""
    log, box = ask.site.outbox.logs[STRANGERS], ask.site.outbox
    found: list[Stored] = []
    end = log.tail
    for _ in range(_PIECES):
        pos = start = max(log.head, end - _PIECE)
        piece: list[Stored] = []
        while pos < end:
            records = await box.read(STRANGERS, pos, end - pos)
            if not records:
                break
            piece += [r for r in records if isinstance(r, Stored) and _is_meant(r, reason)]
            pos = max(pos + 1, *(r.pos + getattr(r, "count", 1) for r in records))
        found += piece[::-1]
        end = start
        if len(found) >= MOST or end <= log.head:
            break
    return found[:MOST]


def _is_meant(stored: Stored, reason: str) -> bool:
    return stored.record.reason is not None and reason in {"", stored.record.reason}


def _row(ask: Ask, stored: Stored) -> list[Child]:
    t, r = ask.t, stored.record
    raw = r.raw or b""
    who: Child = el("span", {"class": "mono"}, r.dev_eui or (r.lora.dev_addr if r.lora is not None else None) or "–")
    if r.device is not None:
        who = el("a", {"href": place("devices", r.device)}, r.device)
    return [
        moment(t, stored.at.wall_ns, ask.now.wall_ns),
        r.driver,
        who,
        t.word("reason", r.reason or ""),
        r.detail or "",
        joined(
            _hex(raw), " ", link("/decode", t("frames.explain"), kind="frame", data=raw[:256].hex()) if r.lora else None
        ),
    ]


def _hex(raw: bytes) -> Html:
    shown = raw[:24].hex()
    return el("span", {"class": "mono"}, shown + ("…" if len(raw) > 24 else ""))


VIEW = View("quarantine", show, in_menu=never, below="forwarders")
