import pytest

from torhaus.daemon.forward.windows import Window, is_open, parse_window


@pytest.mark.parametrize(
    ("text", "days", "start", "end"),
    [
        ("22:00-06:00", "0123456", 1320, 360),
        ("0:00 - 24:00", "0123456", 0, 1440),
        ("Mon-Fri 18:00-24:00", "01234", 1080, 1440),
        ("sa,So 00:00-12:30", "56", 0, 750),
        ("Fr-Mo 1:00-2:00", "4560", 60, 120),
        ("Mi 1:00-2:00", "2", 60, 120),
        ("Mo-So 1:00-2:00", "0123456", 60, 120),
    ],
)
def test_what_can_be_written(text: str, days: str, start: int, end: int) -> None:
    assert parse_window(text) == Window(frozenset(map(int, days)), start, end)


@pytest.mark.parametrize(
    "text",
    ["", "nachts", "22-06", "25:00-26:00", "10:60-11:00", "10:00-11:61", "10:00-10:00", "24:00-06:00", "x 10:00-11:00",
     "Mon- 10:00-11:00", "Mon,,Tue 10:00-11:00", "10:00-24:01", "1" * 90],
)  # fmt: skip
def test_what_cannot(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be a window|times that are none|days that are none"):
        parse_window(text)


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    night = parse_window("Fri 22:00-06:00")
    opened = [(day, hour) for day in range(7) for hour in range(24) if night.is_open(day, hour * 60)]
    assert opened == [(4, 22), (4, 23), *((5, hour) for hour in range(6))]


def test_several_windows_and_none() -> None:
    windows = (parse_window("Mo 1:00-2:00"), parse_window("Di 1:00-2:00"))
    assert [is_open(windows, day, 60) for day in range(3)] == [True, True, False]
    assert not is_open(windows, 0, 120)
    assert is_open((), 3, 700)
