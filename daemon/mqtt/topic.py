"""Topic templates: `torhaus/{site}/{device}/{kind}`, checked when the config is read, filled in for each record.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019, 4.7 (topic names), 1.5.4 (strings). A value fills one part of
one level and nothing else: whatever it holds, it adds no level and no wildcard.
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
"""Placeholders of a status topic: the site's id and the forwarder's name."""

BACKLOG_KEYS: Final = STATUS_KEYS
"""Placeholders of the topic for packed late records, which are of several devices."""

MAX_TEMPLATE_BYTES: Final = 1024
"""A template's length; with values it must stay below the 65,535 bytes of a topic (1.5.4)."""

_MAX_CACHED: Final = 4096
"""Topics kept by (device, kind, …): more than a site has devices; strangers cannot make it grow without end."""

_ABSENT: Final = "-"
"""Stands in for a value that a record does not have, since an empty level is easily overlooked."""

_ESCAPED: Final = frozenset("/+#$%")

_PLAIN: Final = re.compile(r"[\w.:~-]+", re.ASCII)
"""Nothing in it that must be escaped: nearly every value, and with thousands of devices looked at often."""


def check_template(template: str, keys: Iterable[str] = MESSAGE_KEYS) -> None:
    """Raises ValueError that says what is wrong and what would be right."""
    keys = tuple(keys)
    known = " ".join(f"{{{key}}}" for key in keys)
    if not template:
        raise ValueError(f"a topic is not empty; take for example torhaus/{{site}}/… with {known}")
    if len(template.encode(errors="replace")) > MAX_TEMPLATE_BYTES:
        raise ValueError(f"a topic template has at most {MAX_TEMPLATE_BYTES} bytes")
    literal = ""
    for text, key in _parts(template, known):
        literal += text
        if key is not None and key not in keys:
            raise ValueError(f"unknown placeholder {{{key}}}; known are {known}")
        literal += "x" if key is not None else ""
    for wildcard in "+#":
        if wildcard in literal:
            raise ValueError(
                f"{wildcard} is a wildcard, nothing can be published to it; name the level, as in {{kind}}"
            )
    if literal.startswith("$"):
        raise ValueError("topics that begin with $ belong to the broker; begin with a name, for example torhaus/")
    if "" in literal.split("/"):
        raise ValueError("a topic has no empty level: remove the leading, trailing or doubled /")
    if any(not c.isprintable() for c in literal):
        raise ValueError("a topic holds printable characters only")


def _parts(template: str, known: str) -> list[tuple[str, str | None]]:
    """Literal text and the placeholder behind it. Raises ValueError."""
    try:
        parsed = list(Formatter().parse(template))
    except ValueError:
        raise ValueError(f"a {{ or }} is not closed; placeholders are {known}") from None
    for _, key, spec, conversion in parsed:
        if spec or conversion or key == "":
            raise ValueError(f"a placeholder is a name in braces and nothing else; known are {known}")
    return [(text, key) for text, key, _, _ in parsed]


def escape(value: str | None) -> str:
    """A value as part of a level.

    `/ + # $ %` and what cannot be printed become %XX of their UTF-8 bytes, so that two different values stay different;
    nothing at all becomes `-`.
    """
    if not value:
        return _ABSENT
    if _PLAIN.fullmatch(value):
        return value
    return "".join(
        c
        if c not in _ESCAPED and c.isprintable()
        else "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "surrogatepass"))
        for c in value
    )


def fill(template: str, **values: str) -> str:
    """A template that has passed `check_template`, filled in once (status topic)."""
    return template.format_map({key: escape(value) for key, value in values.items()})


class Topics:
    """The topic of each record. `template` has passed `check_template`."""

    def __init__(self, template: str) -> None:
        parts = _parts(template, "")
        used = dict.fromkeys(key for _, key in parts if key is not None)
        self._template = template
        self._keys = tuple(used)
        # attrgetter returns a bare value for one name and a tuple for several: `kind` beside it makes it a tuple always
        self._key_of: Callable[[Message], tuple[str | None, ...]] = attrgetter(*self._keys, "kind", "kind")
        self._cache: dict[tuple[str | None, ...], str] = {}

    def of(self, message: Message) -> str:
        """The topic for this record."""
        key = self._key_of(message)
        topic = self._cache.get(key)
        if topic is None:
            topic = self._template.format_map(dict(zip(self._keys, map(escape, key), strict=False)))
            if len(self._cache) >= _MAX_CACHED:
                self._cache.clear()
            self._cache[key] = topic
        return topic
