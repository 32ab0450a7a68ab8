import pytest

from torhaus.daemon.cli.show import ago, duration, plain, records, size, table


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (0.9, "0 s"), (59.9, "59 s"), (60, "1 min"), (3600, "1 h"), (86_399, "23 h"), (9e9, "104166 d")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_ago() -> None:
    assert ago(0, 10**18) == "never"
    assert ago(10**18, 10**18 + 45 * 10**9) == "45 s ago"
    assert ago(2 * 10**18, 10**18) == "0 s ago"  # the clock was set back


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB")])
def test_size(count: int, text: str) -> None:
    assert size(count) == text


def test_table() -> None:
    rows = [("a", 1, "x"), ("longer", 12345, "")]
    assert table(("NAME", "N", ""), rows).splitlines() == [
        "NAME    N",
        "a           1  x",
        "longer  12345",
    ]
    assert table(("A",), []) == "A"


def test_what_far_sides_say_does_not_move_the_cursor() -> None:
    assert plain("ä \x1b[2J\n\x9b\u202e") == "ä \\x1b[2J\\n\\x9b\\u202e"
    assert table(("A",), [("a\nb",)]) == "A\na\\nb"


def test_one_and_many() -> None:
    assert [records(n) for n in (0, 1, 2)] == ["0 records", "1 record", "2 records"]


def test_what_is_not_known_stands_where_the_numbers_stand() -> None:
    assert table(("A", "B"), [(1000, "—"), ("—", "x")]) == "A     B\n1000  —\n   —  x"
