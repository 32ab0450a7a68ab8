"""TOML files read, laid over each other, and asked where a key is written."""

import re
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec
import tomli

from torhaus.daemon.config.lines import KeyPath, key_lines

MAX_FILE_BYTES: Final = 16 << 20
"""Ten thousand devices are 3 MB; what is larger is no configuration."""

_POSITION: Final = re.compile(r"(?s)(.*) \(at (?:line (\d+), column (\d+)|end of document)\)")
_SECRET_LIKE: Final = re.compile(r"(?:[0-9a-fA-F][-: ]?){20,}")  # an AES key where a name should be
_MAX_NAME: Final = 64


class Fault(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong, as `check` prints it. `line` counts from 1."""

    file: str
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}: {self.key}: {self.text}"
        return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class ConfigFaults(Exception):  # noqa: N818 - the plural is the point
    """The configuration cannot be used: every fault, in the order of files and lines."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("\n".join(map(str, faults)))


def is_there(path: Path) -> bool:
    """Whether there is such a file; also where that cannot be known, so that reading it says why."""
    try:
        return path.exists()
    except OSError:
        return True


class Document:
    """One file. `shown` is its name in messages; `secret` keeps the file's content out of them."""

    def __init__(self, shown: str, text: str, data: dict[str, Any], *, secret: bool = False) -> None:
        self.shown = shown
        self.text = text
        self.data = data
        self.secret = secret

    @cached_property
    def lines(self) -> dict[KeyPath, int]:
        """Line of each key; looked for only when there is something to say."""
        return key_lines(self.text)


def read_text(path: Path, shown: str, limit: int = MAX_FILE_BYTES) -> str:
    """A UTF-8 file. Raises ConfigFaults that says what is wrong with the file, never what is in it."""
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as e:
        raise ConfigFaults([Fault(shown, 1, "file", f"cannot be read: {e.strerror}")]) from None
    if len(raw) > limit:
        raise ConfigFaults([Fault(shown, 1, "file", f"is too long, must have at most {limit} bytes")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        raise ConfigFaults([Fault(shown, line, "file", "is not UTF-8 text, must be saved as UTF-8")]) from None


def parse(text: str, shown: str, *, secret: bool = False) -> Document:
    """The document. Raises ConfigFaults for what is not TOML."""
    try:
        return Document(shown, text, tomli.loads(text), secret=secret)
    except tomli.TOMLDecodeError as e:
        match = _POSITION.fullmatch(str(e))
        what, line, column = match.groups() if match else (str(e), None, None)
        what = "what is written here" if secret else what
        at = f" (column {column})" if column else ""
        fault = Fault(shown, int(line or text.count("\n") + 1), "syntax", f"not TOML: {what}{at}")
    except RecursionError:
        fault = Fault(shown, 1, "syntax", "values are nested too deeply")
    except ValueError:  # a date that no calendar has, a number with thousands of digits
        fault = Fault(shown, 1, "syntax", "not TOML: a date or number that cannot be")
    raise ConfigFaults([fault])


class Tree:
    """Documents laid over each other: tables are joined, arrays of tables appended, anything else must be set once."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.clashes: list[Fault] = []
        self._layers: list[tuple[Document, dict[KeyPath, int]]] = []

    def add(self, document: Document) -> None:
        """Lay one more over the others. What both set is in `clashes`, and the first stays."""
        shifts: dict[KeyPath, int] = {}
        clashes: list[KeyPath] = []
        _merge(self.data, document.data, (), shifts, clashes)
        for path in clashes:
            first = self.locate(path)
            text = f"is also set in {first[0]}:{first[1]}, must be set once"
            self.clashes.append(Fault(document.shown, document.lines.get(path, 1), self.name(path), text))
        self._layers.append((document, shifts))
        self.__dict__.pop("_where", None)

    @cached_property
    def _where(self) -> dict[KeyPath, tuple[str, int]]:
        found: dict[KeyPath, tuple[str, int]] = {}
        for document, shifts in self._layers:
            for path, line in document.lines.items():
                found.setdefault(_shifted(path, shifts), (document.shown, line))
        return found

    def locate(self, path: KeyPath) -> tuple[str, int]:
        """File and line of a key; of what it would be in, where it is not there."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._where:
                return self._where[path[:end]]
        return (self._layers[0][0].shown if self._layers else "", 1)

    def fault(self, path: KeyPath, text: str) -> Fault:
        """A fault at that key."""
        file, line = self.locate(path)
        return Fault(file, line, self.name(path), text)

    def name(self, path: KeyPath) -> str:
        """A key as people read it: `driver[radio].listen`; tables without a name are counted from 0."""
        parts: list[str] = []
        at: Any = self.data
        for key in path:
            at = _step(at, key)
            if isinstance(key, int):
                name = at.get("name") if isinstance(at, dict) else None
                parts.append(f"[{name if _is_readable(name) else key}]")
            else:
                text = "(hidden)" if _SECRET_LIKE.search(key) else key
                text = text if text.isprintable() and len(text) <= _MAX_NAME else ascii(text[:_MAX_NAME])
                parts.append(f".{text}" if parts else text)
        return "".join(parts)


def _step(at: Any, key: str | int) -> Any:  # noqa: ANN401 - whatever TOML holds
    if isinstance(at, dict):
        return at.get(key)
    return at[key] if isinstance(at, list) and isinstance(key, int) and key < len(at) else None


def _is_readable(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= _MAX_NAME and name.isprintable()


def _shifted(path: KeyPath, shifts: dict[KeyPath, int]) -> KeyPath:
    for i, key in enumerate(path):
        if isinstance(key, int):  # only arrays that are in no other array are appended to
            return (*path[:i], key + shifts.get(path[:i], 0), *path[i + 1 :])
    return path


def _merge(
    into: dict[str, Any], new: dict[str, Any], path: KeyPath, shifts: dict[KeyPath, int], clashes: list[KeyPath]
) -> None:
    for key, value in new.items():
        old = into.get(key)
        here = (*path, key)
        if old is None:
            into[key] = value
        elif isinstance(old, dict) and isinstance(value, dict):
            _merge(old, value, here, shifts, clashes)
        elif _is_tables(old) and _is_tables(value):
            shifts[here] = len(old)
            into[key] = [*old, *value]
        else:
            clashes.append(here)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)
