"""Where each key of a TOML document is written: tomli tells values only.

TOML 1.0.0. The text must be one that tomli has accepted; nothing is checked here.
"""

import bisect
import re
from typing import Final

import tomli

KeyPath = tuple[str | int, ...]
"""Keys from the root; whole numbers are positions in arrays, counted from 0."""

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_BASIC: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL: Final = re.compile(r"'[^']*'")
_LONG_BASIC: Final = re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL)
_LONG_LITERAL: Final = re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}", re.DOTALL)
_PLAIN: Final = re.compile(r"[^,\]}#\n]+")  # numbers, booleans, dates with a blank in them
_BLANKS: Final = re.compile(r"[ \t]*")
_GAP: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line (from 1) of every key, table and array element.

    A table is where its header is, or else where it is first mentioned. RecursionError for values nested about a
    hundred levels deep.
    """
    return _Scanner(text).scan()


class _Scanner:
    """One pass over one document."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._lines: dict[KeyPath, int] = {}
        self._counts: dict[KeyPath, int] = {}  # arrays of tables, and how many tables they have so far

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_GAP)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_GAP)
        return self._lines

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"not TOML at character {self._at}")
        self._at = match.end()
        return match[0]

    def _line(self) -> int:
        return bisect.bisect_left(self._ends, self._at) + 1

    def _key(self) -> str:
        if self._text[self._at] == '"':
            key: str = tomli.loads("key = " + self._skip(_BASIC))["key"]
            return key
        if self._text[self._at] == "'":
            return self._skip(_LITERAL)[1:-1]
        return self._skip(_BARE_KEY)

    def _dotted(self) -> list[str]:
        keys = []
        while True:
            self._skip(_BLANKS)
            keys.append(self._key())
            self._skip(_BLANKS)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _header(self) -> KeyPath:
        line = self._line()
        brackets = 2 if self._text.startswith("[[", self._at) else 1
        self._at += brackets
        *parents, last = self._dotted()
        self._at += brackets
        path: KeyPath = ()
        for key in parents:
            path = (*path, key)
            self._lines.setdefault(path, line)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        path = (*path, last)
        if brackets == 1:
            self._lines[path] = line
            return path
        self._lines.setdefault(path, line)
        self._counts[path] = self._counts.get(path, 0) + 1
        path = (*path, self._counts[path] - 1)
        self._lines[path] = line
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        path = table
        for key in self._dotted():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._at += 1  # the equals sign
        self._skip(_BLANKS)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._text.startswith('"""', self._at):
            self._skip(_LONG_BASIC)
        elif self._text.startswith("'''", self._at):
            self._skip(_LONG_LITERAL)
        elif self._text[self._at] == '"':
            self._skip(_BASIC)
        elif self._text[self._at] == "'":
            self._skip(_LITERAL)
        elif self._text[self._at] == "[":
            self._array(path)
        elif self._text[self._at] == "{":
            self._inline_table(path)
        else:
            self._skip(_PLAIN)

    def _array(self, path: KeyPath) -> None:
        index = 0
        while self._more("]"):
            self._lines[*path, index] = self._line()
            self._value((*path, index))
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        while self._more("}"):
            self._pair(path)

    def _more(self, end: str) -> bool:
        """Step over the opening bracket or a comma; False after the closing bracket."""
        self._skip(_GAP)
        if self._text[self._at] in "[{,":
            self._at += 1
            self._skip(_GAP)
        if self._text[self._at] == end:
            self._at += 1
            return False
        return True
