import pytest

from tests.daemon.page_scene import EVIL, checked
from torhaus.codecs.model import Value
from torhaus.daemon.page import parts
from torhaus.daemon.page.html import el
from torhaus.daemon.page.language import Language

DE = Language("de")


def test_states_have_a_sign_and_a_word() -> None:
    assert parts.chip("bad", "<down>").text == (
        '<span class="chip bad"><span aria-hidden="true">✕</span> &lt;down&gt;</span>'
    )
    assert len(set(parts.SIGNS.values())) == len(parts.SIGNS)


def test_tables() -> None:
    made = parts.table(["a", "b"], [["x", 1], [EVIL, el("b", "y")]], numbers=(1,))
    checked(made.text)
    assert made.text.count('class="n"') == 3
    assert parts.table(["a"], [], empty="none").text == '<p class="empty">none</p>'
    assert "<thead>" in parts.table(["a"], []).text


def test_facts_leave_out_what_is_not_known() -> None:
    assert parts.facts([("a", None), ("b", ""), ("c", 0)]).text == '<dl class="facts"><dt>c</dt><dd>0</dd></dl>'


def test_links() -> None:
    assert parts.place("devices", "a b/ü?") == "/devices/a%20b%2F%C3%BC%3F"
    assert parts.place("devices", "..") == "/devices/.."
    assert parts.link("/x", "y", a="1 2", b=None, c=3, d="").text == '<a href="/x?a=1+2&amp;c=3">y</a>'
    assert parts.asked({"a": "\ud800"}) == "?a=%3F"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value(21.44, "Cel"), "21,44 °C"), (Value(True), "ja"), (Value(None), "–"), (Value(55, "%"), "55 %"),
        (Value(1e300, "x"), "1e+300 x"), (Value(float("nan")), "nan"), (Value(float("-inf"), "m"), "-inf m"),
        (Value(10**20), "1" + "0" * 20), (Value(1234567, "W.h"), "1.234.567 Wh"), (Value("x" * 100), "x" * 60 + "…"),
        (Value(0.00001, "m3"), "1e-05 m³"), (Value(0.0), "0"), (Value(False), "nein"),
    ],
)  # fmt: skip
def test_values(value: Value, text: str) -> None:
    assert parts.said(DE, value) == text


def test_several_values() -> None:
    fields = {name: Value(i) for i, name in enumerate("abc")}
    assert checked(parts.values(DE, fields, 2).text).tags == {"span", "i"}
    assert "+1" in parts.values(DE, fields, 2).text
    assert "+" not in parts.values(DE, fields, 3).text


def test_times() -> None:
    at = 1_795_000_000 * 10**9
    assert 'datetime="2026-11-18T11:06:40Z" title="2026-11-18T11:06:40Z (UTC)"' in parts.since(DE, at, at).text
    assert "nie" in parts.since(DE, 0, at).text
    assert parts.moment(DE, 0, at).text == "<span>–</span>"
    assert "datetime" not in parts.moment(DE, 1 << 80, at).text


def test_pages() -> None:
    assert parts.pages(DE, "/d", 1, 50).text == ""
    middle = parts.pages(DE, "/d", 2, 2000, q="a&b").text
    assert checked(middle).links == ["/d?q=a%26b&page=1", "/d?q=a%26b&page=3"]
    assert "Seite 2 von 40" in middle
    assert checked(parts.pages(DE, "/d", 40, 2000).text).links == ["/d?page=39"]
    asked = ["", "3", "0", "99999999999", "-1", "x", "٣"]
    assert [parts.page_of(text, 2000) for text in asked] == [1, 3, 1, 1, 1, 1, 1]
    assert (parts.page_of("999", 2000), parts.page_of("5", 0)) == (40, 1)


def test_forms_and_bars() -> None:
    made = parts.field("a", parts.choice("n", [("x", "X"), ("y", EVIL)], "y"), "hint")
    checked(made.text)
    assert '<option value="y" selected>' in made.text
    assert 'value="1.000"' in parts.bar(DE, 7).text
    assert "700 %" in parts.bar(DE, 7).text
    assert parts.command("x <y").text == '<code class="command">x &lt;y</code>'
    assert checked(parts.section("T", "x", id_="i").text).ids == {"i"}
