"""A sealed file opens with its passphrase and with no other; whatever is changed in it, nothing is shown."""

from random import Random

import pytest

from torhaus.daemon.config.sealed import MAGIC, SealError, is_sealed, seal, unseal

WORDS = "correct horse battery"
TEXT = '["a81758fffe0312ab"]\napp_key = "98929b92c49edba9676d646d3b612456"\n# Schlüssel\n'
SEALED = seal(TEXT, WORDS)


def test_it_opens_again() -> None:
    assert is_sealed(SEALED)
    assert not is_sealed(TEXT)
    assert unseal(SEALED, WORDS) == TEXT
    assert unseal(SEALED.replace("\n", "\r\n"), WORDS) == TEXT
    assert "98929b92" not in SEALED
    assert "a81758ff" not in SEALED
    assert seal(TEXT, WORDS) != SEALED  # salt and nonce are new
    assert unseal(seal("", WORDS), WORDS) == ""
    assert all(len(line) <= 80 for line in SEALED.splitlines())


@pytest.mark.parametrize("words", ["correct horse batterx", "", "Correct horse battery"])
def test_another_passphrase(words: str) -> None:
    with pytest.raises(SealError, match="another passphrase"):
        unseal(SEALED, words)


def test_a_short_passphrase() -> None:
    with pytest.raises(SealError, match="at least 12 characters"):
        seal(TEXT, "elevenchars")


@pytest.mark.parametrize(
    ("sealed", "said"),
    [
        ("", "is not sealed"),
        (TEXT, "is not sealed"),
        (f"{MAGIC} scrypt 15", "is not sealed"),
        (f"{MAGIC} argon2 15 AAAA\n", "is not sealed"),
        (f"{MAGIC} scrypt 30 AAAA\n", "too much memory"),
        (f"{MAGIC} scrypt 0 AAAA\n", "too much memory"),
        (f"{MAGIC} scrypt ² AAAA\n", "is not sealed"),
        (f"{MAGIC} scrypt 15 AAAA\nAAAA", "too short"),
        (f"{MAGIC} scrypt 15 A\nAAAA", "not base64"),
        (f"{MAGIC} scrypt 15 {'A' * 22}==\n*", "not base64"),
        (SEALED[:-30], "damaged|cannot be opened"),
    ],
)
def test_what_cannot_be_opened(sealed: str, said: str) -> None:
    with pytest.raises(SealError, match=said):
        unseal(sealed, WORDS)


def test_changed_anywhere_it_does_not_open() -> None:
    random = Random(3)
    easy = SEALED.replace(" 15 ", " 4 ")  # quick to try; another head is another key and another text
    for _ in range(200):
        at = random.randrange(len(easy))
        changed = easy[:at] + random.choice("AZaz09+/ \n") + easy[at + 1 :]
        with pytest.raises(SealError):
            unseal(changed, WORDS)
