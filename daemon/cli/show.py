"""Words and columns that several commands print the same way."""

from collections.abc import Iterable, Sequence
from typing import Final

_STEPS: Final = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
UNKNOWN: Final = "—"
_SIZES: Final = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def duration(seconds: float) -> str:
    """`3 d`, `2 h`, `45 s`: one unit is enough at a glance."""
    for size, unit in _STEPS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "0 s"


def ago(then_ns: int, now_ns: int) -> str:
    """`45 s ago`; `never` for 0."""
    return f"{duration((now_ns - then_ns) / 1e9)} ago" if then_ns else "never"


def size(count: int) -> str:
    """`12.3 MiB`."""
    for step, unit in _SIZES:
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} B"


def records(count: int) -> str:
    """`1 record`, `17 records`."""
    return f"{count} record{'' if count == 1 else 's'}"


def plain(value: object) -> str:
    """Text for a terminal: what far sides and files say must not move its cursor."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns wide enough for what is in them; numbers to the right."""
    texts = [[plain(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(head), *texts]) for i in range(len(head))]
    numeric = [any(_is_number(line[i]) for line in texts) for i in range(len(head))]
    lines = []
    for line in [list(head), *texts]:
        cells = [
            c.rjust(w) if _is_number(c) or (c == UNKNOWN and n) else c.ljust(w)
            for c, w, n in zip(line, widths, numeric, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).lstrip("-").isdigit()
