import pytest

from torhaus.daemon.scans.targets.answers import Answer, answer_to, refusal, retry_after_s
from torhaus.daemon.scans.targets.base import NotNow, Refused, TargetDown


def test_every_status_has_an_answer() -> None:
    for status in range(100, 600):
        assert isinstance(answer_to(status), Answer)
    assert {answer_to(status) for status in (100, 301, 307, 999)} == {Answer.DOWN}


def test_what_cannot_be_read_back_is_no_fault_of_the_document() -> None:
    assert isinstance(refusal(400), Refused)
    assert isinstance(refusal(400, reading=True), NotNow)
    assert isinstance(refusal(403, reading=True), TargetDown)
    assert str(refusal(500, where="search")) == "search: 500"
    down = refusal(503, 30)
    assert isinstance(down, TargetDown)
    assert down.after_s == 30


@pytest.mark.parametrize(
    ("value", "seconds"), [("120", 120), ("", 0), ("-1", 0), ("9" * 8, 0), ("Fri, 31 Dec", 0), ("²", 0)]
)
def test_pauses(value: str, seconds: float) -> None:
    assert retry_after_s(value) == seconds


NOON = "Fri, 31 Dec 2027 11:59:00 GMT"


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("Fri, 31 Dec 2027 12:00:30 GMT", NOON, 90), ("Friday, 31-Dec-27 12:00:30 GMT", NOON, 90), (NOON, NOON, 0),
        ("Fri, 31 Dec 2027 11:00:00 GMT", NOON, 0), ("Fri, 31 Dec 2027 12:00:30 GMT", "", 0),
        ("Fri, 31 Dec 2027 12:00:30", NOON, 0), ("Fri, 99 Dec 2027 12:00:30 GMT", NOON, 0), ("\x00" * 999, NOON, 0),
    ],
)  # fmt: skip
def test_a_point_in_time_counts_from_the_servers_own_clock(value: str, date: str, seconds: float) -> None:
    assert retry_after_s(value, date) == seconds
