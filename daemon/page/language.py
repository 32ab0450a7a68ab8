"""German and English: texts from a catalogue each, numbers, times and spans as the reader's language writes them."""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, Final

from torhaus.drivers.said import Said

CODES: Final = ("de", "en")
"""Those there are; the first one is for readers who want none of them."""
TEXTS: Final = Path(__file__).with_name("texts")
_STEPS: Final = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_SIZES: Final = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_WANTED: Final = re.compile(r"\s*([a-zA-Z]{1,8})(?:-[a-zA-Z0-9]{1,8})*\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?\s*")
_MAX_ACCEPT: Final = 200
_SWAPPED: Final = str.maketrans(",.", ".,")


@cache
def texts(code: str) -> dict[str, str]:
    """The catalogue of a language: `[gateways] title = …` is `gateways.title`."""
    with (TEXTS / f"{code}.toml").open("rb") as file:
        return dict(_flat(tomllib.load(file), ""))


def _flat(table: Mapping[str, Any], before: str) -> list[tuple[str, str]]:
    found = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{before}{key}.")
        else:
            found.append((before + key, str(value)))
    return found


def chosen(accept: str) -> str:
    """The language of an Accept-Language header (RFC 9110 section 12.5.4), whatever is in it."""
    best, found = 0.0, CODES[0]
    for part in accept[:_MAX_ACCEPT].split(","):
        match = _WANTED.fullmatch(part)
        if match is not None and match[1].lower() in CODES:
            quality = 1.0 if match[2] is None else float(match[2])
            if quality > best:
                best, found = quality, match[1].lower()
    return found


class Language:
    """How to say it. `zone`: whose clock the reader's times are; None: that of this box."""

    def __init__(self, code: str, zone: tzinfo | None = None) -> None:
        self.code = code
        self._texts = texts(code)
        self._zone = zone

    def __call__(self, key: str, **values: object) -> str:
        """A text of the catalogue. Numbers are written as the language writes them."""
        text = self._texts[key]
        return text.format(**{name: self._said(value) for name, value in values.items()}) if values else text

    def has(self, key: str) -> bool:
        """Whether the catalogue has it."""
        return key in self._texts

    def word(self, room: str, word: str) -> str:
        """The catalogue's word for one of ours, as for a state; the word itself where it has none."""
        return self._texts.get(f"{room}.{word}", word.replace("_", " "))

    def said(self, what: str) -> str:
        """What a driver says (drivers/said.py); as it is, where it is no fact that the catalogue knows."""
        if not isinstance(what, Said) or not self.has(f"said.{what.kind}"):
            return what
        values = {name: self.said(value) if isinstance(value, str) else value for name, value in what.values.items()}
        return self(f"said.{what.kind}", **values)

    def count(self, key: str, n: int, **values: object) -> str:
        """`key.one` or `key.other`, with `n`."""
        return self(f"{key}.{'one' if n == 1 else 'other'}", n=n, **values)

    def _said(self, value: object) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self.number(value)
        return str(value)

    def number(self, value: float, digits: int = 2) -> str:
        """`12,345.6`, or `12.345,6`: as many digits behind the point as it has, `digits` at most."""
        if isinstance(value, int):
            text = f"{value:,}"
        else:
            text = f"{value:,.{digits}f}"
            if "." in text:
                text = text.rstrip("0").rstrip(".")
            if text == "-0":
                text = "0"
        text = text.replace("-", "−")
        return text.translate(_SWAPPED) if self.code == "de" else text

    def percent(self, part: float, digits: int = 0) -> str:
        """`12 %` of 0.12."""
        return f"{self.number(round(part * 100, digits) if digits else round(part * 100), digits)} %"

    def size(self, count: int) -> str:
        """`12.3 MiB`."""
        for step, unit in _SIZES:
            if count >= step:
                return f"{self.number(count / step, 1)} {unit}"
        return f"{count} B"

    def span(self, seconds: float) -> str:
        """`3 d`, `2 h`, `45 s`."""
        for size, unit in _STEPS:
            if seconds >= size:
                return f"{self.number(int(seconds // size))} {unit}"
        return "0 s"

    def ago(self, then_ns: int, now_ns: int) -> str:
        """`45 s ago`; `never` for 0."""
        if not then_ns:
            return self("time.never")
        seconds = (now_ns - then_ns) / 1e9
        if seconds < 1:
            return self("time.now")
        return self("time.ago", span=self.span(seconds))

    def at(self, at_ns: int, now_ns: int = 0) -> str:
        """A moment on the reader's clock: the time of day alone where it is today's."""
        try:
            at = datetime.fromtimestamp(at_ns / 1e9, UTC).astimezone(self._zone)
            now = datetime.fromtimestamp(now_ns / 1e9, UTC).astimezone(self._zone)
        except (OverflowError, ValueError, OSError):
            return "?"
        if now_ns and at.date() == now.date():
            return f"{at:%H:%M:%S}"
        return f"{at:%d.%m.%Y %H:%M:%S}" if self.code == "de" else f"{at:%Y-%m-%d %H:%M:%S}"

    def day(self, at_ns: int) -> str:
        """The date alone, on the reader's clock."""
        return self.at(at_ns).partition(" ")[0]

    def zone(self, now_ns: int) -> str:
        """What the reader's clock is called now."""
        return f"{datetime.fromtimestamp(now_ns / 1e9, UTC).astimezone(self._zone):%Z}"


def utc(at_ns: int) -> str:
    """A moment in UTC, RFC 3339; `?` for what no calendar has."""
    try:
        return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):
        return "?"
