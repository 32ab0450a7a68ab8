import pytest

from torhaus.daemon.evidence.report import Report, is_signed, parsed, say, showable


def test_whatever_is_no_json_is_a_value_error() -> None:
    assert parsed('{"a":1}') == {"a": 1}
    for odd in (b"", b"\xff", b"{", b"[" * 100_000, b'{"a":' * 100_000):
        with pytest.raises(ValueError):
            parsed(odd)


def test_what_is_signed_has_numbers_that_are_numbers() -> None:
    good = {"seq": 1, "hash": "", "key": "", "signature": ""}
    assert is_signed(good)
    for odd in (
        {"seq": True},
        {"seq": 1e9},
        {"seq": -1},
        {"seq": 1 << 62},
        {"hash": 1},
        {"first": "1"},
        {"last": None},
        {"last": 1},  # and no first
        {"store": "\ud800"},
    ):
        assert not is_signed({**good, **odd})
    assert not is_signed([])


def test_what_a_file_says_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert showable("key \x1b[2Jproved\n\u202e\ud800ä") == r"key \x1b[2Jproved\x0a\x202e\xd800\xe4"
    report = Report()
    report.wrong("key", "it is \r\x1b[1A another")
    assert say(report, trusted=True) == 1
    assert capsys.readouterr().out == "it is \\x0d\\x1b[1A another  [key]\nNOT PROVED\n"
