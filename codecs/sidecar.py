"""What scan programs write beside their documents: index files as plain lines, INI, XML, JSON or separated columns.

There is no standard for these. A layout says where in such a file the values of interest stand; whatever else is in it
is not looked at. A path is made of steps with `/` between them: keys of INI (`Batch/Pages`) and JSON (`docs/0/name`),
elements and attributes of XML (`Batch/Document/@File`, names without their namespace), numbers of columns from 1.

Index lines as in Kodak Capture's INDEX.DAT: one line for each document, columns with a separator between them. Document
type declarations in XML are refused: a sidecar has no need of entities.
"""

import re
from typing import Any, Final, Literal

import msgspec

from torhaus.codecs.cover_sheet import WORD
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.tree import FOLDED, MAX_DEPTH, Tree, at, from_xml, value_of

MAX_BYTES: Final = 1 << 20
MAX_RECORDS: Final = 5000
MAX_VALUE: Final = 1024
"""Characters of one value."""
_MAX_NUMBER: Final = 1_000_000
_NUMBERS: Final = frozenset({"pages", "documents", "batch_pages"})
_WORDS: Final = frozenset({"department", "class"})
KNOWN: Final = frozenset({"document", "batch", "trouble"}) | _NUMBERS | _WORDS
FIELD: Final = r"[a-z][a-z0-9_]{0,31}"
"""The name of a field. Those in KNOWN mean something, others are kept with the document."""


class SidecarLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the values stand. A path that ends with `?` may lead nowhere; any other missing value is a fault.

    `records`: the path to what repeats for each document (columns repeat by themselves). A field is looked for in the
    record first, then from the top of the file.
    """

    format: Literal["plain", "ini", "xml", "json", "columns"]
    fields: dict[str, str]
    records: str = ""
    separator: str = ";"

    def __post_init__(self) -> None:
        for name, path in self.fields.items():
            if re.fullmatch(FIELD, name) is None:
                raise ValueError(f"fields: {name!r} must be 1 to 32 of a-z, 0-9 and underscore, a letter first")
            if not path.rstrip("?").strip("/"):
                raise ValueError(f"fields: {name!r} needs a path")
            if self.format == "columns" and re.fullmatch(r"[1-9][0-9]{0,2}\??", path) is None:
                raise ValueError(f"fields: {name!r} needs the number of a column, from 1")
        if not self.fields:
            raise ValueError("fields: name at least one")
        if len(self.separator) != 1:
            raise ValueError("separator: one character")
        if self.records and self.format not in {"xml", "json"}:
            raise ValueError("records: only with xml and json")


class Told(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a sidecar says of one document, and of the batch that it belongs to.

    `document` names its file as the sidecar does; `pages` are its own, `batch_pages` those of all; `documents` is how
    many there are; `trouble` is what went wrong as its writer says. `more` has the fields without a meaning here.
    """

    document: str | None = None
    department: str | None = None
    class_: str | None = msgspec.field(default=None, name="class")
    pages: int | None = None
    batch: str | None = None
    documents: int | None = None
    batch_pages: int | None = None
    trouble: str | None = None
    more: dict[str, str] = {}

    @property
    def is_routing(self) -> bool:
        """Whether it says where the document belongs."""
        return (self.department, self.class_) != (None, None)


def read(data: bytes, layout: SidecarLayout) -> tuple[Told, ...]:
    """One for each record, in the order of the file; never none. Raises DecodeError."""
    if len(data) > MAX_BYTES:
        raise DecodeError(RejectReason.LONG, "the sidecar is larger than 1 MiB")
    if not data.strip(b" \t\r\n\x00\xff\xfe\xef\xbb\xbf"):
        raise DecodeError(RejectReason.SHORT, "the sidecar is empty")
    if layout.format == "columns":
        whole: Tree = {}
        records = _columns(_text(data), layout.separator)
    else:
        whole = _PARSERS[layout.format](data)
        records = _records(whole, layout.records)
    if not records:
        raise DecodeError(RejectReason.SHORT, "the sidecar has no record")
    if len(records) > MAX_RECORDS:
        raise DecodeError(RejectReason.LONG, f"the sidecar has more than {MAX_RECORDS} records")
    return tuple(_told(record, whole, layout.fields) for record in records)


