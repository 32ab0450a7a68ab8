import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.daemon.mqtt_fakes import item
from torhaus.daemon.forward.template import STATUS_KEYS
from torhaus.daemon.nats.subject import Subjects, check_subject, escape, fill


@pytest.mark.parametrize(
    "template", ["torhaus.{site}.{device}.{kind}", "a", "{dev_eui}", "x.{driver}-{device}", "Tür.a$"]
)
def test_good(template: str) -> None:
    check_subject(template)


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("", r"a subject is not empty; take for example torhaus\.\{site\}\.… with \{site\}"),
        ("torhaus.{place}", r"unknown placeholder \{place\}; known are \{site\} \{device\}"),
        ("torhaus.>", "> is a wildcard"),
        ("torhaus.*.x", r"\* is a wildcard"),
        ("$JS.API.x", r"belong to the server"),
        (".a", "empty token"),
        ("a..b", "empty token"),
        ("a b", "no white space"),
        ("a\r\nPUB b", "no white space"),
        ("a\x00", "printable"),
        ("{device", "not closed"),
        ("a" * 2000, "at most 1024 bytes"),
    ],
)
def test_bad(template: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_subject(template)


@given(st.one_of(st.none(), st.text(max_size=20)))
def test_a_value_is_one_token(value: str | None) -> None:
    token = escape(value)
    assert token
    assert not set(token) & set(".*>$ \t\r\n\0")
    assert not any(c.isspace() for c in token)


@given(st.text(min_size=1, max_size=10), st.text(min_size=1, max_size=10))
def test_different_values_stay_different(one: str, two: str) -> None:
    assert (one == two) == (escape(one) == escape(two)) or "-" in {one, two}


def test_records_and_others() -> None:
    subjects = Subjects("torhaus.{site}.{device}.{kind}")
    assert subjects.of(item(0, device=None).message) == "torhaus.rathaus.-.reading"
    assert subjects.of(item(0, device="a.b").message) == "torhaus.rathaus.a%2Eb.reading"
    check_subject("x.{name}", STATUS_KEYS)
    assert fill("x.{site}.{name}", site="rathaus", name="a b") == "x.rathaus.a%20b"
