import re
import string
from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.codecs.lorawan.downlink import TxStatus
from torhaus.codecs.lorawan.phy import MTYPE_NAMES
from torhaus.codecs.model import RejectReason
from torhaus.daemon import causes
from torhaus.daemon.lora.join_book import JoinResult
from torhaus.daemon.page import attention
from torhaus.daemon.page.language import CODES, Language, chosen, texts, utc
from torhaus.daemon.page.users import Role
from torhaus.daemon.scans.pull.faults import Fault
from torhaus.daemon.scans.refusals import TEXTS, Refusal
from torhaus.daemon.scans.release.papers import Result
from torhaus.daemon.scans.release.standing import Step
from torhaus.daemon.scans.states import Reason, State
from torhaus.drivers.said import WORDS, Said, about

ROOM = Path(attention.__file__).parent
AT = 1_795_000_000 * 10**9
DE, EN = Language("de", UTC), Language("en", UTC)


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_catalogues_say_the_same_things() -> None:
    de, en = texts("de"), texts("en")
    assert de.keys() == en.keys()
    assert {k: holes(v) for k, v in de.items()} == {k: holes(v) for k, v in en.items()}
    assert all(v.strip() == v and v and v.count("`") % 2 == 0 for t in (de, en) for v in t.values())
    assert sum(de[k] == en[k] for k in de) < len(de) / 5


def test_every_text_is_used_and_every_one_used_is_there() -> None:
    code = "".join(p.read_text() for p in ROOM.rglob("*.py"))
    direct = set(re.findall(r'\bt\("([a-z_]+(?:\.[a-zA-Z_ ]+)?)"', code))
    direct |= set(re.findall(r't\.count\("([a-z_.]+)"', code))
    there = set(texts("de"))
    assert [k for k in sorted(direct) if k not in there and f"{k}.one" not in there] == []
    rooms = set(re.findall(r"""t\.word\(["']([a-z_]+)["']""", code)) | {
        "cause",
        "advice",
        "join_advice",
        "role",
        "lot_more",
        "scan_fault",
        "refusal",
        "said",
    }
    words = set(re.findall(r"[a-z_]+", code))  # those that are looped over
    unused = [
        key
        for key in there
        if not (
            key in direct
            or key.rpartition(".")[0] in direct
            or key.partition(".")[0] in rooms
            or key.rpartition(".")[2].removeprefix("show_") in words
        )
    ]
    assert unused == []


@pytest.mark.parametrize("code", CODES)
def test_words_of_ours_have_their_texts(code: str) -> None:
    there = texts(code)
    wanted = {f"cause.{k}" for k in (*causes.KINDS, *attention.MORE)} | {
        f"advice.{k}" for k in (*causes.KINDS, *attention.MORE)
    }
    wanted |= {f"scan_state.{s}" for s in State} | {f"scan_reason.{r}" for r in Reason}
    wanted |= {f"reason.{r.value}" for r in RejectReason} | {f"tx.{s.value}" for s in TxStatus}
    wanted |= {f"join.{r}" for r in JoinResult} | {f"mtype.{m}" for m in MTYPE_NAMES.values()}
    wanted |= {f"lot_more.{s}" for s in Step} | {f"result.{r}" for r in Result}
    wanted |= {f"said.{kind}" for kind in WORDS}
    wanted |= {f"scan_fault.{f}" for f in Fault} | {f"refusal.{r}" for r in Refusal}
    wanted |= {f"role.{r.name.lower()}" for r in Role}
    assert sorted(wanted - there.keys()) == []
    assert {r: holes(TEXTS[r]) for r in Refusal} == {r: holes(there[f"refusal.{r}"]) for r in Refusal}
    for kind in (*causes.KINDS, *attention.MORE):
        assert holes(there[f"cause.{kind}"]) <= {"about", "detail", "seconds", "hours", "minutes", "n"}


@pytest.mark.parametrize(
    ("accept", "code"),
    [
        ("", "de"), ("en", "en"), ("en-GB,en;q=0.9", "en"), ("fr, en;q=0.5", "en"), ("de;q=0.4, en;q=0.5", "en"),
        ("fr", "de"), ("*", "de"), ("en;q=0", "de"), ("en;q=2", "de"), ("<b>", "de"), ("en" + "," * 10_000, "en"),
        ("DE-at", "de"), ("x" * 300 + ",en", "de"), ("en;q=0.", "de"),
    ],
)  # fmt: skip
def test_the_language_that_is_wanted(accept: str, code: str) -> None:
    assert chosen(accept) == code


@given(st.text())
def test_any_wish_is_a_language(accept: str) -> None:
    assert chosen(accept) in CODES


def test_numbers() -> None:
    assert (EN.number(12345), DE.number(12345)) == ("12,345", "12.345")
    assert (EN.number(12345.678), DE.number(12345.678)) == ("12,345.68", "12.345,68")
    assert (EN.number(21.0), EN.number(-0.001), EN.number(-7.5, 1)) == ("21", "0", "−7.5")
    assert (DE.percent(0.125), DE.percent(0.125, 1), EN.percent(1)) == ("12 %", "12,5 %", "100 %")
    assert (DE.size(900), DE.size(5 << 20), EN.size(3 << 30)) == ("900 B", "5 MiB", "3 GiB")
    assert (EN.span(0.5), EN.span(59), EN.span(3600), DE.span(86_400 * 1234)) == ("0 s", "59 s", "1 h", "1.234 d")


def test_times() -> None:
    assert (DE.ago(0, AT), DE.ago(AT, AT), EN.ago(AT - 5 * 10**9, AT)) == ("nie", "jetzt", "5 s ago")
    assert DE.at(AT) == "18.11.2026 11:06:40"
    assert EN.at(AT) == "2026-11-18 11:06:40"
    assert (DE.day(AT), EN.day(AT), EN.day(1 << 80)) == ("18.11.2026", "2026-11-18", "?")
    assert (EN.at(AT, AT), EN.at(AT - 86_400 * 10**9, AT)) == ("11:06:40", "2026-11-17 11:06:40")
    assert Language("en", timezone(timedelta(hours=1), "MEZ")).at(AT, AT) == "12:06:40"
    assert Language("en", timezone(timedelta(hours=1), "MEZ")).zone(AT) == "MEZ"
    assert (utc(AT), utc(1 << 80), EN.at(1 << 80)) == ("2026-11-18T11:06:40Z", "?", "?")


def test_words_and_counts() -> None:
    assert DE.word("join", "wrong_key") == "Schlüssel falsch"
    assert DE.word("join", "something_new") == "something new"
    assert (EN.count("devices.found", 1), EN.count("devices.found", 2000)) == ("1 device.", "2,000 devices.")
    assert EN.has("yes")
    assert not EN.has("nobody.knows")
    assert EN("cause.driver_down", about="{x}", detail="{0}") == "Driver “{x}” does not work: {0}"
    with pytest.raises(KeyError):
        EN("nobody.knows")


def test_what_a_driver_says_in_both_languages() -> None:
    what = about("10.0.0.7:502", Said("no_answer", s=2.5))
    assert DE.said(what) == "10.0.0.7:502: keine Antwort innerhalb von 2,5 s"
    assert DE.said("as a library said it") == "as a library said it"
    for kind, words in WORDS.items():
        said = Said(kind, **{name: 7 if name in {"s", "size", "most"} else "x" for name in holes(words)})
        assert EN.said(said) == said
