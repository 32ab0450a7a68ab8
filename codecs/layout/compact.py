"""A field as one line of a native family's table: `row("temperature i16 /10 Cel", "battery u8 %")`. Pure.

    name type [@offset] [low:count] [*factor] [/divisor] [+add] [.decimals] [?absent] [le|be] [unit]

The type is one of field.py's (hex4, text8, bcd4 and skip2 with their bytes; hex alone takes the rest), or `=` for the
bytes of the field before. `field()` adds what a line cannot say.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from torhaus.codecs.layout.field import Endian, Field, Step, compile_fields
from torhaus.codecs.model import Scalar

_SIZED: Final = ("hex", "text", "bcd", "skip")


def parse(line: str) -> Field:
    """The field that a line declares."""
    name, kind, *rest = line.split()
    options: dict[str, Any] = {"name": name, "type": None if kind == "=" else kind}
    for sized in _SIZED:
        if kind.startswith(sized) and kind != sized:
            options |= {"type": sized, "size": int(kind[len(sized) :])}
    for word in rest:
        mark, value = word[0], word[1:]
        if mark == "@":
            options["at"] = int(value)
        elif word[0].isdigit() and ":" in word:
            low, count = word.split(":")
            options["bits"] = (int(low), int(count))
        elif mark == "*" and value:
            options["multiply"] = float(value)
        elif mark == "/" and value[:1].isdigit():
            options["divide"] = float(value) if "." in value else int(value)
        elif mark in "+-":
            options["add"] = float(word) if "." in word else int(word)
        elif mark == ".":
            options["decimals"] = int(value)
        elif mark == "?":
            options["absent"] = (*options.get("absent", ()), int(value, 0))
        elif word in {"le", "be"}:
            options["endian"] = "little" if word == "le" else "big"
        else:
            options["unit"] = word
    return Field(**options)


class Special:
    """A line with what it cannot say."""

    __slots__ = ("convert", "line", "makes", "otherwise", "values", "when")

    def __init__(
        self,
        line: str,
        values: Mapping[int, Scalar] | None,
        otherwise: str | None,
        convert: Callable[[Any], Any] | None,
        makes: Callable[[Any], Mapping[str, Scalar]] | None,
        when: Mapping[str, list[Scalar]] | None,
    ) -> None:
        self.line, self.values, self.otherwise = line, values, otherwise
        self.convert, self.makes, self.when = convert, makes, when


def field(
    line: str,
    values: Mapping[int, Scalar] | None = None,
    *,
    otherwise: str | None = None,
    convert: Callable[[Any], Any] | None = None,
    makes: Callable[[Any], Mapping[str, Scalar]] | None = None,
    when: Mapping[str, list[Scalar]] | None = None,
) -> Special:
    """A line with names for its numbers, a conversion of the raw number or bytes, or several values from one."""
    return Special(line, values, otherwise, convert, makes, when)


def row(*lines: str | Special, endian: Endian = "big") -> tuple[Step, ...]:
    """Compiled steps of lines that stand behind each other."""
    fields = []
    for line in lines:
        f = parse(line if isinstance(line, str) else line.line)
        if isinstance(line, Special):
            named = {str(n): value for n, value in (line.values or {}).items()}
            when = dict(line.when or {})
            f = Field(**{n: getattr(f, n) for n in f.__struct_fields__} | {
                "values": named, "otherwise": line.otherwise, "when": when})  # fmt: skip
        fields.append(f)
    steps = compile_fields(fields, endian)
    return tuple(
        step._replace(convert=line.convert or step.convert, makes=line.makes) if isinstance(line, Special) else step
        for step, line in zip(steps, lines, strict=True)
    )
