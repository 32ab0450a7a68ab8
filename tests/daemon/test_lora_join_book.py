"""What a technician sees of joins."""

import logging

import pytest

from torhaus.daemon.lora.join_book import MAX_ATTEMPTS, MAX_STRANGERS, WORDS, JoinBook, JoinResult

EUI = "a81758fffe0312ab"


class Ticks:
    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        self.ns += 1
        return self.ns


def test_every_result_has_words() -> None:
    assert WORDS.keys() == set(JoinResult)
    assert all(words and "key" not in words.split("=") for words in WORDS.values())


def test_a_request_that_several_gateways_heard_is_one() -> None:
    book = JoinBook(Ticks())
    for gateway in ("a", "b", "c"):
        book.note(JoinResult.REQUESTED, EUI, device="flur", dev_nonce=1, gateway=gateway)
    book.note(JoinResult.REQUESTED, EUI, device="flur", dev_nonce=2, gateway="b")
    assert book.results == {"requested": 2}
    assert [(a.dev_nonce, a.gateway, a.device) for a in book.attempts()] == [(1, "a", "flur"), (2, "b", "flur")]


def test_strangers_have_one_entry_each_and_never_push_out_ours() -> None:
    book = JoinBook(Ticks())
    book.note(JoinResult.WRONG_KEY, EUI, device="flur", dev_nonce=1)
    for n in range(MAX_STRANGERS + 50):
        for nonce in (1, 1, 2):
            book.note(JoinResult.UNKNOWN_DEVICE, f"{n:016x}", dev_nonce=nonce)
    assert book.results == {"wrong_key": 1, "unknown_device": 2 * (MAX_STRANGERS + 50)}
    attempts = book.attempts()
    assert (attempts[0].device, attempts[0].text) == ("flur", WORDS[JoinResult.WRONG_KEY])
    assert len(attempts) == 1 + MAX_STRANGERS
    assert attempts[-1].times == 2


def test_ours_are_bounded() -> None:
    book = JoinBook(Ticks())
    for n in range(MAX_ATTEMPTS + 5):
        book.note(JoinResult.REQUESTED, EUI, device="flur", dev_nonce=n)
    assert len(book.attempts()) == MAX_ATTEMPTS
    assert book.results == {"requested": MAX_ATTEMPTS + 5}


def test_a_line_of_the_log_for_each_change_and_none_for_strangers(caplog: pytest.LogCaptureFixture) -> None:
    book = JoinBook(Ticks())
    with caplog.at_level(logging.INFO, "torhaus"):
        for n in range(20):
            book.note(JoinResult.WRONG_KEY, EUI, device="flur", dev_nonce=n)
            book.note(JoinResult.UNKNOWN_DEVICE, "0" * 16, dev_nonce=n)
        book.note(JoinResult.REQUESTED, EUI, device="flur", dev_nonce=99)
    assert [r.levelname for r in caplog.records] == ["WARNING", "INFO"]
