"""How a script's file, and those it asks for with `require`, become text; and the scripts that the host knows.

A script may name files of its own package only: those in its folder and below, or, where a folder above it has a
`package.json` (three levels up at most), in that one and below.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.scripts.protocol import MAX_SOURCE_BYTES

MAX_SCRIPTS: Final = 512
MAX_SOURCES_BYTES: Final = 32 << 20
"""All registered sources together; the process holds them, too."""
MAX_FILES: Final = 64
"""Files of one package besides the script itself."""

_LEVELS: Final = 3
_REQUIRED: Final = re.compile(r"""\brequire\(\s*["'](\.{1,2}(?:/[^"'\n\\]{0,200})?)["']\s*\)""")
_ENDS: Final = ("", ".js", ".json", "/index.js")
"""What `require` tries, in this order (Node.js API documentation, Modules: CommonJS; prelude.js does the same)."""


class Package(msgspec.Struct, frozen=True):
    """A script, and the other files of its package by their path there; `main` is the script's own path."""

    text: str
    main: str = ""
    files: dict[str, str] = {}

    def data(self) -> bytes:
        """Everything in one."""
        if not self.files:
            return self.text.encode()
        return msgspec.json.encode((self.text, self.main, sorted(self.files.items())))

    def hash(self) -> str:
        """What a job calls it by."""
        return hashlib.sha256(self.data()).hexdigest()


class Sources(dict[str, Package]):
    """Scripts by their hash, bounded in number and size."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0

    def add(self, source: Package) -> str:
        """Take a script; returns its hash. ValueError when it is too large or there are too many."""
        data, source_hash = source.data(), source.hash()
        if source_hash in self:
            return source_hash
        size = sum(len(text.encode()) for text in (source.text, *source.files.values()))
        if size > MAX_SOURCE_BYTES:
            raise ValueError(f"a script of {size} bytes; at most {MAX_SOURCE_BYTES} are taken")
        if len(self) >= MAX_SCRIPTS or self._bytes + len(data) > MAX_SOURCES_BYTES:
            raise ValueError(f"more than {MAX_SCRIPTS} scripts or {MAX_SOURCES_BYTES} bytes of them")
        self[source_hash] = source
        self._bytes += len(data)
        return source_hash

    def forget(self, source_hash: str) -> None:
        """Drop a script; one that is not there is no mistake."""
        source = self.pop(source_hash, None)
        if source is not None:
            self._bytes -= len(source.data())


def read_package(path: Path) -> Package:
    """A script with the files that it, and they, name in `require`. What is not there fails where it is asked for.

    Raises OSError, and ValueError when it is too large, or names a file that lies outside of its package.
    """
    text = read_source(path)
    waiting = list(_REQUIRED.findall(text))
    if not waiting:
        return Package(text)
    root = package_root(path)
    main = path.relative_to(root).as_posix()
    files: dict[str, str] = {}
    left = MAX_SOURCE_BYTES - len(text.encode())
    asked = [(posixpath.dirname(main), name) for name in waiting]
    seen = set(asked)
    while asked:
        folder, name = asked.pop()
        found = next(_found(root, posixpath.normpath(posixpath.join(folder, name))), None)
        if found is None or found in files or found == main:
            continue
        if len(files) >= MAX_FILES:
            raise ValueError(f"{path}: asks for more than {MAX_FILES} files")
        files[found] = inner = read_source(root / found)
        left -= len(inner.encode())
        if left < 0:
            raise ValueError(f"{path}: larger than {MAX_SOURCE_BYTES} bytes with the files that it asks for")
        if found.endswith(".js"):
            further = {(posixpath.dirname(found), each) for each in _REQUIRED.findall(inner)} - seen
            asked += sorted(further)
            seen |= further
    return Package(text, main, files) if files else Package(text)


def package_root(path: Path) -> Path:
    """The folder of which a script may name files."""
    for folder in list(path.parents)[: _LEVELS + 1]:
        if (folder / "package.json").is_file():
            return folder
    return path.parent


def _found(root: Path, wanted: str) -> Iterator[str]:
    """The files that `require` may mean. ValueError for one outside of the package, also by way of a link."""
    if wanted.startswith(".."):
        return
    for end in _ENDS:
        name = posixpath.normpath(wanted + end)
        if not name.endswith((".js", ".json")) or not (root / name).is_file():
            continue
        if not (root / name).resolve().is_relative_to(root.resolve()):
            raise ValueError(f"{root / name}: a link out of the script's package, which is not followed")
        yield name


def read_source(path: Path) -> str:
    """A script's text. Raises OSError, and ValueError when it is larger than MAX_SOURCE_BYTES."""
    with path.open("rb") as file:
        data = file.read(MAX_SOURCE_BYTES + 1)
    if len(data) > MAX_SOURCE_BYTES:
        raise ValueError(f"{path}: larger than {MAX_SOURCE_BYTES} bytes")
    return decode_source(data)


def decode_source(data: bytes) -> str:
    """UTF-8, with or without BOM, else Windows-1252, in which older editors wrote their degree signs."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
