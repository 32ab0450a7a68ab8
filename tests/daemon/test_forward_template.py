import pytest

from tests.daemon.mqtt_fakes import item
from torhaus.daemon.forward.template import MAX_TEMPLATE_BYTES, Names, escaper, parts, sample_of

escape = escaper("/%", r"\w-")


def test_read() -> None:
    assert parts("a/{site}/b{kind}", "") == [("a/", "site"), ("/b", "kind")]
    assert sample_of("a/{site}", ["site"], "topic", "x") == "a/x"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("", r"a topic is not empty; take for example a/b with \{site\}"),
        ("{place}", r"unknown placeholder \{place\}; known are \{site\}"),
        ("{site", "not closed"),
        ("{site!r}", "a name in braces and nothing else"),
        ("{}", "a name in braces and nothing else"),
        ("x" * (MAX_TEMPLATE_BYTES + 1), "at most 1024 bytes"),
    ],
)
def test_what_is_wrong(template: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        sample_of(template, ["site"], "topic", "a/b")


def test_values() -> None:
    assert [escape(value) for value in ("flur-1", "a/b", "50%", "ä b", "\n", "\ud800", "", None)] == [
        "flur-1",
        "a%2Fb",
        "50%25",
        "ä b",
        "%0A",
        "%ED%A0%80",
        "-",
        "-",
    ]


def test_names_are_kept_but_not_without_end() -> None:
    names = Names("{device}/{kind}/{device}", escape)
    for n in range(5000):
        assert names.of(item(n, device=f"d{n}").message) == f"d{n}/reading/d{n}"
    assert len(names._cache) <= 4096
    assert Names("fest", escape).of(item(0).message) == "fest"
