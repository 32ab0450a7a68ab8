import errno
import os
import socket
import string

import msgspec
import pytest

from torhaus.drivers.base import DriverGone
from torhaus.drivers.polling import NoAnswer
from torhaus.drivers.said import WORDS, Said, about, system


def test_it_is_a_sentence_that_knows_what_it_says() -> None:
    said = about("/dev/ttyUSB0", Said("silent", s=2.5))
    assert (said, said.kind) == ("/dev/ttyUSB0: silent for 2.5 s", "at")
    inner = said.values["what"]
    assert isinstance(inner, Said)
    assert (inner.kind, inner.values) == ("silent", {"s": 2.5})


@pytest.mark.parametrize("error", [DriverGone, NoAnswer])
def test_exceptions_keep_it_and_their_text_is_a_plain_one(error: type[DriverGone] | type[NoAnswer]) -> None:
    raised = error(Said("closed_there"))
    assert isinstance(raised.detail, Said)
    assert (type(str(raised)), str(raised)) == (str, "closed by the far side")
    assert msgspec.json.encode(str(raised)) == b'"closed by the far side"'
    assert (error("odd").detail, error().detail, error(7).detail) == ("odd", "", "7")


@pytest.mark.parametrize("kind", WORDS)
def test_every_sentence_can_be_said(kind: str) -> None:
    names = [name for _, name, _, _ in string.Formatter().parse(WORDS[kind]) if name]
    assert Said(kind, **dict.fromkeys(names, 3))
    if names:
        with pytest.raises(KeyError):
            Said(kind)


@pytest.mark.parametrize("name", [kind for kind in WORDS if kind.startswith("E") and not kind.startswith("EAI")])
def test_the_systems_words_are_its_own(name: str) -> None:
    number = getattr(errno, name)
    said = system(OSError(number, "with an address"))
    assert isinstance(said, Said)
    assert said == os.strerror(number)


def test_faults_that_have_no_words_of_ours() -> None:
    assert system(socket.gaierror(socket.EAI_NONAME, "x")) == "Name or service not known"
    assert system(socket.gaierror(socket.EAI_FAIL, "no idea")) == "no idea"
    assert system(OSError(errno.EMFILE, "x")) == os.strerror(errno.EMFILE)
    assert (system(OSError("odd")), system(OSError())) == ("odd", "OSError")
