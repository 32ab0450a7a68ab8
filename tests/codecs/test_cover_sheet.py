"""Codes of cover sheets: what is built is read, and nothing else is taken for one."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.codecs.cover_sheet import MAX_TEXT, CoverSheet, build, is_meant, parse
from torhaus.codecs.model import DecodeError, RejectReason

KEY = bytes(range(32))
SHEET = CoverSheet("bauamt", "4KQ7VZ2MXPHB", "rechnung", 12, "2026-11-26-1")
# HMAC-SHA-256 worked out with OpenSSL 3.0: printf '%s' TEXT | openssl mac -digest SHA256 -macopt hexkey:0001…1f HMAC
TEXT = "TH1;d=bauamt;c=rechnung;n=12;b=2026-11-26-1;s=4KQ7VZ2MXPHB;k=X5XIYT6RKJDEWI6Q"

words = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,31}", fullmatch=True)
sheets = st.builds(
    CoverSheet,
    words,
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=12, max_size=12),
    st.none() | words,
    st.none() | st.integers(1, 9999),
    st.none() | words,
)


def refused(text: str, *keys: bytes) -> RejectReason:
    with pytest.raises(DecodeError) as caught:
        parse(text, keys or (KEY,))
    return caught.value.reason


def test_the_check_value_is_an_hmac_as_others_compute_it() -> None:
    assert build(SHEET, KEY) == TEXT
    assert parse(TEXT, [KEY]) == SHEET


@given(sheets, st.binary(min_size=16, max_size=64))
def test_what_is_built_is_read_by_its_key_and_by_no_other(sheet: CoverSheet, key: bytes) -> None:
    text = build(sheet, key)
    assert len(text) <= MAX_TEXT
    assert parse(text, [KEY[::-1], key]) == sheet
    assert refused(text, KEY[::-1]) is RejectReason.MIC


@given(st.integers(0, len(TEXT) - 1), st.sampled_from(string.printable))
def test_a_changed_character_is_noticed(at: int, character: str) -> None:
    text = TEXT[:at] + character + TEXT[at + 1 :]
    if text != TEXT:
        refused(text)


@given(st.text(max_size=300) | st.text(max_size=250).map(lambda t: "TH1;" + t))
def test_whatever_a_code_says_only_refusals_leave(text: str) -> None:
    reason = refused(text)
    assert (reason is RejectReason.UNKNOWN_TYPE) == (not is_meant(text))


@pytest.mark.parametrize("cut", range(len(TEXT)))
def test_truncated(cut: int) -> None:
    assert refused(TEXT[:cut]) in {RejectReason.UNKNOWN_TYPE, RejectReason.SYNTAX}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("https://example.org/?TH1;d=bauamt", RejectReason.UNKNOWN_TYPE),
        ("ASN00012", RejectReason.UNKNOWN_TYPE),
        ("TH1;" + "x" * MAX_TEXT, RejectReason.LONG),
        (TEXT + "\n", RejectReason.SYNTAX),
        (TEXT.replace("n=12", "n=012"), RejectReason.SYNTAX),
        (TEXT.replace("bauamt", "../etc"), RejectReason.SYNTAX),
        (TEXT.replace("bauamt", "kämmerei"), RejectReason.SYNTAX),
        (TEXT.replace("bauamt", "sozialamt"), RejectReason.MIC),
    ],
)
def test_what_is_none_of_ours(text: str, reason: RejectReason) -> None:
    assert refused(text) is reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"department": "Bauamt"}, "department: 1 to 32"),
        ({"class_": ""}, "class: 1 to 32"),
        ({"batch": "a/b"}, "batch: 1 to 32"),
        ({"sheet": "short"}, "sheet: 12 of"),
        ({"pages": 0}, "pages: 1 to 9999"),
    ],
)
def test_what_a_sheet_cannot_say(change: dict[str, object], words: str) -> None:
    values: dict[str, object] = {"department": "bauamt", "sheet": "4KQ7VZ2MXPHB"} | change
    with pytest.raises(ValueError, match=words):
        CoverSheet(**values)  # type: ignore[arg-type]


def test_a_key_that_is_no_secret() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        build(SHEET, b"kurz")
