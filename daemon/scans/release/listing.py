"""A release list in words, German or English, and as CSV. Pure. No document's name is in it."""

import csv
import io
import time
from collections.abc import Sequence
from typing import Final, Literal

from torhaus.daemon.scans.release.papers import Paper

Lang = Literal["de", "en"]

WORDS: Final[dict[Lang, dict[str, str]]] = {
    "de": {
        "title": "Freigabeliste",
        "hint": "Nur was als freigegeben geführt ist, darf vernichtet werden.",
        "batch": "Stapel", "printed": "Stand", "sign": "Datum, Unterschrift", "page": "Seite",
        "no": "Nr.", "id": "Kennung", "class": "Klasse", "pages": "Seiten", "arrived": "Eingang",
        "verified": "Ankunft geprüft", "sample": "Stichprobe", "quality": "Prüfung", "feedback": "Rückmeldung",
        "from": "vernichtbar ab", "standing": "Stand", "yes": "ja", "released": "freigegeben",
        "delivery": "noch nicht geprüft angekommen", "batch_open": "Stapel noch offen",
        "quality_failed": "Prüfung nicht bestanden", "quality_open": "Prüfung offen",
        "feedback_open": "Rückmeldung des Fachbereichs", "delay": "Frist läuft", "person": "wartet auf Freigabe",
        "ok": "in Ordnung", "page-missing": "Seite fehlt", "rescan": "neu scannen", "bad": "schlecht",
        "sum": "Freigegeben", "discarded": "verworfen: nicht freigegeben",
        "replacement": "Ersatz noch nicht geprüft", "replaced": "ersetzt", "settled": "erledigt: nicht freigegeben",
        "withdrawn": "zurückgenommen: aufbewahren",
    },
    "en": {
        "title": "Release list",
        "hint": "Only what is listed as released may be destroyed.",
        "batch": "Batch", "printed": "As of", "sign": "Date, signature", "page": "Page",
        "no": "No", "id": "Id", "class": "Class", "pages": "Pages", "arrived": "Arrived",
        "verified": "Delivery verified", "sample": "Sample", "quality": "Quality", "feedback": "Feedback",
        "from": "Destroy from", "standing": "Standing", "yes": "yes", "released": "released",
        "delivery": "delivery not verified yet", "batch_open": "batch still open",
        "quality_failed": "quality control failed", "quality_open": "quality control open",
        "feedback_open": "feedback of the department", "delay": "delay is running", "person": "waits for release",
        "ok": "ok", "page-missing": "page missing", "rescan": "scan again", "bad": "bad",
        "sum": "Released", "discarded": "discarded: not released",
        "replacement": "new scan not looked at yet", "replaced": "replaced", "settled": "settled: not released",
        "withdrawn": "taken back: keep the paper",
    },
}  # fmt: skip
COLUMNS: Final = (
    "no",
    "id",
    "class",
    "pages",
    "arrived",
    "verified",
    "sample",
    "quality",
    "feedback",
    "from",
    "standing",
)
_WAITS: Final = {"batch": "batch_open", "quality": "quality_open", "feedback": "feedback_open"}


def day(at_ns: int | None) -> str:
    """`2026-11-26` by the box's calendar; empty while it is open."""
    return "" if at_ns is None else time.strftime("%Y-%m-%d", time.localtime(at_ns // 1_000_000_000))


def word(paper: Paper, lang: Lang) -> str:
    """Whether it is released, or what it waits for."""
    if paper.released_ns is not None:
        return WORDS[lang]["released"]
    waits = paper.waits_for or ""
    said = WORDS[lang].get(_WAITS.get(waits, waits), waits)
    return said if paper.replaced_by is None else f"{said}: {paper.replaced_by}"


def cells(paper: Paper, lang: Lang) -> list[str]:
    """One line of the list, in the order of COLUMNS."""
    words = WORDS[lang]
    return [
        str(paper.place), paper.id, paper.class_ or "", str(paper.pages), day(paper.arrived_ns),
        day(paper.verified_ns), words["yes"] if paper.sampled else "", words.get(paper.quality or "", ""),
        words.get(paper.feedback or "", ""), day(paper.free_from_ns), word(paper, lang),
    ]  # fmt: skip


def csv_of(papers: Sequence[Paper], lang: Lang) -> str:
    """Divided by semicolons, as German spreadsheets read it, or by commas; nothing in it begins a formula."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if lang == "de" else ",", lineterminator="\r\n")
    writer.writerow([WORDS[lang][name] for name in COLUMNS])
    writer.writerows([["'" + c if c[:1] in {"=", "+", "-", "@"} else c for c in cells(p, lang)] for p in papers])
    return out.getvalue()
