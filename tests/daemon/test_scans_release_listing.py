import msgspec
import pytest

from torhaus.daemon.scans.release.listing import COLUMNS, WORDS, Lang, cells, csv_of, word
from torhaus.daemon.scans.release.papers import Paper, Result, Waits

PAPER = Paper(
    id="rathaus/0a/1", seq=1, station="post", lot="post/2026-11-26", place=1, class_="rechnung", pages=3,
    state="verified", sha256="0" * 64, arrived_ns=1_790_000_000 * 10**9, verified_ns=1_790_000_100 * 10**9,
    sampled=True, quality="ok", feedback=None, released_ns=None, free_from_ns=1_795_000_000 * 10**9, waits_for="delay",
)  # fmt: skip


@pytest.mark.parametrize("lang", ["de", "en"])
def test_every_word_is_there(lang: Lang) -> None:
    assert WORDS[lang].keys() == WORDS["de"].keys()
    for waits in Waits:
        assert word(msgspec.structs.replace(PAPER, waits_for=waits.value), lang) in WORDS[lang].values()
    for result in Result:
        assert WORDS[lang][result] in cells(msgspec.structs.replace(PAPER, quality=result.value), lang)
    replaced = msgspec.structs.replace(PAPER, waits_for="replaced", replaced_by="rathaus/0a/17")
    assert word(replaced, lang).endswith(": rathaus/0a/17")
    assert word(msgspec.structs.replace(PAPER, released_ns=1), lang) == WORDS[lang]["released"]


def test_csv_is_what_spreadsheets_read() -> None:
    head, line, end = csv_of([msgspec.structs.replace(PAPER, class_="=1+1")], "de").split("\r\n")
    assert (head.count(";"), line.count(";"), end) == (len(COLUMNS) - 1, len(COLUMNS) - 1, "")
    assert line.startswith("1;rathaus/0a/1;'=1+1;3;2026-09-21;")
    assert line.endswith("Frist läuft")
    assert csv_of([], "en").startswith("No,Id,")
