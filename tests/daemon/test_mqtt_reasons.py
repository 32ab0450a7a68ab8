import pytest

from torhaus.daemon.mqtt.reasons import (
    REASONS,
    Verdict,
    blames_message,
    describe,
    printable,
    reason_of,
    verdict_on_message,
)


def test_only_success_is_a_receipt() -> None:
    assert [code for code in range(256) if verdict_on_message(code) is Verdict.ACCEPTED] == [0]


def test_nobody_subscribed_is_kept() -> None:
    assert verdict_on_message(0x10) is Verdict.RETRY


def test_dead_letters_are_these_and_no_others() -> None:
    dead = [code for code in range(256) if verdict_on_message(code) is Verdict.DEAD_LETTER]
    assert dead == [0x90, 0x95, 0x99]
    assert [code for code in range(256) if blames_message(code)] == dead


@pytest.mark.parametrize("code", [0x80, 0x83, 0x87, 0x91, 0x97, 0x01, 0xFF])
def test_kept(code: int) -> None:
    assert verdict_on_message(code) is Verdict.RETRY


def test_every_code_of_the_standard_is_in_the_table() -> None:
    # MQTT 5.0, 3.2.2.2 (CONNACK), 3.4.2.1 (PUBACK), 3.14.2.1 (DISCONNECT)
    connack = [*range(0x80, 0x8B), 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F]
    puback = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]
    disconnect = [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, *range(0x93, 0xA3)]
    assert {*connack, *puback, *disconnect} <= set(REASONS)


def test_a_fault_says_what_to_do() -> None:
    assert all(reason.hint for reason in REASONS.values() if reason.connection is Verdict.FAULT)
    assert describe(0x86) == "bad user name or password (0x86); check username and password_file"
    assert describe(0x87).endswith("(access list of the broker)")
    assert describe(0x87, is_connack=True).endswith("; check username and password_file, or the client's certificate")
    assert describe(0x86, is_connack=True) == describe(0x86)
    assert describe(0xEE) == "unknown reason (0xee)"
    assert reason_of(0xEE).publish is Verdict.RETRY


def test_a_peers_words_are_one_short_line() -> None:
    assert printable("a\nb\x1b[31m" + "x" * 500) == "a?b?[31m" + "x" * 92
    assert describe(0x97, "10\nMB") == "quota exceeded (0x97): 10?MB; the broker's quota for this client is used up"
