import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.daemon.config.lines import KeyPath, key_lines

EXAMPLE = """\
# a comment with [brackets] and "quotes"
title = 'x' # [not] = "a table"
a.b."c d" = 1

[store] # comment
text = \"\"\"
[no]
key = "in a text" \\"\"\"
still it\"\"\"\"
other = '''
it's = [1]
''''
list = [
  1, # one ]
  [2, 3],
  { x = 1, y.z = "}" },
]

[[driver]]
name = "one"
[[driver.gateway]]
eui = "1"
[[driver.gateway]]
eui = "2"
[driver.more]
deep = 1979-05-27 07:32:00
[[driver]]
"quoted" = true
[scan . "st[a]tion"]
x = 1
"""


def paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*path, key))
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*path, index))


def test_each_key_is_where_it_is_written() -> None:
    lines = key_lines(EXAMPLE)
    assert set(lines) == set(paths(tomllib.loads(EXAMPLE)))
    assert lines["title",] == 2
    assert lines["a", "b", "c d"] == 3
    assert lines["store",] == 5
    assert lines["store", "text"] == 6
    assert lines["store", "other"] == 10
    assert lines["store", "list", 1] == 15
    assert lines["store", "list", 1, 1] == 15
    assert lines["store", "list", 2, "y", "z"] == 16
    assert lines["driver",] == 19
    assert lines["driver", 0, "gateway", 1, "eui"] == 24
    assert lines["driver", 0, "more", "deep"] == 26
    assert lines["driver", 1] == 27
    assert lines["scan", "st[a]tion", "x"] == 30


@pytest.mark.parametrize(
    "text", ["", "\n", "# only this", "a=1", "a = {}", "a = []\r\nb = 2\r\n", "[a]", "[[a]]", 'a=""']
)
def test_small_documents(text: str) -> None:
    assert set(key_lines(text)) == set(paths(tomllib.loads(text)))


def test_a_table_is_where_its_header_is_even_if_another_spoke_of_it_first() -> None:
    lines = key_lines("[a.b]\nx = 1\n[a]\ny = 1\n")
    assert (lines["a",], lines["a", "b"]) == (3, 1)


# Documents written piece by piece, with the line of each key noted while it is written.

NASTY = st.text(alphabet="ab#[]{}=,.'\"\\\n\t ü€", max_size=8)
KEYS = st.one_of(st.sampled_from(["a", "b-1", "C_2", "3"]), st.text(alphabet='ab .#[]="\\ü', min_size=1, max_size=4))


class Writer:
    """Writes TOML and notes the line of each key."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.out: list[str] = []
        self.lines: dict[KeyPath, int] = {}

    def put(self, text: str) -> None:
        self.out.append(text)

    def note(self, path: KeyPath) -> None:
        self.lines[path] = "".join(self.out).count("\n") + 1

    def gap(self, *, newlines: bool) -> None:
        gaps = ["", " ", "\t"] + (["\n", " # ] } \" ' = [\n", "\n\n"] if newlines else [])
        self.put(self.draw(st.sampled_from(gaps)))

    def key(self, key: str) -> None:
        bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
        if bare and self.draw(st.booleans()):
            self.put(key)
        elif "'" not in key and self.draw(st.booleans()):
            self.put(f"'{key}'")
        else:
            self.put(json.dumps(key, ensure_ascii=self.draw(st.booleans())))

    def string(self) -> None:
        text = self.draw(NASTY)
        style = self.draw(st.integers(0, 3))
        if style == 1 and "'" not in text and "\n" not in text:
            self.put(f"'{text}'")
        elif style == 2 and "'''" not in text:
            self.put(f"'''{text}'''" if not text.endswith("'''") else "'''x'''")
        elif style == 3:
            escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
            self.put(f'"""{escaped}"""')
        else:
            self.put(json.dumps(text))

    def value(self, path: KeyPath, depth: int) -> None:
        kind = self.draw(st.integers(0, 4 if depth else 2))
        if kind == 0:
            self.put(self.draw(st.sampled_from(["1", "-1.5e3", "true", "inf", "1979-05-27 07:32:00", "07:32:00"])))
        elif kind <= 2:
            self.string()
        elif kind == 3:
            self.put("[")
            count = self.draw(st.integers(0, 3))
            for i in range(count):
                self.gap(newlines=True)
                self.note((*path, i))
                self.value((*path, i), depth - 1)
                self.gap(newlines=True)
                if i < count - 1 or self.draw(st.booleans()):
                    self.put(",")
            self.gap(newlines=True)
            self.put("]")
        else:
            self.put("{")
            for i, key in enumerate(self.draw(st.lists(KEYS, max_size=3, unique=True))):
                self.put(", " if i else " ")
                self.pair(path, key, depth - 1)
            self.put("}")

    def pair(self, path: KeyPath, key: str, depth: int) -> None:
        here: KeyPath = (*path, key)
        self.note(here)
        self.key(key)
        while depth and self.draw(st.integers(0, 3)) == 0:
            self.put(self.draw(st.sampled_from([".", " . ", "."])))
            part = self.draw(KEYS)
            here = (*here, part)
            self.note(here)
            self.key(part)
            depth -= 1
        self.gap(newlines=False)
        self.put("=")
        self.gap(newlines=False)
        self.value(here, depth)
        self.gap(newlines=False)

    def body(self, path: KeyPath) -> None:
        for key in self.draw(st.lists(KEYS, max_size=3, unique=True)):
            self.pair(path, key, 3)
            self.put(self.draw(st.sampled_from(["\n", " # x = 1\n", "\n\n# [t]\n"])))


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, int]]:
    writer = Writer(draw)
    writer.body(())
    for number in range(draw(st.integers(0, 3))):
        name = f"table{number}"
        if draw(st.booleans()):
            writer.note((name,))
            writer.put(f"[ {name} ]\n")
            writer.body((name,))
            continue
        for i in range(draw(st.integers(1, 3))):
            if i == 0:
                writer.note((name,))
            writer.note((name, i))
            writer.put(f"[[{name}]] # x\n")
            writer.body((name, i))
            if draw(st.booleans()):
                writer.note((name, i, "sub table"))
                writer.put(f'[{name}."sub table"]\n')
                writer.body((name, i, "sub table"))
    return "".join(writer.out), writer.lines


@settings(max_examples=200, deadline=None)
@given(documents())
def test_whatever_is_written_is_found_where_it_is(document: tuple[str, dict[KeyPath, int]]) -> None:
    text, expected = document
    assert set(paths(tomllib.loads(text))) == set(expected), "the writer of this test is wrong"
    assert key_lines(text) == expected


@settings(max_examples=50, deadline=None)
@given(documents())
def test_windows_line_ends_change_nothing(document: tuple[str, dict[KeyPath, int]]) -> None:
    text, expected = document
    assert key_lines(text.replace("\n", "\r\n")) == expected
