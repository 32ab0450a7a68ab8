"""Templates of topics and subjects, such as `torhaus/{site}/{device}/{kind}`, read and filled in for each record. Pure.

A value fills one part of one level and nothing else: whatever it holds, it adds no level and no wildcard.
"""

import re
from collections.abc import Callable, Iterable
from operator import attrgetter
from string import Formatter
from typing import Final

from torhaus.daemon.forward.message import Message

MESSAGE_KEYS: Final = ("site", "device", "kind", "dev_eui", "driver")
"""Placeholders of a record's topic; all are attributes of Message."""

STATUS_KEYS: Final = ("site", "name")
"""Placeholders of a topic that is no record's: the site's id and the forwarder's name."""

MAX_TEMPLATE_BYTES: Final = 1024
"""A template's length; with values it must stay below what the protocol allows."""

_MAX_CACHED: Final = 4096
"""Topics kept by (device, kind, …): more than a site has devices; strangers cannot make it grow without end."""

_ABSENT: Final = "-"
"""Stands in for a value that a record does not have, since an empty level is easily overlooked."""

Escape = Callable[[str | None], str]


def sample_of(template: str, keys: Iterable[str], what: str, example: str) -> str:
    """The template with `x` for each value, to be checked further. Raises ValueError that says what would be right.

    `what` it is, such as `topic`, and an `example` for the message.
    """
    keys = tuple(keys)
    known = " ".join(f"{{{key}}}" for key in keys)
    if not template:
        raise ValueError(f"a {what} is not empty; take for example {example} with {known}")
    if len(template.encode(errors="replace")) > MAX_TEMPLATE_BYTES:
        raise ValueError(f"a {what} template has at most {MAX_TEMPLATE_BYTES} bytes")
    literal = ""
    for text, key in parts(template, known):
        literal += text
        if key is not None and key not in keys:
            raise ValueError(f"unknown placeholder {{{key}}}; known are {known}")
        literal += "x" if key is not None else ""
    return literal


def parts(template: str, known: str) -> list[tuple[str, str | None]]:
    """Literal text and the placeholder behind it. Raises ValueError."""
    try:
        parsed = list(Formatter().parse(template))
    except ValueError:
        raise ValueError(f"a {{ or }} is not closed; placeholders are {known}") from None
    for _, key, spec, conversion in parsed:
        if spec or conversion or key == "":
            raise ValueError(f"a placeholder is a name in braces and nothing else; known are {known}")
    return [(text, key) for text, key, _, _ in parsed]


def escaper(escaped: str, plain: str) -> Escape:
    """What makes a value part of a level: `escaped` characters and what cannot be printed become %XX of their UTF-8.

    So two different values stay different; nothing at all becomes `-`. `plain`: a set for a regular expression, of
    characters that need no look, which is nearly every value, and with thousands of devices looked at often.
    """
    is_plain = re.compile(f"[{plain}]+", re.ASCII).fullmatch
    special = frozenset(escaped)

    def escape(value: str | None) -> str:
        if not value:
            return _ABSENT
        if is_plain(value):
            return value
        return "".join(
            c
            if c not in special and c.isprintable()
            else "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "surrogatepass"))
            for c in value
        )

    return escape


class Names:
    """The topic or subject of each record. `template` has been checked."""

    def __init__(self, template: str, escape: Escape) -> None:
        used = dict.fromkeys(key for _, key in parts(template, "") if key is not None)
        self._template = template
        self._escape = escape
        self._keys = tuple(used)
        # attrgetter returns a bare value for one name and a tuple for several: `kind` beside it makes it a tuple always
        self._key_of: Callable[[Message], tuple[str | None, ...]] = attrgetter(*self._keys, "kind", "kind")
        self._cache: dict[tuple[str | None, ...], str] = {}

    def of(self, message: Message) -> str:
        """The topic for this record."""
        key = self._key_of(message)
        topic = self._cache.get(key)
        if topic is None:
            topic = self._template.format_map(dict(zip(self._keys, map(self._escape, key), strict=False)))
            if len(self._cache) >= _MAX_CACHED:
                self._cache.clear()
            self._cache[key] = topic
        return topic
