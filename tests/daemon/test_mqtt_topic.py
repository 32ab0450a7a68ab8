import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.template import STATUS_KEYS
from torhaus.daemon.mqtt.topic import Topics, check_template, escape, fill


def message(**values: str) -> Message:
    base = {"id": "rathaus/3f2a91c0/1", "site": "rathaus", "at": "2026-11-23T09:53:25.400Z"}
    return Message(**{**base, **values}, kind="reading", clock="synced", late=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "template",
    ["torhaus/{site}/{device}/{kind}", "a", "{dev_eui}", "x/{driver}-{device}/y", "Straße {site}/a b", "a/$b"],
)
def test_good_templates(template: str) -> None:
    check_template(template)


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("", "not empty"),
        ("torhaus/{place}", r"unknown placeholder \{place\}; known are \{site\} \{device\}"),
        ("torhaus/#", "# is a wildcard"),
        ("torhaus/+/x", r"\+ is a wildcard"),
        ("$SYS/{site}", "belong to the broker"),
        ("/torhaus", "empty level"),
        ("torhaus/", "empty level"),
        ("a//b", "empty level"),
        ("a/{site", "not closed"),
        ("a/}", "not closed"),
        ("a/{}", "name in braces"),
        ("a/{site!r}", "name in braces"),
        ("a/{site:>9}", "name in braces"),
        ("a/{site.__class__}", "unknown placeholder"),
        ("a/{0}", "unknown placeholder"),
        ("a\n", "printable"),
        ("a\0", "printable"),
        ("\ud800", "printable"),
        ("x" * 1025, "at most"),
    ],
)
def test_bad_templates(template: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_template(template)


def test_status_template_has_its_own_placeholders() -> None:
    check_template("torhaus/{site}/{name}/status", STATUS_KEYS)
    with pytest.raises(ValueError, match=r"known are \{site\} \{name\}"):
        check_template("torhaus/{device}", STATUS_KEYS)
    assert fill("torhaus/{site}/{name}", site="rathaus", name="a/b") == "torhaus/rathaus/a%2Fb"


def test_a_value_stays_within_its_level() -> None:
    topics = Topics("torhaus/{site}/{device}/{kind}")
    assert topics.of(message(device="sitzungssaal-co2")) == "torhaus/rathaus/sitzungssaal-co2/reading"
    assert topics.of(message(device="../a/#/+")) == "torhaus/rathaus/..%2Fa%2F%23%2F%2B/reading"
    assert topics.of(message(device="Kühlung 1")) == "torhaus/rathaus/Kühlung 1/reading"
    assert topics.of(message(device="100%\n")) == "torhaus/rathaus/100%25%0A/reading"
    assert topics.of(message()) == "torhaus/rathaus/-/reading"
    assert Topics("{device}").of(message(device="$SYS")) == "%24SYS"
    assert Topics("{device}").of(message(device="{site}")) == "{site}"


def test_every_placeholder() -> None:
    topics = Topics("{driver}/{dev_eui}/{site}/{site}{kind}")
    assert (
        topics.of(message(driver="lora", dev_eui="a81758fffe0312ab")) == "lora/a81758fffe0312ab/rathaus/rathausreading"
    )
    assert Topics("fixed").of(message()) == "fixed"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_different_values_different_levels(one: str, other: str) -> None:
    for value in (one, other):
        assert not set(escape(value)) & set("/+#$\0")
        assert escape(value).encode()
    assert (escape(one) == escape(other)) == (one == other or {one, other} == {"", "-"})


def test_cache_is_bounded() -> None:
    topics = Topics("{device}")
    for n in range(10_000):
        assert topics.of(message(device=f"d{n}")) == f"d{n}"
    assert len(topics._cache) <= 4096