def _told(record: Tree, whole: Tree, fields: dict[str, str]) -> Told:
    found: dict[str, Any] = {}
    more: dict[str, str] = {}
    for name, path in fields.items():
        steps = path.removesuffix("?").strip("/").split("/")
        value = value_of(record, steps) or value_of(whole, steps)
        if not value:
            if path.endswith("?"):
                continue
            raise DecodeError(RejectReason.SHORT, f"the sidecar does not say {name}")
        if len(value) > MAX_VALUE:
            raise DecodeError(RejectReason.LONG, f"{name} is longer than {MAX_VALUE} characters")
        if name in _NUMBERS:
            found[name] = _number(name, value)
        elif name in _WORDS:
            found[name] = _word(name, value)
        elif name in KNOWN:
            found[name] = value
        else:
            more[name] = value
    return msgspec.convert({**found, "more": more}, Told)


def _number(name: str, value: str) -> int:
    if re.fullmatch(r"[0-9]{1,9}", value, re.ASCII) is None or not 0 < int(value) <= _MAX_NUMBER:
        raise DecodeError(RejectReason.RANGE, f"{name} must be a number from 1 to {_MAX_NUMBER}")
    return int(value)


def _word(name: str, value: str) -> str:
    """In small letters, as routes have it."""
    word = value.lower()
    if re.fullmatch(WORD, word) is None:
        raise DecodeError(RejectReason.SYNTAX, f"{name} is no word that a route can have")
    return word


def _records(whole: Tree, path: str) -> list[Tree]:
    if not path:
        return [whole]
    found = at(whole, path.strip("/").split("/"))
    return found if isinstance(found, list) else [found] if found != "" else []


def _text(data: bytes) -> str:
    """UTF-16 with its mark, UTF-8, or else what Windows programs in Europe write (windows-1252)."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _columns(text: str, separator: str) -> list[Tree]:
    rows = [line.split(separator) for line in text.splitlines() if line.strip(" \t\x00\x1a")]
    return [{str(i): value.strip().strip('"') for i, value in enumerate(row, 1)} for row in rows]


def _lines(data: bytes) -> Tree:
    """`[section]` and `key = value` or `key: value`; what is before the first section stands at the top."""
    whole: dict[str, Tree] = {FOLDED: FOLDED}
    section = whole
    for line in _text(data).splitlines():
        line = line.strip(" \t\x00\x1a\ufeff")  # noqa: PLW2901 - the line without what is around it
        if not line or line[0] in ";#":
            continue
        if line[0] == "[" and line.endswith("]"):
            made = whole.setdefault(line[1:-1].strip().casefold(), {FOLDED: FOLDED})
            if not isinstance(made, dict):
                raise DecodeError(RejectReason.SYNTAX, "a section has the name of a key")
            section = made
            continue
        key, sign, value = _split(line)
        if not sign:
            raise DecodeError(RejectReason.SYNTAX, "a line is neither a section nor key = value")
        if section.setdefault(key, value) != value:
            raise DecodeError(RejectReason.SYNTAX, "a key stands twice in one section")
    return whole


def _split(line: str) -> tuple[str, str, str]:
    place = min((i for i in (line.find("="), line.find(":")) if i > 0), default=0)
    return line[:place].strip().casefold(), line[place] if place else "", line[place + 1 :].strip().strip('"')


def _json(data: bytes) -> Tree:
    try:
        return _as_text(msgspec.json.decode(_text(data).encode()), 0)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise DecodeError(RejectReason.SYNTAX, "no JSON") from None


def _as_text(value: object, depth: int) -> Tree:
    """Numbers and truth values as the file has them, near enough; nothing for null."""
    if depth > MAX_DEPTH:
        raise DecodeError(RejectReason.LONG, "nested too deep")
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case None:
            return ""
        case dict():
            return {str(k): _as_text(v, depth + 1) for k, v in value.items()}
        case list():
            return [_as_text(v, depth + 1) for v in value]
        case _:
            return str(value)[:MAX_VALUE]


_PARSERS: Final = {"plain": _lines, "ini": _lines, "xml": from_xml, "json": _json}
