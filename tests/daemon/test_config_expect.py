from typing import Annotated, Any, Literal

import msgspec
import pytest

from torhaus.daemon.config.expect import did_you_mean, expected, not_known, quote, show


class Struct(msgspec.Struct):
    x: int = 0


def meta(type_: Any, **limits: Any) -> Any:
    return Annotated[type_, msgspec.Meta(**limits)]


@pytest.mark.parametrize(
    ("type_", "words"),
    [
        (int, "a whole number"),
        (meta(int, ge=1, le=9), "a whole number from 1 to 9"),
        (meta(float, gt=0), "a number greater than 0"),
        (meta(float, ge=0.5, lt=2), "a number at least 0.5 and less than 2"),
        (bool, "true or false"),
        (str | None, "text"),
        (meta(str, min_length=1), "text that is not empty"),
        (meta(str, min_length=3), "text of at least 3 characters"),
        (meta(str, max_length=3, pattern=r"^x\Z"), "text of at most 3 characters, that matches ^x"),
        (meta(str, pattern="^[0-9a-fA-F]{16}$"), "16 hex digits"),
        (meta(str, pattern=r"^/[^\x00]*\Z"), "an absolute path"),
        (meta(str, description="a name"), "a name"),
        (Literal["a"], '"a"'),
        (Literal["a", "b"], 'one of "a", "b"'),
        (int | str, "a whole number or text"),
        (list[str], "a list of: text"),
        (meta(tuple[int, ...], min_length=2), "a list with at least 2 of: a whole number"),
        (list[Struct], "a list of tables"),
        (dict[str, int], "a table"),
        (Struct, "a table"),
        (bytes, "of type bytes"),
    ],
)
def test_types_in_words(type_: Any, words: str) -> None:
    assert expected(type_) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "true"),
        (3, "3"),
        (1.5, "1.5"),
        ("x", '"x"'),
        ([], "an empty list"),
        ([1], "a list"),
        ({}, "a table"),
        ("x" * 99, '"' + "x" * 59 + '…"'),
    ],
)
def test_values_in_words(value: Any, words: str) -> None:
    assert show(value) == words


@pytest.mark.parametrize("key", ["password", "token_file", "app_key", "client_secret", "nwk_s_key", "sim_pin"])
def test_what_may_be_a_secret_is_not_shown(key: str) -> None:
    assert "geheim" not in show("geheim", key)


def test_passwords_in_urls_are_not_shown() -> None:
    assert show("mqtts://user:geheim@host/x", "url") == '"mqtts://…@host/x"'


def test_text_stays_on_one_line() -> None:
    assert quote("a\nb\x1b[0m") == '"a\\nb\\u001b[0m"'
    assert quote("Straße") == '"Straße"'


def test_suggestions() -> None:
    assert did_you_mean("lisen", ["listen", "name"]) == ' (did you mean "listen"?)'
    assert did_you_mean("zzz", ["listen", "name"]) == ""


def test_what_is_known_is_named_where_nothing_is_alike() -> None:
    assert not_known("nam", ["id", "name"]) == 'is not known here (did you mean "name"?)'
    assert not_known("foo", ["id", "name"]) == "is not known here (known: id, name)"
    assert not_known("foo", []) == "is not known here"
    many = not_known("zzzz", [f"key{i}" for i in range(100)])
    assert many.endswith(", key18, key19, …)")
    assert many.count("key") == 20
