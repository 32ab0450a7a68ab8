from types import SimpleNamespace
from typing import Any

import pytest

from tests.daemon.page_scene import EVIL, checked
from torhaus.codecs.model import Stamp
from torhaus.daemon.page import lot
from torhaus.daemon.page.language import CODES, Language
from torhaus.daemon.page.view import Ask
from torhaus.daemon.scans.refusals import Refusal, Refused
from torhaus.daemon.scans.release.papers import Paper, Waits
from torhaus.daemon.scans.release.standing import THROUGH, LotStanding, Step

NOW = 1_795_000_000 * 10**9


def ask(code: str = "de") -> Ask:
    site: Any = SimpleNamespace(
        now=lambda: Stamp(NOW, 0, synced=True), loaded=SimpleNamespace(site=SimpleNamespace(name=EVIL, id="x"))
    )
    return Ask(site, Language(code))


def paper(place: int = 1, **more: Any) -> Paper:
    values: dict[str, Any] = {
        "id": f"rathaus/1/{place}", "seq": place, "station": "post", "lot": EVIL, "place": place, "class_": EVIL,
        "pages": 2, "state": "verified", "sha256": "00", "arrived_ns": NOW, "verified_ns": NOW, "sampled": False,
        "quality": None, "feedback": None, "released_ns": None,
    }  # fmt: skip
    return Paper(**(values | more))


STANDINGS = {
    Step.LOOK: {"open": 2}, Step.LOOK_AT_ALL: {"open": 1, "unseen": 9, "failed": 1}, Step.TROUBLE: {"objected": 1},
    Step.DELIVERY: {"undelivered": 3}, Step.RELEASE: {"free_from_ns": NOW}, Step.DELAY: {"free_from_ns": NOW + 10**18},
    Step.DONE: {"released": 10},
}  # fmt: skip


def standing(**more: int) -> LotStanding:
    return LotStanding(name=EVIL, drawn_ns=0, **({"count": 10, "sampled": 2} | more))


@pytest.mark.parametrize("code", CODES)
def test_a_state_is_a_sign_and_words(code: str) -> None:
    """Colour is never all that tells."""
    said = set()
    for step, values in STANDINGS.items():
        one = standing(**values)
        assert one.step(NOW) is step
        text = lot.verdict(ask(code), one).text
        checked(text)
        sign = lot.SIGNS[lot.LEVELS[step]]
        assert f'<span class="sign" aria-hidden="true">{sign}</span>' in text
        assert 'role="status"' in text
        heads = {"de": ("Der Stapel ist durch", "Der Stapel ist noch nicht durch"),
                 "en": ("The batch is through", "The batch is not through yet")}  # fmt: skip
        assert f'<p class="large">{heads[code][step not in THROUGH]}</p>' in text
        assert (sign == "✓") == (step in THROUGH)
        said.add(lot.state(ask(code), one).text)
    assert len(said) == len(Step)


def test_the_steps_have_their_figures() -> None:
    text = lot.steps(ask("en"), standing(open=1, unseen=9, undelivered=4, released=0)).text
    checked(text)
    assert "Arrived</b> 6 of 10" in text
    assert "Looked at</b> 1 of 2" in text
    assert "Released</b> 0 of 10" in text
    assert "✓" not in text
    text = lot.steps(ask("en"), standing(open=0, unseen=3, looked=7, failed=1, released=10)).text
    assert "Looked at</b> 7 of 10" in text
    assert text.count("✓") == 2


def test_why_not_is_said_in_the_readers_language() -> None:
    refused = Refused(Refusal.STATE, state="filed")
    assert lot.refusal(ask("de"), refused).endswith("Dieses Dokument nicht: abgelegt.")
    assert lot.refusal(ask("en"), refused).endswith("This document does not: filed.")
    assert lot.refusal(ask("de"), ValueError("by: a pseudonym")) == "by: a pseudonym"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("42", "rathaus/1f/42"), (" 42 ", "rathaus/1f/42"), ("rathaus/2e/42", "rathaus/2e/42"), ("", ""), ("٤٢", "٤٢"),
     ("<b>", "<b>"), ("9" * 300, "rathaus/1f/" + "9" * 100)],
)  # fmt: skip
def test_a_scan_may_be_named_by_its_number_alone(typed: str, meant: str) -> None:
    assert lot.scan_named(typed, "rathaus/1f/17") == meant


def test_at_what_somebody_has_to_look() -> None:
    fine = [paper(1), paper(2, sampled=True), paper(3, sampled=True, quality="ok")]
    assert [p.place for p in lot.wanted(fine)] == [2]
    assert not lot.is_bad(fine)
    bad = [*fine, paper(4, sampled=True, quality="rescan")]
    assert [p.place for p in lot.wanted(bad)] == [1, 2]
    assert lot.is_bad(bad)


def test_documents_and_the_list_show_what_outsiders_named_as_text() -> None:
    papers = [
        paper(1, sampled=True, waits_for=Waits.QUALITY),
        paper(2, quality="ok", feedback="rescan", waits_for=Waits.FEEDBACK),
        paper(3, released_ns=NOW, free_from_ns=NOW, state="released"),
        paper(4, pages=0, verified_ns=None, state="held", waits_for=Waits.DELIVERY),
    ]
    for code in CODES:
        text = lot.documents(ask(code), EVIL, papers).text
        found = checked(text)
        assert len(found.links) == 4
        assert "&lt;img" in text
        text = lot.sheet(ask(code), standing(released=1), papers).text
        checked(text)
        assert "1/4" in text
        assert "&lt;img" in text
    assert "delivery not verified yet" in text
    assert "scan again" in text
    assert lot.said(ask(), None) == "–"
