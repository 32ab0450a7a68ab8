import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.page_scene import Checker, checked
from torhaus.daemon.page.html import Html, document, el, joined


def test_elements() -> None:
    made = el(
        "p", {"class": "note", "hidden": True, "id": None, "lang": False, "data-n": 3}, "3 < 4, ", el("b", 1.5), None
    )
    assert made.text == '<p class="note" hidden data-n="3">3 &lt; 4, <b>1.5</b></p>'
    assert el("br").text == "<br>"
    assert el("ul", (el("li", i) for i in range(2))).text == "<ul><li>0</li><li>1</li></ul>"
    assert joined(el("i"), "<", between=", ").text == "<i></i>, &lt;"
    assert repr(Html("<b>")) == "Html('<b>')"
    assert document(el("p", "ä")) == "<!doctype html>\n<p>ä</p>\n".encode()


def test_what_cannot_be_printed_is_spelled() -> None:
    assert el("p", "a\x00b\u202ec\ud800").text == r"<p>a\x00b\u202ec\ud800</p>"
    assert document(Html("\ud800")) == b"<!doctype html>\n?\n"


@pytest.mark.parametrize("address", ["http://x", "//x", "/\\x", "javascript:alert(1)", "x", "", " /x", "data:,"])
def test_addresses_of_other_sites_are_defects(address: str) -> None:
    for name in ("href", "src", "action", "formaction"):
        with pytest.raises(ValueError, match="another site"):
            el("a", {name: address})
    assert el("a", {"href": "/x?a=1&b=2"}).text == '<a href="/x?a=1&amp;b=2"></a>'


@settings(max_examples=50)
@given(st.text(), st.text())
def test_text_stays_text(text: str, value: str) -> None:
    made = el("div", el("p", {"title": value}, text), text)
    assert checked(made.text).tags == {"div", "p"}
    parser = Checker()
    parser.feed(made.text)
    assert parser.open == []
