"""Scanners that are asked for their pages: started on the page, looked at while they come, and how it ended."""

from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.language import Language
from torhaus.daemon.page.parts import chip, section, table
from torhaus.daemon.page.users import Role, account_of
from torhaus.daemon.page.view import Ask, Missing, Moved, Unable, moved
from torhaus.daemon.scans.pull.pulls import Pull, Pulls

_PATH = "/scans"


def is_running(pulls: Pulls) -> bool:
    """Whether pages are coming in."""
    return any(last.state == "running" for last in pulls.last.values())


def panel(ask: Ask, pulls: Pulls) -> Html | None:
    """Each scanner with its last job, and a button for whoever may start one; None where there is no such scanner."""
    t = ask.t
    if not pulls.stations:
        return None
    rows: list[list[Child]] = []
    for name in sorted(pulls.stations):
        last = pulls.now(name)
        can_start = ask.may(Role.OPERATE) and (last is None or last.state != "running")
        rows.append([name, _state(t, last), ask.button(_PATH, t("scanners.start"), station=name) if can_start else ""])
    hint = None if ask.may(Role.OPERATE) else el("p", {"class": "hint"}, t("scanners.sign_in"))
    return section(t("scanners.title"), table([t("scans.station"), t("scans.state"), ""], rows), hint)


def start(ask: Ask, pulls: Pulls, name: str) -> Moved:
    """Start a job. Raises Missing (no such scanner), Unable (a job is running)."""
    try:
        assert ask.user is not None
        pulls.start(name, account_of(ask.user.name))
    except KeyError:
        raise Missing from None
    except ValueError:
        raise Unable(ask.t("scanners.running_already")) from None
    return moved(_PATH)


def _state(t: Language, last: Pull | None) -> Html:
    if last is None:
        return chip("off", t("scanners.never"))
    came = t.count("scanners.files", last.files)
    if last.state == "running":
        return joined(chip("note", t("scanners.running")), " ", came)
    if last.state == "done":
        return joined(chip("good", t("scanners.done")), " ", came)
    why = _why(t, last)
    if last.state == "refused":
        return joined(chip("bad", t("scanners.refused")), " ", why)
    kept = joined(" ", t.count("scanners.held", last.files)) if last.files else None
    return joined(chip("warn", t("scanners.trouble")), " ", why, kept)


def _why(t: Language, last: Pull) -> str:
    """What went wrong, in the reader's language."""
    key = f"scan_fault.{last.fault}"
    return t(key, detail=last.detail) if t.has(key) else last.said
