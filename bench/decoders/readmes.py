"""Examples in README files beside decoders: a block of code with `// hex` and the value that comes of it.

Such a value is JavaScript, not JSON: names without quotation marks, comments, commas at the end. It is rewritten, never
run. FPort 85 is assumed, the vendor's default: the READMEs do not name it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from torhaus.daemon.catalogue.model import Entry, Line

FPORT: Final = 85
_BLOCK: Final = re.compile(r"```(?:json|js|javascript)?\s*\n(.*?)```", re.DOTALL)
_HEX: Final = re.compile(r"^\s*//\s*((?:[0-9A-Fa-f]{2}\s*)+)$", re.MULTILINE)
_PIECE: Final = re.compile(
    r"""("(?:[^"\\]|\\.)*")|('(?:[^'\\]|\\.)*')|(//[^\n]*)|(,)(?=\s*[}\]])|([A-Za-z_$][\w$]*)(?=\s*:)"""
)


def find(root: Path) -> Iterator[Entry]:
    """Each `*-decoder.js` with the examples of the README beside it."""
    for script in sorted(root.glob("**/*-decoder.js")):
        readme = script.with_name("README.md")
        text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
        model = script.parent.name
        yield Entry(vendor="milesight", model=model, script=script, examples=tuple(_examples(text)))


def _examples(text: str) -> Iterator[Line]:
    for block in _BLOCK.findall(text):
        found = list(_HEX.finditer(block))
        for number, match in enumerate(found):
            end = found[number + 1].start() if number + 1 < len(found) else len(block)
            value = literal(block[match.end() : end])
            if isinstance(value, dict):
                yield {"id": match[1].replace(" ", "")[:40], "fport": FPORT, "bytes_hex": match[1], "expected": value}


def literal(text: str) -> Any:  # noqa: ANN401
    """A JavaScript literal; None when it is none that can be rewritten as JSON."""
    rewritten = _PIECE.sub(_rewritten, text).strip().rstrip(";")
    start = rewritten.find("{")
    try:
        return msgspec.json.decode(rewritten[start:]) if start >= 0 else None
    except msgspec.DecodeError:
        return None


def _rewritten(match: "re.Match[str]") -> str:
    quoted, single, comment, comma, name = match.groups()
    if quoted:
        return str(quoted)
    if single:
        return msgspec.json.encode(single[1:-1]).decode()
    return f'"{name}"' if name else ("" if comment or comma else match[0])
